package fwi

import (
	"errors"
	"fmt"
	"math"
)

// Standardise returns the normalisations of the x and the y of a set that give every channel mean 0 and standard deviation 1.
// Of more than 5000 pairs it takes as many, evenly spread. A channel that is constant is only shifted. A set without pairs is an error.
func Standardise(d Data) (x, y Normalisation, err error) {
	if d.Len() < 1 {
		return x, y, errors.New("fwi: the mean and deviation of no pairs; wanted at least one")
	}
	xs, ys := d.Shapes()
	bx, by := make([]float32, size(xs)), make([]float32, size(ys))
	mx, my := newMoments(xs[0]), newMoments(ys[0])
	n := min(d.Len(), 5000)
	for k := range n {
		i := k * d.Len() / n
		if err := d.Read(i, bx, by); err != nil {
			return x, y, err
		}
		if !mx.add(bx) || !my.add(by) {
			return x, y, fmt.Errorf("fwi: pair %d holds values that are not finite", i)
		}
	}
	return mx.normalisation(), my.normalisation(), nil
}

// moments gathers the mean and the variance of each channel (Welford's method over blocks).
type moments struct {
	n        float64 // values per channel so far
	mean, m2 []float64
}

func newMoments(channels int) *moments {
	return &moments{mean: make([]float64, channels), m2: make([]float64, channels)}
}

// add takes in one sample, channels x any, and reports whether all of it was finite.
func (m *moments) add(x []float32) bool {
	size := len(x) / len(m.mean)
	n := float64(size)
	for c := range m.mean {
		part := x[c*size : (c+1)*size]
		mean, m2 := 0.0, 0.0
		for _, v := range part {
			mean += float64(v)
		}
		mean /= n
		for _, v := range part {
			m2 += (float64(v) - mean) * (float64(v) - mean)
		}
		delta := mean - m.mean[c]
		m.mean[c] += delta * n / (m.n + n)
		m.m2[c] += m2 + delta*delta*m.n*n/(m.n+n)
		if math.IsNaN(m.m2[c]) || math.IsInf(m.m2[c], 0) {
			return false
		}
	}
	m.n += n
	return true
}

func (m *moments) normalisation() Normalisation {
	out := Normalisation{Shift: m.mean, Scale: make([]float64, len(m.mean))}
	for c, s := range m.m2 {
		out.Scale[c] = math.Sqrt(s / m.n)
		if out.Scale[c] == 0 {
			out.Scale[c] = 1
		}
	}
	return out
}
