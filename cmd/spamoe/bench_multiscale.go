package main

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/mno"
)

// benchMultiscale builds what the reference runs: of every branch only the first block takes part.
func benchMultiscale(b *bencher) error {
	cfg := mno.ReferenceMultiscale(128, 1, 128)
	cfg.Scales, cfg.Modes = []float64{1, 0.6, 0.3}, [][]int{{16, 16}, {16, 16}, {9, 9}}
	model, err := mno.NewMultiscale(cfg, b.rng)
	if err != nil {
		return err
	}
	return b.operator("multiscale", model, func(n int) *autograd.Tensor { return b.normal(n, 128, 70, 70) })
}
