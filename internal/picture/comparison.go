package picture

import (
	"errors"
	"image"
	"math"
)

// Sample is a row of a Comparison. Both maps are nz x nx.
type Sample struct {
	Label             string // such as the family; empty for none
	Truth, Prediction []float32
}

// Comparison is a row of three maps per sample: truth, prediction, and prediction minus truth with its mean absolute error.
//
// The colours of the first two span the values of all true maps, so that a bad prediction does not dull the truth; those of the
// difference span the 99th percentile of its size in all samples to both sides of zero.
type Comparison struct {
	Frame
	Title   string
	Samples []Sample

	Min, Max float64 // ends of the colours; both zero: those of the truth
	Most     float64 // end of the colours of the difference; zero: from the data
	Palette  Palette // nil: Sequential
}

// Draw implements Picture.
func (p Comparison) Draw() (*image.RGBA, error) {
	s, err := p.sheet()
	if err != nil {
		return nil, err
	}
	m, _, err := s.draw()
	return m, err
}

func (p Comparison) sheet() (*sheet, error) {
	if err := p.check("comparison"); err != nil {
		return nil, err
	}
	if len(p.Samples) == 0 {
		return nil, errors.New("picture: comparison: no samples")
	}
	var truth, prediction, difference [][]float32
	for i, m := range p.Samples {
		if err := errors.Join(p.holds(m.Truth, "comparison: truth of sample %d", i),
			p.holds(m.Prediction, "comparison: prediction of sample %d", i)); err != nil {
			return nil, err
		}
		d := make([]float32, len(m.Truth))
		for k := range d {
			d[k] = m.Prediction[k] - m.Truth[k]
		}
		truth, prediction, difference = append(truth, m.Truth), append(prediction, m.Prediction), append(difference, d)
	}

	value := scale{palette: p.Palette}
	if value.palette == nil {
		value.palette = Sequential()
	}
	lo, hi, ok := bounds(truth...)
	if lo == hi {
		lo, hi, ok = bounds(append(truth[:len(truth):len(truth)], prediction...)...)
	}
	if p.Min != 0 || p.Max != 0 {
		lo, hi = p.Min, p.Max
	}
	value.lo, value.hi = span(lo, hi, ok)
	value = value.saturated(append(truth[:len(truth):len(truth)], prediction...)...)

	most := p.Most
	if most == 0 {
		most = quantile(0.99, difference...)
	}
	if !(most > 0) {
		most = 1
	}
	miss := scale{lo: -most, hi: most, palette: Diverging()}.saturated(difference...)

	s := p.Frame.sheet(420)
	s.head = p.Title
	for i, m := range p.Samples {
		heads := [2]string{}
		if i == 0 {
			heads = [2]string{"True", "Prediction"}
		}
		mae := "MAE " + figure(meanAbs(difference[i]), 3)
		if p.Units != "" {
			mae += " " + p.Units
		}
		if i == 0 {
			mae = "Prediction − true, " + mae
		}
		s.rows = append(s.rows, []panel{
			{m.Truth, heads[0], value}, {m.Prediction, heads[1], value}, {difference[i], mae, miss},
		})
		s.labels = append(s.labels, m.Label)
	}
	s.bars = []bar{{value, p.measure(p.Quantity), 0, 1}, {miss, p.measure("Difference"), 2, 2}}
	return s, nil
}

// meanAbs is the mean size of the finite values, NaN where there is none.
func meanAbs(x []float32) float64 {
	var sum float64
	n := 0
	for _, v := range x {
		if v := float64(v); finite(v) {
			sum += math.Abs(v)
			n++
		}
	}
	return sum / float64(n)
}
