package autograd

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// normal returns a tensor of normal numbers.
func normal(rng *rand.Rand, shape ...int) *Tensor {
	t := New(shape...)
	for i := range t.Data {
		t.Data[i] = float32(rng.NormFloat64())
	}
	return t
}

// away returns a tensor of numbers between lo and hi in size, with random signs if both: a distance from kinks and poles.
func away(rng *rand.Rand, lo, hi float32, both bool, shape ...int) *Tensor {
	t := New(shape...)
	for i := range t.Data {
		t.Data[i] = lo + (hi-lo)*rng.Float32()
		if both && rng.IntN(2) == 0 {
			t.Data[i] = -t.Data[i]
		}
	}
	return t
}

// distinct returns a shuffled tensor whose elements differ by a quarter at least, so that no step changes their order.
func distinct(rng *rand.Rand, shape ...int) *Tensor {
	t := New(shape...)
	for i, j := range rng.Perm(t.Len()) {
		t.Data[i] = 0.25 * float32(j-t.Len()/2)
	}
	return t
}

func TestGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	n := func(shape ...int) *Tensor { return normal(rng, shape...) }
	kinked := func(shape ...int) *Tensor { return away(rng, 0.2, 2, true, shape...) }
	positive := func(shape ...int) *Tensor { return away(rng, 0.5, 2, false, shape...) }
	one := func(f func(x *Value) *Value) func(x []*Value) *Value {
		return func(x []*Value) *Value { return f(x[0]) }
	}
	two := func(f func(x, y *Value) *Value) func(x []*Value) *Value {
		return func(x []*Value) *Value { return f(x[0], x[1]) }
	}
	conv := ConvOptions{Stride: [2]int{2, 1}, Padding: [2]int{1, 2}, Dilation: [2]int{1, 2}, Groups: 2}
	deconv := ConvOptions{Stride: [2]int{2, 3}, Padding: [2]int{1, 0}, Dilation: [2]int{2, 1}, Groups: 2, OutputPadding: [2]int{1, 2}}
	turns := &Rotation{First: 1, Sin: []float32{0.1, -0.6, 1, 0, -0.8, 0.28, 0.6, -1}, Cos: []float32{-0.995, 0.8, 0, 1, 0.6, 0.96, -0.8, 0}}
	frozen := &Buffer{Shape: []int{3}, Data: []float32{0.1, -0.3, 0.2}}
	spread := &Buffer{Shape: []int{3}, Data: []float32{0.7, 1.3, 2.1}}
	for _, c := range []struct {
		name string
		f    func(x []*Value) *Value
		x    []*Tensor
		c    GradCheck
	}{
		{"Add", two(Add), []*Tensor{n(3, 5), n(3, 5)}, GradCheck{}},
		{"Sub", two(Sub), []*Tensor{n(3, 5), n(3, 5)}, GradCheck{}},
		{"Mul", two(Mul), []*Tensor{n(3, 5), n(3, 5)}, GradCheck{}},
		{"Div", two(Div), []*Tensor{n(3, 5), kinked(3, 5)}, GradCheck{Step: 0.02}},
		{"Scale", one(func(x *Value) *Value { return Scale(x, -1.7) }), []*Tensor{n(7)}, GradCheck{}},
		{"AddScalar", one(func(x *Value) *Value { return AddScalar(x, 3) }), []*Tensor{n(7)}, GradCheck{}},
		{"Neg", one(Neg), []*Tensor{n(7)}, GradCheck{}},
		{"Square", one(Square), []*Tensor{n(3, 5)}, GradCheck{}},
		{"Sqrt", one(func(x *Value) *Value { return Sqrt(x, 0.25) }), []*Tensor{positive(3, 5)}, GradCheck{}},
		{"Abs", one(Abs), []*Tensor{kinked(3, 5)}, GradCheck{}},
		{"Exp", one(Exp), []*Tensor{n(3, 5)}, GradCheck{}},
		{"Log", one(Log), []*Tensor{positive(3, 5)}, GradCheck{}},
		{"Log1p", one(Log1p), []*Tensor{positive(3, 5)}, GradCheck{}},
		{"Tanh", one(Tanh), []*Tensor{n(3, 5)}, GradCheck{}},
		{"Sigmoid", one(Sigmoid), []*Tensor{n(3, 5)}, GradCheck{}},
		{"Pow", one(func(x *Value) *Value { return Pow(x, 1.5) }), []*Tensor{positive(3, 5)}, GradCheck{}},
		{"Clamp", one(func(x *Value) *Value { return Clamp(x, -1.125, 1.125) }), []*Tensor{distinct(rng, 3, 5)}, GradCheck{}},
		{"GELU", one(GELU), []*Tensor{n(3, 15)}, GradCheck{}},
		{"GELUTanh", one(GELUTanh), []*Tensor{n(3, 15)}, GradCheck{}},
		{"LeakyReLU", one(func(x *Value) *Value { return LeakyReLU(x, 0.2) }), []*Tensor{kinked(3, 5)}, GradCheck{}},
		{"ReLU", one(ReLU), []*Tensor{kinked(3, 5)}, GradCheck{}},
		{"Softmax", one(Softmax), []*Tensor{n(3, 7)}, GradCheck{}},
		{"Dropout", one(func(x *Value) *Value { return Dropout(x, 0.3) }), []*Tensor{n(3, 15)}, GradCheck{Train: true}},
		{"Sum", one(Sum), []*Tensor{n(3, 5)}, GradCheck{}},
		{"Mean", one(Mean), []*Tensor{n(3, 5)}, GradCheck{}},
		{"SumAxes/last", one(func(x *Value) *Value { return SumAxes(x, false, -1) }), []*Tensor{n(3, 5, 7)}, GradCheck{}},
		{"SumAxes/first", one(func(x *Value) *Value { return SumAxes(x, true, 0) }), []*Tensor{n(3, 5, 7)}, GradCheck{}},
		{"SumAxes/middle", one(func(x *Value) *Value { return SumAxes(x, false, 1) }), []*Tensor{n(3, 5, 7)}, GradCheck{}},
		{"MeanAxes/outside", one(func(x *Value) *Value { return MeanAxes(x, true, 0, 2) }), []*Tensor{n(3, 5, 7)}, GradCheck{}},
		{"Broadcast", one(func(x *Value) *Value { return Broadcast(x, 4, 3, 5, 7) }), []*Tensor{n(3, 1, 7)}, GradCheck{}},
		{"Broadcast/last", one(func(x *Value) *Value { return Broadcast(x, 3, 5) }), []*Tensor{n(3, 1)}, GradCheck{}},
		{"Reshape", one(func(x *Value) *Value { return Reshape(x, 5, -1) }), []*Tensor{n(3, 5)}, GradCheck{}},
		{"Permute", one(func(x *Value) *Value { return Permute(x, 2, 0, 3, 1) }), []*Tensor{n(2, 3, 5, 7)}, GradCheck{}},
		{"ChannelsLast", one(ChannelsLast), []*Tensor{n(2, 3, 5, 7)}, GradCheck{}},
		{"ChannelsFirst", one(ChannelsFirst), []*Tensor{n(2, 3, 5, 7)}, GradCheck{}},
		{"Concat", func(x []*Value) *Value { return Concat(1, x[0], x[1], x[0]) }, []*Tensor{n(3, 2, 5), n(3, 4, 5)}, GradCheck{}},
		{"Concat/first", func(x []*Value) *Value { return Concat(0, x[0], x[1]) }, []*Tensor{n(3, 5), n(2, 5)}, GradCheck{}},
		{"Narrow", one(func(x *Value) *Value { return Narrow(x, -2, 1, 3) }), []*Tensor{n(3, 5, 7)}, GradCheck{}},
		{"Narrow/first", one(func(x *Value) *Value { return Narrow(x, 0, 1, 2) }), []*Tensor{n(4, 5)}, GradCheck{}},
		{"Pad/zeros", one(func(x *Value) *Value { return Pad(x, []int{1, 2, -1, 3}, PadZeros) }), []*Tensor{n(2, 5, 4)}, GradCheck{}},
		{"Pad/reflect", one(func(x *Value) *Value { return Pad(x, []int{3, 2, 1, 4}, PadReflect) }), []*Tensor{n(2, 5, 4)}, GradCheck{}},
		{"Pad/replicate", one(func(x *Value) *Value { return Pad(x, []int{3, 2, 0, 7}, PadReplicate) }), []*Tensor{n(2, 5, 4)}, GradCheck{}},
		{"Pad/circular", one(func(x *Value) *Value { return Pad(x, []int{4, 2, 1, 5, 1, 1}, PadCircular) }), []*Tensor{n(3, 2, 5, 4)}, GradCheck{}},
		{"MatMul", two(MatMul), []*Tensor{n(3, 4, 5), n(3, 5, 2)}, GradCheck{}},
		{"MatMul/shared right", two(MatMul), []*Tensor{n(3, 4, 5), n(5, 2)}, GradCheck{}},
		{"MatMul/shared left", two(MatMul), []*Tensor{n(4, 5), n(3, 5, 2)}, GradCheck{}},
		{"MatMulT", two(MatMulT), []*Tensor{n(3, 4, 5), n(3, 2, 5)}, GradCheck{}},
		{"MatMulT/shared right", two(MatMulT), []*Tensor{n(3, 4, 5), n(2, 5)}, GradCheck{}},
		{"MatMulT/shared left", two(MatMulT), []*Tensor{n(4, 5), n(3, 2, 5)}, GradCheck{}},
		{"Linear", func(x []*Value) *Value { return Linear(x[0], x[1], x[2]) }, []*Tensor{n(2, 7, 5), n(3, 5, 1), n(3)}, GradCheck{}},
		{"Linear/no bias", func(x []*Value) *Value { return Linear(x[0], x[1], nil) }, []*Tensor{n(7, 5), n(3, 5)}, GradCheck{}},
		{"Perceptron", func(x []*Value) *Value { return Perceptron(x[0], x[1], x[2], x[3], x[4]) },
			[]*Tensor{n(2, 7, 5), n(3, 5), n(3), n(2, 3), n(2)}, GradCheck{Step: 0.03}},
		{"LinearGELU", func(x []*Value) *Value { return LinearGELU(x[0], x[1], x[2]) }, []*Tensor{n(2, 7, 5), n(3, 5), n(3)}, GradCheck{Step: 0.03}},
		{"LinearBranch", func(x []*Value) *Value { return LinearBranch(x[0], x[1], x[2], x[3], x[4]) }, []*Tensor{n(2, 7, 5), n(3, 5), n(3), n(3), n(2, 7, 3)}, GradCheck{}},
		{"LinearBranch/no bias", func(x []*Value) *Value { return LinearBranch(x[0], x[1], nil, x[2], x[3]) }, []*Tensor{n(7, 5), n(3, 5), n(3), n(7, 3)}, GradCheck{}},
		{"PerceptronBranch", func(x []*Value) *Value { return PerceptronBranch(x[0], x[1], x[2], x[3], x[4], x[5], x[6]) },
			[]*Tensor{n(2, 7, 5), n(4, 5), n(4), n(3, 4), n(3), n(3), n(2, 7, 3)}, GradCheck{Step: 0.03}},
		{"PerceptronBranch/no bias", func(x []*Value) *Value { return PerceptronBranch(x[0], x[1], nil, x[2], nil, x[3], x[4]) },
			[]*Tensor{n(7, 5), n(4, 5), n(3, 4), n(3), n(7, 3)}, GradCheck{Step: 0.03}},
		{"AddLast", two(AddLast), []*Tensor{n(2, 7, 5), n(5)}, GradCheck{}},
		{"MulLast", two(MulLast), []*Tensor{n(2, 7, 5), n(1, 5, 1)}, GradCheck{}},
		{"LayerNorm", func(x []*Value) *Value { return LayerNorm(x[0], x[1], x[2], 1e-5) }, []*Tensor{n(4, 11), n(11), n(11)}, GradCheck{}},
		{"LayerNorm/plain", one(func(x *Value) *Value { return LayerNorm(x, nil, nil, 1e-5) }), []*Tensor{n(4, 11)}, GradCheck{}},
		{"GroupNorm", func(x []*Value) *Value { return GroupNorm(x[0], 2, x[1], x[2], 1e-5) }, []*Tensor{n(2, 6, 3, 5), n(6), n(6)}, GradCheck{}},
		{"InstanceNorm", one(func(x *Value) *Value { return InstanceNorm(x, 1e-5) }), []*Tensor{n(2, 3, 3, 5)}, GradCheck{}},
		{"BatchNorm/train", func(x []*Value) *Value { return BatchNorm(x[0], x[1], x[2], nil, nil, nil, 0.1, 1e-5) },
			[]*Tensor{n(4, 3, 3, 5), n(3), n(3)}, GradCheck{Train: true}},
		{"BatchNorm/fixed", func(x []*Value) *Value { return BatchNorm(x[0], x[1], x[2], frozen, spread, nil, 0.1, 1e-5) },
			[]*Tensor{n(4, 3, 3, 5), n(3), n(3)}, GradCheck{}},
		{"BatchNorm/fixed, plain", one(func(x *Value) *Value { return BatchNorm(x, nil, nil, frozen, spread, nil, 0.1, 1e-5) }),
			[]*Tensor{n(4, 3, 7)}, GradCheck{}},
		{"Conv2d", func(x []*Value) *Value { return Conv2d(x[0], x[1], x[2], conv) }, []*Tensor{n(2, 4, 7, 9), n(6, 2, 3, 2), n(6)}, GradCheck{}},
		{"Conv2d/no bias", two(func(x, w *Value) *Value { return Conv2d(x, w, nil, ConvOptions{}) }), []*Tensor{n(2, 3, 5, 4), n(2, 3, 2, 3)}, GradCheck{}},
		{"ConvTranspose2d", func(x []*Value) *Value { return ConvTranspose2d(x[0], x[1], x[2], deconv) },
			[]*Tensor{n(2, 4, 3, 5), n(4, 3, 3, 2), n(6)}, GradCheck{}},
		{"Conv1d", func(x []*Value) *Value {
			return Conv1d(x[0], x[1], x[2], ConvOptions{Stride: [2]int{0, 2}, Padding: [2]int{0, 1}})
		},
			[]*Tensor{n(2, 3, 11), n(4, 3, 3), n(4)}, GradCheck{}},
		{"MaxPool2d", one(func(x *Value) *Value { return MaxPool2d(x, [2]int{3, 2}, [2]int{2, 1}, [2]int{1, 0}) }), []*Tensor{distinct(rng, 2, 2, 7, 5)}, GradCheck{}},
		{"GlobalAvgPool", one(GlobalAvgPool), []*Tensor{n(2, 3, 5, 7)}, GradCheck{}},
		{"Resize/nearest", one(func(x *Value) *Value { return Resize(x, []int{8, 3}, Interpolation{}) }), []*Tensor{n(2, 5, 7)}, GradCheck{}},
		{"Resize/linear", one(func(x *Value) *Value { return Resize(x, []int{8, 3}, Interpolation{Mode: InterpolateLinear}) }), []*Tensor{n(2, 5, 7)}, GradCheck{}},
		{"Resize/cubic", one(func(x *Value) *Value {
			return Resize(x, []int{3, 8, 3}, Interpolation{Mode: InterpolateCubic, AlignCorners: true})
		}), []*Tensor{n(4, 5, 7)}, GradCheck{}},
		{"Attention", func(x []*Value) *Value { return Attention(x[0], x[1], x[2]) }, []*Tensor{n(2, 3, 5, 4), n(2, 3, 7, 4), n(2, 3, 7, 6)}, GradCheck{}},
		{"SelfAttention", one(func(x *Value) *Value { return SelfAttention(x, 2, nil) }), []*Tensor{n(2, 5, 18)}, GradCheck{}},
		{"SelfAttention/turned", one(func(x *Value) *Value { return SelfAttention(x, 2, turns) }), []*Tensor{n(2, 5, 24)}, GradCheck{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, CheckGrad(c.c, c.f, c.x...))
			// A second use of every input takes the paths that add to a gradient.
			again := func(x []*Value) *Value { return Add(c.f(x), Scale(c.f(x), 0.5)) }
			require.NoError(t, CheckGrad(c.c, again, c.x...), "used twice")
			if len(c.x) == 1 {
				return
			}
			// Inputs that need no gradient get none, the others the same.
			whole := gradients(c.c, c.f, c.x, -1)
			for i := range c.x {
				part := gradients(c.c, c.f, c.x, i)
				for j := range c.x {
					if i == j {
						require.Nil(t, part[j])
					} else {
						require.Equal(t, whole[j], part[j], "input %d, with %d constant", j, i)
					}
				}
			}
		})
	}
}

// gradients returns the gradients of the sum of the squares of f at x; input number fixed is a constant.
func gradients(c GradCheck, f func(x []*Value) *Value, x []*Tensor, fixed int) []*Tensor {
	tape := &Tape{Train: c.Train, Rand: rand.New(rand.NewPCG(3, 4))}
	in := make([]*Value, len(x))
	for i := range x {
		if i == fixed {
			in[i] = tape.Const(x[i])
		} else {
			in[i] = tape.Input(x[i])
		}
	}
	g := Sum(Square(f(in))).Backward()
	out := make([]*Tensor, len(x))
	for i, v := range in {
		out[i] = g.Wrt(v)
	}
	return out
}

func TestCheckGradFindsMistakes(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	x := normal(rng, 4, 9)
	start := x.Clone()
	// cube is x^3 with a gradient that spoil may change.
	cube := func(spoil func(gx []float32)) func(x []*Value) *Value {
		return func(x []*Value) *Value {
			v := x[0]
			out := v.Tape().Alloc(v.Shape...)
			for i, a := range v.Data {
				out.Data[i] = a * a * a
			}
			return Record("cube", out, x, BackwardFunc(func(g *Grads, gy []float32) {
				gx := g.Zeroed(v)
				for i, a := range v.Data {
					gx[i] += 3 * a * a * gy[i]
				}
				spoil(gx)
			}))
		}
	}
	require.NoError(t, CheckGrad(GradCheck{Tol: 2e-5}, cube(func([]float32) {}), x))
	require.Error(t, CheckGrad(GradCheck{}, cube(func(gx []float32) { clear(gx) }), x), "no gradient")
	require.Error(t, CheckGrad(GradCheck{}, cube(func(gx []float32) { gx[7] += 0.1 }), x), "one element off")
	require.Error(t, CheckGrad(GradCheck{}, cube(func(gx []float32) {
		for i := range gx {
			gx[i] *= 1.003
		}
	}), x), "wrong by a factor")
	require.Error(t, CheckGrad(GradCheck{}, func(x []*Value) *Value {
		return Add(x[0], x[0].Tape().Const(x[0].Tensor))
	}, x), "half of the gradient lost")
	require.Equal(t, start, x, "the point is put back")

	p := NewParam(5)
	copy(p.Data, normal(rng, 5).Data)
	scale := func(x []*Value) *Value { return MulLast(x[0], x[0].Tape().Param(p)) }
	require.NoError(t, CheckGrad(GradCheck{Params: []*Param{p}}, scale, normal(rng, 3, 5)))
	bad := func(x []*Value) *Value { return MulLast(x[0], x[0].Tape().Const(p.Tensor)) }
	require.ErrorContains(t, CheckGrad(GradCheck{Params: []*Param{p}}, bad, normal(rng, 3, 5)), "parameter 0")
}

// TestCheckGradNamesTheWorst spoils the gradients of two of three tensors, the second by more.
func TestCheckGradNamesTheWorst(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	model := &struct {
		Small, Big, Frozen *Param
	}{NewParam(5), NewParam(5), NewParam(5)}
	for _, p := range Params(model) {
		copy(p.Data, normal(rng, 5).Data)
	}
	model.Frozen.Frozen = true
	// scale is x times p with a gradient of p that is wrong by a factor.
	scale := func(x *Value, p *Param, wrong float32) *Value {
		v := x.Tape().Param(p)
		return Record("scale", MulLast(x, v).Tensor, []*Value{v}, BackwardFunc(func(g *Grads, gy []float32) {
			for i, gx := range gy {
				g.Zeroed(v)[i%5] += gx * x.Data[i] * wrong
			}
		}))
	}
	fixed := normal(rng, 1, 5)
	f := func(small, big float32) func(x []*Value) *Value {
		return func(x []*Value) *Value {
			c := x[0].Tape().Const(fixed)
			return Add(Add(scale(c, model.Small, small), scale(c, model.Big, big)), MulLast(x[0], x[0].Tape().Param(model.Frozen)))
		}
	}
	for _, c := range []struct {
		small, big float32
		want       string
	}{{1.1, 2, "parameter big [5]"}, {3, 1.1, "parameter small [5]"}, {1.1, float32(math.NaN()), "parameter big [5]"}} {
		require.ErrorContains(t, CheckGrad(GradCheck{Model: model}, f(c.small, c.big), normal(rng, 1, 5)), c.want)
	}
}
