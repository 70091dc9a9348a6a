package main

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/fno"
)

func benchFNO(b *bencher) error {
	model, err := newFourier(b)
	if err != nil {
		return err
	}
	return b.operator("fno", model, func(n int) *autograd.Tensor { return b.normal(n, 128, 70, 70) })
}

func newFourier(b *bencher) (*fno.Model, error) {
	return fno.New(fno.Config{In: 128, Out: 1, Hidden: 128, Modes: []int{16, 16}, Layers: 4}, b.rng)
}
