package picture

import (
	"errors"
	"fmt"
	"image"
	"math"
)

// Gathers shows the records of several shots side by side: time downwards, receivers across.
type Gathers struct {
	Title  string
	NT, NR int         // samples in time, receivers
	DT     float64     // seconds between samples; zero: the axis counts samples
	DR     float64     // metres between receivers; zero: the axis counts receivers
	Shots  [][]float32 // each nt x nr, row-major
	Labels []string    // titles; nil: "Shot 1", "Shot 2", ...

	Clip    float64 // percentile of the size of all amplitudes that the ends of the colours stand for; zero: 95
	Palette Palette // nil: Grey; Diverging is the other usual one
}

// Draw implements Picture.
func (p Gathers) Draw() (*image.RGBA, error) {
	s, err := p.sheet()
	if err != nil {
		return nil, err
	}
	m, _, err := s.draw()
	return m, err
}

func (p Gathers) sheet() (*sheet, error) {
	f := Frame{NZ: p.NT, NX: p.NR, DX: p.DR, DZ: p.DT}
	if err := f.check("gathers"); err != nil {
		return nil, err
	}
	if len(p.Shots) == 0 {
		return nil, errors.New("picture: gathers: no shots")
	}
	clip := p.Clip
	if clip == 0 {
		clip = 95
	}
	if !(clip > 0 && clip <= 100) {
		return nil, fmt.Errorf("picture: gathers: clipped at percentile %g, it must be above 0 and at most 100", clip)
	}
	for i, m := range p.Shots {
		if err := f.holds(m, "gathers: shot %d", i); err != nil {
			return nil, err
		}
	}
	most := quantile(clip/100, p.Shots...)
	if most == 0 {
		if lo, hi, ok := bounds(p.Shots...); ok {
			most = math.Max(-lo, hi)
		}
	}
	if most == 0 {
		most = 1
	}
	amplitude := scale{lo: -most, hi: most, palette: p.Palette}
	if amplitude.palette == nil {
		amplitude.palette = Grey()
	}
	amplitude = amplitude.saturated(p.Shots...)

	s := &sheet{head: p.Title, nz: p.NT, nx: p.NR}
	s.x = axis{0.5, float64(p.NR) + 0.5, "Receiver", 1}
	if p.DR > 0 {
		s.x = axis{0, p.DR * float64(p.NR), "Distance (m)", 0}
	}
	s.z = axis{0, float64(p.NT), "Time sample", 1}
	if p.DT > 0 {
		s.z = axis{0, p.DT * float64(p.NT), "Time (s)", 0}
	}
	s.pw, s.ph = fit(p.NT, p.NR, 3, 500, 48)
	row := make([]panel, len(p.Shots))
	for i, m := range p.Shots {
		row[i] = panel{m, fmt.Sprintf("Shot %d", i+1), amplitude}
		if i < len(p.Labels) {
			row[i].title = p.Labels[i]
		}
	}
	s.rows = [][]panel{row}
	s.bars = []bar{{amplitude, fmt.Sprintf("Amplitude, clipped at percentile %g", clip), 0, len(row) - 1}}
	return s, nil
}
