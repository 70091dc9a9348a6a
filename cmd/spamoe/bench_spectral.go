package main

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/spectral"
)

func benchSpectral(b *bencher) error {
	conv, err := spectral.NewConv(spectral.Config{In: 128, Out: 128, Modes: []int{16, 16}}, b.rng)
	if err != nil {
		return err
	}
	// Inside an operator the layer works channels-last.
	return b.operator("spectral", conv, func(n int) *autograd.Tensor { return b.normal(n, 70, 70, 128) })
}
