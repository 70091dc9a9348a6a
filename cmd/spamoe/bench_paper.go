package main

import (
	"github.com/spamoe/spamoe/fwi"
)

func benchPaper(b *bencher) error {
	cfg, err := fwi.Preset("paper")
	if err != nil {
		return err
	}
	model, err := fwi.New(cfg, b.rng)
	if err != nil {
		return err
	}
	return b.steps("paper b1", model.Net, b.normal(append([]int{1}, model.InputShape()...)...))
}
