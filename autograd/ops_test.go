package autograd

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// eachIndex calls f with every index of a shape, in row-major order.
func eachIndex(shape []int, f func(index []int)) {
	index := make([]int, len(shape))
	for range sizeOf(shape) {
		f(index)
		for a := len(shape) - 1; a >= 0; a-- {
			if index[a]++; index[a] < shape[a] {
				break
			}
			index[a] = 0
		}
	}
}

// permutations calls f with every order of 0 .. n-1.
func permutations(n int, f func(p []int)) {
	var grow func(p []int)
	grow = func(p []int) {
		if len(p) == n {
			f(p)
			return
		}
	next:
		for i := range n {
			for _, q := range p {
				if q == i {
					continue next
				}
			}
			grow(append(append([]int{}, p...), i))
		}
	}
	grow(nil)
}

func TestPermuteOrders(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	tape := &Tape{}
	for _, shape := range [][]int{{}, {5}, {3, 4}, {2, 3, 4}, {2, 3, 4, 5}, {1, 3, 1, 4}, {2, 1, 3, 2, 3}, {70, 3, 45}, {0, 2, 3}} {
		x := tape.Input(normal(rng, shape...))
		permutations(len(shape), func(p []int) {
			y := Permute(x, p...)
			from := make([]int, len(shape))
			eachIndex(y.Shape, func(to []int) {
				for i, a := range p {
					from[a] = to[i]
				}
				require.Equal(t, x.At(from...), y.At(to...), "%v by %v", shape, p)
			})
		})
		tape.Reset()
	}
	x := tape.Input(normal(rng, 2, 3, 4, 5))
	require.Equal(t, []int{2, 4, 5, 3}, ChannelsLast(x).Shape)
	require.Equal(t, x.Data, ChannelsFirst(ChannelsLast(x)).Data)
	require.Equal(t, x.At(1, 2, 3, 4), ChannelsLast(x).At(1, 3, 4, 2))
}

func TestReductionsAndBroadcast(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	tape := &Tape{}
	for _, shape := range [][]int{{7}, {3, 5}, {2, 1, 3}, {3, 4, 2, 5}, {2, 3, 130}, {67, 3, 4}, {300, 200}} {
		x := tape.Input(normal(rng, shape...))
		for set := range 1 << len(shape) {
			var axes []int
			kept := append([]int{}, shape...)
			for a := range shape {
				if set&(1<<a) != 0 {
					axes = append(axes, a-len(shape)*(a%2)) // counted from the front and from the back
					kept[a] = 1
				}
			}
			want, n := make([]float64, sizeOf(kept)), float64(x.Len()/sizeOf(kept))
			to := New(kept...)
			small := make([]int, len(shape))
			eachIndex(shape, func(i []int) {
				for a := range i {
					small[a] = min(i[a], kept[a]-1)
				}
				want[to.offset(small)] += float64(x.At(i...))
			})
			sum, mean := SumAxes(x, true, axes...), MeanAxes(x, false, axes...)
			require.Equal(t, kept, sum.Shape)
			require.Len(t, mean.Shape, len(shape)-len(axes))
			for i, w := range want {
				require.InDelta(t, w, sum.Data[i], 1e-6*n+1e-6*math.Abs(w), "%v over %v", shape, axes)
				require.InDelta(t, w/n, mean.Data[i], 1e-6, "%v over %v", shape, axes)
			}
			full := Broadcast(sum, shape...)
			eachIndex(shape, func(i []int) {
				for a := range i {
					small[a] = min(i[a], kept[a]-1)
				}
				require.Equal(t, sum.At(small...), full.At(i...))
			})
		}
		tape.Reset()
	}
	row := tape.Input(normal(rng, 3))
	require.Equal(t, row.Data, Broadcast(row, 2, 2, 3).Data[9:])
	require.Same(t, row, Broadcast(row, 3), "nothing to do")
	scalar := tape.Input(FromSlice([]float32{4}))
	require.Equal(t, []float32{4, 4}, Broadcast(scalar, 2).Data)
	require.Zero(t, SumAxes(tape.Input(New(2, 0)), false, 1).Data[0])
}

func TestConcatAndNarrow(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	tape := &Tape{}
	x := tape.Input(normal(rng, 3, 4, 5))
	for axis := range 3 {
		n := x.Shape[axis]
		a, b := Narrow(x, axis, 0, 1), Narrow(x, axis-3, 1, n-1)
		require.Equal(t, x.Data, Concat(axis, a, b).Data)
		index := []int{0, 0, 0}
		index[axis] = 1
		require.Equal(t, x.At(index...), b.Data[0])
	}
	require.Same(t, x, Narrow(x, 1, 0, 4), "the whole axis")
	first := Narrow(x, 0, 1, 2)
	require.Same(t, &x.Data[20], &first.Data[0], "no copy along the first axis")
}

// A batch of none goes through, and back.
func TestConcatAndNarrowOfNoBatch(t *testing.T) {
	tape := &Tape{}
	a, b := tape.Input(New(0, 3)), tape.Input(New(0, 2))
	y := Concat(1, a, b)
	require.Equal(t, []int{0, 5}, y.Shape)
	z := Narrow(y, 1, 1, 3)
	require.Equal(t, []int{0, 3}, z.Shape)
	g := tape.Backward(Seed{z, nil})
	require.Empty(t, g.Wrt(a).Data)
	require.Empty(t, g.Wrt(b).Data)
}

func TestDropout(t *testing.T) {
	tape := trainingTape()
	x := tape.Input(New(400, 250))
	for i := range x.Data {
		x.Data[i] = 1
	}
	y := Dropout(x, 0.2)
	zeros := 0
	for _, v := range y.Data {
		if v == 0 {
			zeros++
		} else {
			require.Equal(t, float32(1.25), v)
		}
	}
	require.InDelta(t, 0.2, float64(zeros)/float64(y.Len()), 0.005) // four standard deviations
	require.NotEqual(t, y.Data, Dropout(x, 0.2).Data, "every call draws anew")
	require.Equal(t, y.Data, Sum(y).Backward().Wrt(x).Data, "the gradient has the same mask")
	require.Same(t, x, Dropout(x, 0))
	still := (&Tape{}).Input(New(3))
	require.Same(t, still, Dropout(still, 0.9), "not in training")
}

func TestBatchNormStatistics(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	mean, variance, count := NewBuffer(0, 3), NewBuffer(1, 3), NewCounter()
	x := normal(rng, 4, 3, 5)
	tape := &Tape{Train: true}
	y := BatchNorm(tape.Input(x), nil, nil, mean, variance, count, 0.1, 1e-5)
	require.Equal(t, int64(1), count.Ints[0])
	for c := range 3 {
		var m, v, ym, yv float64
		for b := range 4 {
			for i := range 5 {
				m += float64(x.At(b, c, i)) / 20
				ym += float64(y.At(b, c, i)) / 20
			}
		}
		for b := range 4 {
			for i := range 5 {
				v += math.Pow(float64(x.At(b, c, i))-m, 2) / 19
				yv += math.Pow(float64(y.At(b, c, i))-ym, 2) / 20
			}
		}
		require.InDelta(t, 0, ym, 1e-6)
		require.InDelta(t, 1, yv, 1e-4)
		require.InDelta(t, 0.1*m, mean.Data[c], 1e-6)
		require.InDelta(t, 0.9+0.1*v, variance.Data[c], 1e-6)
	}
	// Evaluation takes the running statistics and leaves them.
	before := *mean
	eval := &Tape{}
	z := BatchNorm(eval.Input(x), nil, nil, mean, variance, count, 0.1, 1e-5)
	require.Equal(t, before.Data, mean.Data)
	require.Equal(t, int64(1), count.Ints[0])
	want := (float64(x.At(2, 1, 3)) - float64(mean.Data[1])) / math.Sqrt(float64(variance.Data[1])+1e-5)
	require.InDelta(t, want, z.At(2, 1, 3), 1e-6)
}

// Operations that do the work of several agree with those, values and gradients.
func TestFused(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		name           string
		fused, unfused func(x []*Value) *Value
		x              []*Tensor
	}{
		{"LinearGELU",
			func(x []*Value) *Value { return LinearGELU(x[0], x[1], x[2]) },
			func(x []*Value) *Value { return GELU(AddLast(MatMulT(x[0], x[1]), x[2])) },
			[]*Tensor{normal(rng, 2, 37, 19), normal(rng, 23, 19), normal(rng, 23)}},
		{"Linear",
			func(x []*Value) *Value { return Linear(x[0], x[1], x[2]) },
			func(x []*Value) *Value { return AddLast(MatMul(x[0], Permute(x[1], 1, 0)), x[2]) },
			[]*Tensor{normal(rng, 2, 37, 19), normal(rng, 23, 19), normal(rng, 23)}},
		{"MulLast",
			func(x []*Value) *Value { return MulLast(x[0], x[1]) },
			func(x []*Value) *Value { return Mul(x[0], Broadcast(x[1], 3, 11, 7)) },
			[]*Tensor{normal(rng, 3, 11, 7), normal(rng, 7)}},
		{"AddLast",
			func(x []*Value) *Value { return AddLast(x[0], x[1]) },
			func(x []*Value) *Value { return Add(x[0], Broadcast(x[1], 3, 11, 7)) },
			[]*Tensor{normal(rng, 3, 11, 7), normal(rng, 7)}},
		{"Attention",
			func(x []*Value) *Value { return Attention(x[0], x[1], x[2]) },
			func(x []*Value) *Value {
				return MatMul(Softmax(Scale(MatMulT(x[0], x[1]), float32(1/math.Sqrt(5)))), x[2])
			},
			[]*Tensor{normal(rng, 2, 11, 5), normal(rng, 2, 13, 5), normal(rng, 2, 13, 3)}},
		{"SelfAttention",
			func(x []*Value) *Value { return SelfAttention(x[0], 2, nil) },
			func(x []*Value) *Value {
				s := Permute(Reshape(x[0], 3, 11, 3, 2, 5), 2, 0, 3, 1, 4)
				y := Attention(Narrow(s, 0, 0, 1), Narrow(s, 0, 1, 1), Narrow(s, 0, 2, 1))
				return Reshape(Permute(Reshape(y, 3, 2, 11, 5), 0, 2, 1, 3), 3, 11, 10)
			},
			[]*Tensor{normal(rng, 3, 11, 30)}},
		{"LinearBranch",
			func(x []*Value) *Value { return LinearBranch(x[0], x[1], x[2], x[3], x[4]) },
			func(x []*Value) *Value { return Add(x[4], MulLast(Linear(x[0], x[1], x[2]), x[3])) },
			[]*Tensor{normal(rng, 2, 37, 19), normal(rng, 23, 19), normal(rng, 23), normal(rng, 23), normal(rng, 2, 37, 23)}},
		{"PerceptronBranch",
			func(x []*Value) *Value { return PerceptronBranch(x[0], x[1], x[2], x[3], x[4], x[5], x[6]) },
			func(x []*Value) *Value { return LinearBranch(LinearGELU(x[0], x[1], x[2]), x[3], x[4], x[5], x[6]) },
			[]*Tensor{normal(rng, 2, 37, 19), normal(rng, 41, 19), normal(rng, 41), normal(rng, 23, 41), normal(rng, 23), normal(rng, 23), normal(rng, 2, 37, 23)}},
		{"1x1 convolution",
			func(x []*Value) *Value { return Conv2d(x[0], Reshape(x[1], 23, 19, 1, 1), x[2], ConvOptions{}) },
			func(x []*Value) *Value { return ChannelsFirst(Linear(ChannelsLast(x[0]), x[1], x[2])) },
			[]*Tensor{normal(rng, 2, 19, 5, 7), normal(rng, 23, 19), normal(rng, 23)}},
		{"patches",
			func(x []*Value) *Value { return Conv2d(x[0], x[1], x[2], ConvOptions{Stride: [2]int{2, 3}}) },
			func(x []*Value) *Value {
				p := Permute(Reshape(x[0], 2, 3, 4, 2, 5, 3), 0, 2, 4, 1, 3, 5)
				return ChannelsFirst(Reshape(Linear(Reshape(p, 40, 18), Reshape(x[1], 6, 18), x[2]), 2, 4, 5, 6))
			},
			[]*Tensor{normal(rng, 2, 3, 8, 15), normal(rng, 6, 3, 2, 3), normal(rng, 6)}},
		{"InstanceNorm",
			func(x []*Value) *Value { return InstanceNorm(x[0], 1e-5) },
			func(x []*Value) *Value {
				return Reshape(LayerNorm(Reshape(x[0], 2, 3, 35), nil, nil, 1e-5), 2, 3, 5, 7)
			},
			[]*Tensor{normal(rng, 2, 3, 5, 7)}},
		{"GroupNorm of one group",
			func(x []*Value) *Value { return GroupNorm(x[0], 1, x[1], x[2], 1e-5) },
			func(x []*Value) *Value {
				h := Reshape(LayerNorm(Reshape(x[0], 2, 105), nil, nil, 1e-5), 2, 3, 35)
				return Reshape(ChannelsFirst(AddLast(MulLast(ChannelsLast(h), x[1]), x[2])), 2, 3, 5, 7)
			},
			[]*Tensor{normal(rng, 2, 3, 5, 7), normal(rng, 3), normal(rng, 3)}},
	} {
		run := func(f func(x []*Value) *Value) [][]float32 {
			tape := &Tape{}
			in := make([]*Value, len(c.x))
			for i := range in {
				in[i] = tape.Input(c.x[i])
			}
			y := f(in)
			seed := normal(rand.New(rand.NewPCG(9, 9)), y.Len()) // squares would do for none of the norms: their sum is fixed
			g := tape.Backward(Seed{y, seed.Data})
			out := [][]float32{y.Data}
			for _, v := range in {
				out = append(out, g.Wrt(v).Data)
			}
			return out
		}
		fused, unfused := run(c.fused), run(c.unfused)
		for i := range fused {
			require.Len(t, fused[i], len(unfused[i]))
			largest := 0.0
			for _, v := range unfused[i] {
				largest = max(largest, math.Abs(float64(v)))
			}
			for j, v := range fused[i] {
				require.InDelta(t, unfused[i][j], v, 5e-6*largest, "%s: result %d", c.name, i)
			}
		}
	}
}

// Attention works in blocks of queries and keys, of which the last may be smaller.
func TestAttentionInBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const n, m = 301, 1500
	q, k, v := normal(rng, 2, n, 3), normal(rng, 2, m, 3), normal(rng, 2, m, 2)
	seed := normal(rng, 2, n, 2)
	run := func(f func(q, k, v *Value) *Value) [][]float32 {
		tape := &Tape{}
		in := []*Value{tape.Input(q), tape.Input(k), tape.Input(v)}
		y := f(in[0], in[1], in[2])
		g := tape.Backward(Seed{y, seed.Data})
		return [][]float32{y.Data, g.Wrt(in[0]).Data, g.Wrt(in[1]).Data, g.Wrt(in[2]).Data}
	}
	got := run(Attention)
	for i, want := range run(func(q, k, v *Value) *Value {
		return MatMul(Softmax(Scale(MatMulT(q, k), float32(1/math.Sqrt(3)))), v)
	}) {
		require.InDeltaSlice(t, want, got[i], 2e-5, "result %d", i)
	}
}

func TestAttentionOfOneKey(t *testing.T) {
	tape := &Tape{}
	v := tape.Const(FromSlice([]float32{3, 4}, 1, 2))
	y := Attention(tape.Const(New(5, 7)), tape.Const(New(1, 7)), v)
	require.Equal(t, []float32{3, 4, 3, 4, 3, 4, 3, 4, 3, 4}, y.Data)
}
