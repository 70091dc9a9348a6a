package main

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/lno"
)

func benchLNO(b *bencher) error {
	model, err := newLocal(b)
	if err != nil {
		return err
	}
	return b.operator("lno", model, func(n int) *autograd.Tensor { return b.normal(n, 128, 70, 70) })
}

// newLocal returns a local operator whose differential and local kernels both have 3x3 points, with nine functions on the local one's,
// and the same padding: with the path around they are one convolution.
func newLocal(b *bencher) (*lno.Model, error) {
	const n = 70
	const cell = 2.0 / n // of the domain -1 .. 1
	return lno.New(lno.Config{In: 128, Out: 1, Hidden: 128, Modes: []int{16, 16}, Grid: []int{n, n}, Layers: 3,
		Padding: lno.Periodic, Basis: lno.Basis{Kind: lno.Morlet}, Radius: 1.5 * cell}, b.rng)
}
