package main

import "github.com/spamoe/spamoe/encoder"

// vitFlop counts the operations of the matrix products of ViT-S/16 on 1391 tokens: 59 in layers, 36 in attention.
const vitFlop = 95e9

func benchViT(b *bencher) error {
	model, err := encoder.New(encoder.Config{Out: 128, Floor: encoder.FloorConfig{Mode: encoder.FloorOff}}, b.rng)
	if err != nil {
		return err
	}
	model.Recompute = b.recompute
	return b.passes("vit b1", vitFlop, model, b.normal(1, 1, 1000, 350))
}
