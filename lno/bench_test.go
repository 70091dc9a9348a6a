package lno

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

// normal returns a tensor of normal values.
func normal(rng *rand.Rand, shape ...int) *autograd.Tensor {
	t := autograd.New(shape...)
	nn.Normal(t, 0, 1, rng)
	return t
}

// BenchmarkCorrelate compares the convolution of channels-last data with that of channels-first data, transposes included.
func BenchmarkCorrelate(b *testing.B) {
	const nb, n = 2, 70
	for _, nc := range []int{64, 128} {
		for _, k := range []int{3, 5} {
			rng := rand.New(rand.NewPCG(1, 2))
			x := normal(rng, nb, n+k-1, n+k-1, nc)
			w := normal(rng, 1, k, k, nc, nc)
			v := normal(rng, nc, nc, k, k)
			gy := normal(rng, nb, n, n, nc)
			flop := 2 * float64(nb*n*n*nc*nc*k*k)
			run := func(name string, passes float64, f func(tape *autograd.Tape)) {
				b.Run(fmt.Sprintf("%s/%dx%d/%d", name, k, k, nc), func(b *testing.B) {
					tape := &autograd.Tape{NoGrad: passes == 1}
					for b.Loop() {
						tape.Reset()
						f(tape)
					}
					b.ReportMetric(flop*passes*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
			last := func(tape *autograd.Tape) *autograd.Value {
				return correlate(tape.Input(x), tape.Input(w), nil, [3]int{1, 1, 1}, nil)
			}
			first := func(tape *autograd.Tape) *autograd.Value {
				return autograd.ChannelsLast(autograd.Conv2d(autograd.ChannelsFirst(tape.Input(x)), tape.Input(v), nil, autograd.ConvOptions{}))
			}
			run("last/forward", 1, func(t *autograd.Tape) { last(t) })
			run("first/forward", 1, func(t *autograd.Tape) { first(t) })
			run("last/both", 3, func(t *autograd.Tape) { t.Backward(autograd.Seed{Value: last(t), Grad: gy.Data}) })
			run("first/both", 3, func(t *autograd.Tape) { t.Backward(autograd.Seed{Value: first(t), Grad: gy.Data}) })
		}
	}
}

func BenchmarkModel(b *testing.B) {
	const nb, n = 2, 70
	for _, nc := range []int{64, 128} {
		c := Config{In: nc, Out: 1, Hidden: nc, Modes: []int{16, 16}, Grid: []int{n, n}, Layers: 3}
		rng := rand.New(rand.NewPCG(1, 2))
		m, err := New(c, rng)
		require.NoError(b, err)
		x := normal(rng, nb, nc, n, n)
		gy := normal(rng, nb, 1, n, n)
		for _, train := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/train=%v", nc, train), func(b *testing.B) {
				tape := &autograd.Tape{NoGrad: !train}
				for b.Loop() {
					tape.Reset()
					y := m.Forward(tape.Const(x))
					if train {
						tape.Backward(autograd.Seed{Value: y, Grad: gy.Data})
					}
				}
				b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/nb, "ms/sample")
			})
		}
	}
}
