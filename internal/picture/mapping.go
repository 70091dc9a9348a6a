package picture

import (
	"fmt"
	"image"
)

// Mapping is a Comparison with the maps that the predictions were made from, on the left with a colour bar of their own.
type Mapping struct {
	Comparison
	Input  string      // what the inputs are
	Inputs [][]float32 // one per sample, nz x nx
}

// Draw implements Picture.
func (p Mapping) Draw() (*image.RGBA, error) {
	s, err := p.sheet()
	if err != nil {
		return nil, err
	}
	m, _, err := s.draw()
	return m, err
}

func (p Mapping) sheet() (*sheet, error) {
	s, err := p.Comparison.sheet()
	if err != nil {
		return nil, err
	}
	if len(p.Inputs) != len(s.rows) {
		return nil, fmt.Errorf("picture: mapping: %d inputs for %d samples", len(p.Inputs), len(s.rows))
	}
	for i, m := range p.Inputs {
		if err := p.holds(m, "mapping: input of sample %d", i); err != nil {
			return nil, err
		}
	}
	input := scale{palette: Sequential()}
	input.lo, input.hi = span(bounds(p.Inputs...))
	for i, m := range p.Inputs {
		first := panel{data: m, scale: input}
		if i == 0 {
			first.title = "Input"
		}
		s.rows[i] = append([]panel{first}, s.rows[i]...)
	}
	for i := range s.bars {
		s.bars[i].first++
		s.bars[i].last++
	}
	s.bars = append([]bar{{input, p.Input, 0, 0}}, s.bars...)
	s.pw, s.ph = fit(s.nz, s.nx, s.z.hi/s.x.hi, 320, 48)
	return s, nil
}
