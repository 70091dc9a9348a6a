package autograd

import (
	"math/rand/v2"
	"testing"
)

// The shapes are those of SPAMoE's blocks: 4 samples, 64 or 128 channels, 70 x 70 points.
func BenchmarkOps(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	n := func(shape ...int) *Tensor { return normal(rng, shape...) }
	first, last := n(4, 64, 70, 70), n(4, 70, 70, 64)
	for _, c := range []struct {
		name string
		f    func(x []*Value) *Value
		x    []*Tensor
	}{
		{"Add", func(x []*Value) *Value { return Add(x[0], x[1]) }, []*Tensor{first, n(4, 64, 70, 70)}},
		{"GELU", func(x []*Value) *Value { return GELU(x[0]) }, []*Tensor{first}},
		{"ChannelsLast", func(x []*Value) *Value { return ChannelsLast(x[0]) }, []*Tensor{first}},
		{"heads", func(x []*Value) *Value { return Permute(x[0], 0, 2, 1, 3) }, []*Tensor{n(4, 1386, 6, 64)}},
		{"reversed", func(x []*Value) *Value { return Permute(x[0], 3, 2, 1, 0) }, []*Tensor{first}},
		{"Concat/channels last", func(x []*Value) *Value { return Concat(-1, x...) }, []*Tensor{last, n(4, 70, 70, 2)}},
		{"Narrow/channels last", func(x []*Value) *Value { return Narrow(x[0], -1, 3, 50) }, []*Tensor{last}},
		{"Broadcast/row", func(x []*Value) *Value { return Broadcast(x[0], 4, 70, 70, 64) }, []*Tensor{n(64)}},
		{"Broadcast/last", func(x []*Value) *Value { return Broadcast(x[0], 4, 64, 70, 70) }, []*Tensor{n(4, 64, 1, 1)}},
		{"Broadcast/pairs", func(x []*Value) *Value { return Broadcast(x[0], 4, 64, 4900, 2) }, []*Tensor{n(4, 1, 4900, 2)}},
		{"SumAxes/points", func(x []*Value) *Value { return SumAxes(x[0], false, 2, 3) }, []*Tensor{first}},
		{"SumAxes/channels last", func(x []*Value) *Value { return SumAxes(x[0], false, 1, 2) }, []*Tensor{last}},
		{"MulLast", func(x []*Value) *Value { return MulLast(x[0], x[1]) }, []*Tensor{last, n(64)}},
		{"AddLast", func(x []*Value) *Value { return AddLast(x[0], x[1]) }, []*Tensor{last, n(64)}},
		{"LinearGELU", func(x []*Value) *Value { return LinearGELU(x[0], x[1], x[2]) }, []*Tensor{last, n(128, 64), n(128)}},
		{"Pad", func(x []*Value) *Value { return Pad(x[0], []int{7, 7, 7, 7}, PadReflect) }, []*Tensor{first}},
		{"Resize/cubic", func(x []*Value) *Value {
			return Resize(x[0], []int{42, 42}, Interpolation{Mode: InterpolateCubic, AlignCorners: true})
		}, []*Tensor{first}},
		{"GroupNorm", func(x []*Value) *Value { return GroupNorm(x[0], 1, x[1], x[2], 1e-5) }, []*Tensor{first, n(64), n(64)}},
		{"LayerNorm", func(x []*Value) *Value { return LayerNorm(x[0], x[1], x[2], 1e-5) }, []*Tensor{n(1, 1391, 384), n(384), n(384)}},
		{"Attention", func(x []*Value) *Value { return Attention(x[0], x[1], x[2]) }, []*Tensor{n(1, 6, 1391, 64), n(1, 6, 1391, 64), n(1, 6, 1391, 64)}},
	} {
		size := 0
		for _, x := range c.x {
			size += x.Len()
		}
		tape := &Tape{}
		b.Run(c.name+"/forward", func(b *testing.B) {
			tape.NoGrad = true
			in := make([]*Value, len(c.x))
			for b.Loop() {
				for i := range in {
					in[i] = tape.Input(c.x[i])
				}
				b.SetBytes(int64(4 * (size + c.f(in).Len())))
				tape.Reset()
			}
		})
		b.Run(c.name+"/both", func(b *testing.B) {
			tape.NoGrad = false
			in := make([]*Value, len(c.x))
			var seed []float32
			for b.Loop() {
				for i := range in {
					in[i] = tape.Input(c.x[i])
				}
				y := c.f(in)
				if seed == nil {
					seed = normal(rng, y.Len()).Data
				}
				tape.Backward(Seed{y, seed})
				tape.Reset()
			}
		})
	}
}
