package spectral_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/spectral"
)

// BenchmarkConv is the layer of SPAMoE's operators: 128 channels, 16 modes per axis, 70 x 70 points.
func BenchmarkConv(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	layer, err := spectral.NewConv(spectral.Config{In: 128, Out: 128, Modes: []int{16, 16}}, rng)
	require.NoError(b, err)
	for _, batch := range []int{1, 8} {
		x := autograd.New(batch, 70, 70, 128)
		nn.Normal(x, 0, 1, rng)
		gy := x.Clone()
		nn.Normal(gy, 0, 1, rng)
		// Multiply-adds of the transforms along both axes, there and back, and of the mixing.
		flop := 2 * float64(batch) * 128 * (2*(70*70*18+9*140*32) + 144*4*128)
		run := func(name string, flop float64, tape *autograd.Tape, f func()) {
			b.Run(fmt.Sprintf("b%d/%s", batch, name), func(b *testing.B) {
				for b.Loop() {
					f()
					tape.Reset()
				}
				b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
		forward := &autograd.Tape{NoGrad: true}
		run("forward", flop, forward, func() { layer.Forward(forward.Const(x)) })
		both := &autograd.Tape{}
		run("both", 2*flop, both, func() {
			y := layer.Forward(both.Const(x))
			both.Backward(autograd.Seed{Value: y, Grad: gy.Data})
		})
		all := &autograd.Tape{}
		run("both-input", 3*flop, all, func() {
			y := layer.Forward(all.Input(x))
			all.Backward(autograd.Seed{Value: y, Grad: gy.Data})
		})
	}
}
