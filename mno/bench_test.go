package mno_test

import (
	"testing"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/mno"
)

// benchmark times passes on a batch of 4 of SPAMoE's grid.
func benchmark(b *testing.B, m operator) {
	x := random(1, 4, 5, 70, 70)
	b.Run("forward", func(b *testing.B) {
		tape := &autograd.Tape{NoGrad: true}
		for b.Loop() {
			m.Forward(tape.Const(x))
			tape.Reset()
		}
		b.ReportMetric(4*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
	})
	b.Run("gradient", func(b *testing.B) {
		tape := &autograd.Tape{Train: true}
		for b.Loop() {
			autograd.Mean(autograd.Square(m.Forward(tape.Const(x)))).Backward()
			tape.Reset()
		}
		b.ReportMetric(4*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
	})
}

func BenchmarkModel(b *testing.B) { benchmark(b, newModel(b, mno.Config{In: 5, Out: 1})) }

func BenchmarkMultiscale(b *testing.B) {
	benchmark(b, newMultiscale(b, mno.MultiscaleConfig{In: 5, Out: 1, Hidden: 32}))
}
