package moe_test

import (
	"math/rand/v2"
	"testing"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/moe"
)

// BenchmarkRoute is everything of a mixture but its experts, at the size of SPAMoE: routing, filtering and adding up, forward and backward.
func BenchmarkRoute(b *testing.B) {
	x := random(1, 4, 128, 70, 70)
	seed := random(2, 4, 128, 70, 70)
	for name, c := range map[string]moe.Config{"default": {}, "no attention": {NoAttention: true}, "reference": {Defects: moe.ReferenceDefects()}} {
		c.Channels = 128
		m, err := moe.New(c, []moe.Expert{&counter{}, &counter{}, &counter{}}, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			b.Fatal(err)
		}
		tape := &autograd.Tape{}
		b.Run(name+"/forward", func(b *testing.B) {
			tape.NoGrad = true
			for b.Loop() {
				m.Forward(tape.Const(x))
				tape.Reset()
			}
		})
		b.Run(name+"/step", func(b *testing.B) {
			tape.NoGrad = false
			for b.Loop() {
				y := m.Forward(tape.Input(x))
				tape.Backward(autograd.Seed{Value: y, Grad: seed.Data})
				tape.Reset()
			}
		})
	}
}
