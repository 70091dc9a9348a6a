package fwi

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Data is a set of pairs (x, y) in physical units: recordings and the map that they come from.
type Data interface {
	// Len returns the number of pairs.
	Len() int
	// Shapes returns the shapes of one x and one y, channels first: 5x1000x70 and 1x70x70 for OpenFWI.
	Shapes() (x, y []int)
	// Read stores pair i into x and y, which have as many elements as the shapes say; one that is nil is not read. It is safe for
	// concurrent use.
	Read(i int, x, y []float32) error
}

// Subset is the part of a set that index lists, in that order.
type Subset struct {
	Data
	Index []int
}

// Len returns the number of pairs of the subset.
func (s Subset) Len() int { return len(s.Index) }

// Read reads pair i of the subset.
func (s Subset) Read(i int, x, y []float32) error {
	if i < 0 || i >= len(s.Index) {
		return fmt.Errorf("fwi: pair %d of a subset of %d pairs", i, len(s.Index))
	}
	return s.Data.Read(s.Index[i], x, y)
}

// Split parts a set at random into training and validation data; fraction of it, from 0 to less than 1 but at least one pair, goes to
// validation. The same seed gives the same parts.
func Split(d Data, fraction float64, seed uint64) (train, val Subset, err error) {
	if !(fraction >= 0 && fraction < 1) {
		return train, val, fmt.Errorf("fwi: a fraction of %v for validation; wanted at least 0 and less than 1", fraction)
	}
	n := d.Len()
	k := max(1, int(math.Round(fraction*float64(n))))
	if n < 2 || k >= n {
		return train, val, fmt.Errorf("fwi: %d pairs cannot be split into training and validation data with a fraction of %v", n, fraction)
	}
	order := rand.New(rand.NewPCG(seed, 0x5eed)).Perm(n)
	return Subset{d, order[k:]}, Subset{d, order[:k]}, nil
}

// MeanMap returns the mean of the y of a set, element by element: the best guess that ignores the recordings, and so the
// baseline that a model must beat. Of more than 5000 pairs it takes as many, evenly spread. A set without pairs is an error.
func MeanMap(d Data) ([]float32, error) {
	if d.Len() < 1 {
		return nil, errors.New("fwi: a mean map of no pairs; wanted at least one")
	}
	_, shape := d.Shapes()
	y := make([]float32, size(shape))
	sum, n := make([]float64, len(y)), min(d.Len(), 5000)
	for k := range n {
		if err := d.Read(k*d.Len()/n, nil, y); err != nil {
			return nil, err
		}
		for j, v := range y {
			sum[j] += float64(v)
		}
	}
	for j, s := range sum {
		y[j] = float32(s / float64(n))
	}
	return y, nil
}

// BaselineMAE returns the mean absolute error of one fixed map over a set, of each channel in its unit. A set without pairs is an
// error, as is a map of another size than the set's.
func BaselineMAE(d Data, guess []float32) ([]float64, error) {
	_, shape := d.Shapes()
	if len(guess) != size(shape) {
		return nil, fmt.Errorf("fwi: a guess of %d elements for maps of shape %v; wanted %d", len(guess), shape, size(shape))
	}
	if d.Len() < 1 {
		return nil, errors.New("fwi: the error of a guess over no pairs; wanted at least one")
	}
	mae, n := make([]float64, shape[0]), size(shape[1:])
	y := make([]float32, len(guess))
	for i := range d.Len() {
		if err := d.Read(i, nil, y); err != nil {
			return nil, err
		}
		addErrors(mae, guess, y, n)
	}
	for c := range mae {
		mae[c] /= float64(d.Len() * n)
	}
	return mae, nil
}

func size(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}
