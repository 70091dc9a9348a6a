package spectral

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

// In one pass a block computes what its layers do one after the other, and the same gradients.
func TestTailIsItsLayers(t *testing.T) {
	for name, c := range map[string]BlockConfig{
		"perceptron": {Modes: []int{4, 5}},
		"plain":      {Modes: []int{4, 4}, NoMLP: true},
		"no gate":    {Modes: []int{3}, MLPSkip: SkipNone},
		"wide":       {Modes: []int{2, 3, 2}, MLPExpansion: 3},
		"odd grid":   {Modes: []int{4, 4}, Defects: ReferenceDefects()},
	} {
		t.Run(name, func(t *testing.T) {
			c.Channels, c.Layers = 20, 2
			rng := rand.New(rand.NewPCG(7, 8))
			b, err := NewBlocks(c, rng)
			require.NoError(t, err)
			for _, p := range autograd.Params(b.MLPSkips) { // which start as ones
				nn.Normal(p.Tensor, 0, 1, rng)
			}
			shape := []int{3}
			for range c.Modes {
				shape = append(shape, 13)
			}
			x := autograd.New(append(shape, c.Channels)...)
			gy := make([]float32, x.Len())
			for i := range gy {
				x.Data[i], gy[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
			}
			for i := range c.Layers {
				run := func(f func(x *autograd.Value) *autograd.Value) map[string][]float32 {
					tape := &autograd.Tape{}
					in := tape.Input(x)
					y := f(in)
					out := map[string][]float32{"y": y.Data}
					g := tape.Backward(autograd.Seed{Value: y, Grad: gy})
					out["x"] = g.Wrt(in).Data
					for name, p := range autograd.Params(b) {
						if v := g.Of(p); v != nil {
							out[name] = v.Data
						}
					}
					none := &autograd.Tape{NoGrad: true}
					out["inference"] = f(none.Const(x)).Data
					return out
				}
				size := x.Shape[1 : len(x.Shape)-1]
				_, ok := b.tailOf(&autograd.Tape{}, i, (&autograd.Tape{}).Const(x), size)
				require.Equal(t, !(c.NoMLP && i == 0), ok)
				want := run(func(x *autograd.Value) *autograd.Value { return b.layers(x, i, BlockOptions{Size: size}) })
				// Twice the value in halves: all gradients meet others already there.
				got := run(func(x *autograd.Value) *autograd.Value {
					return autograd.Add(autograd.Scale(b.Forward(x, i, BlockOptions{}), 0.5), autograd.Scale(b.Forward(x, i, BlockOptions{}), 0.5))
				})
				require.Len(t, got, len(want))
				for name, w := range want {
					scale := 1.0
					for _, v := range w {
						scale = max(scale, float64(v))
					}
					require.InDeltaSlice(t, w, got[name], 5e-6*scale, "block %d: %s", i, name)
				}
			}
		})
	}
}
