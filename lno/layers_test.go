package lno_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/lno"
)

func normal(rng *rand.Rand, shape ...int) *autograd.Tensor {
	t := autograd.New(shape...)
	nn.Normal(t, 0, 1, rng)
	return t
}

func params(model any) (list []*autograd.Param) {
	for _, p := range autograd.Params(model) {
		list = append(list, p)
	}
	return list
}

func one(f func(x *autograd.Value) *autograd.Value) func(in []*autograd.Value) *autograd.Value {
	return func(in []*autograd.Value) *autograd.Value { return f(in[0]) }
}

var paddings = []lno.Padding{"", lno.Periodic, lno.Zeros, lno.Replicate, lno.Reflect}

func TestDifferentialGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i, c := range []lno.DifferentialConfig{
		{In: 2, Out: 3, Dim: 1},
		{In: 2, Out: 3, Dim: 2},
		{In: 4, Out: 2, Dim: 2, Kernel: 5, Groups: 2},
		{In: 2, Out: 2, Dim: 3, Groups: 2},
		{In: 3, Out: 2, Dim: 3},
	} {
		c.Padding = paddings[i]
		l, err := lno.NewDifferential(c, rng)
		require.NoError(t, err)
		x := normal(rng, append(append([]int{2}, []int{5, 6, 4}[:c.Dim]...), c.In)...)
		require.NoError(t, autograd.CheckGrad(autograd.GradCheck{Params: params(l)}, one(func(x *autograd.Value) *autograd.Value { return l.Forward(x, 0.7) }), x), "%+v", c)
	}
}

func TestIntegralGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for i, c := range []lno.IntegralConfig{
		{In: 2, Out: 3},
		{In: 4, Out: 2, Groups: 2, Stride: [2]int{2, 1}, Basis: lno.Basis{Shape: []int{3}}},
		{In: 1, Out: 2, NoBias: true, Basis: lno.Basis{Kind: lno.Zernike, Shape: []int{2}}},
		{In: 2, Out: 2, Stride: [2]int{3, 2}, Radius: 0.6, Domain: [2]float64{1, 2}},
		{In: 2, Out: 1, Basis: lno.Basis{Kind: lno.Morlet, Shape: []int{2, 1}}},
		{In: 2, Out: 1, Radius: 0.75, Defects: lno.ReferenceIntegralDefects()}, // an even window
	} {
		c.Padding = paddings[i%len(paddings)]
		c.Grid = [2]int{6, 6}
		l, err := lno.NewIntegral(c, rng)
		require.NoError(t, err, "%+v", c)
		require.NoError(t, autograd.CheckGrad(autograd.GradCheck{Params: params(l)}, one(l.Forward), normal(rng, 2, 6, 6, c.In)), "%+v", c)
	}
}

// extended returns x at a point that may lie outside of n0 x n1 points.
func extended(p lno.Padding, x *autograd.Tensor, i, j int) float64 {
	outside := false
	fold := func(i, n int) int {
		if i >= 0 && i < n {
			return i
		}
		outside = true
		switch p {
		case lno.Replicate:
			return min(max(i, 0), n-1)
		case lno.Reflect:
			if i < 0 {
				return -i
			}
			return 2*(n-1) - i
		}
		return (i + n) % n
	}
	i, j = fold(i, x.Shape[1]), fold(j, x.Shape[2])
	if outside && p == lno.Zeros {
		return 0
	}
	return float64(x.At(0, i, j, 0))
}

// The sum over samples of the functions, on the padded grid, for every padding, basis and stride.
func TestIntegralSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const n0, n1 = 12, 9
	for _, p := range paddings {
		for _, b := range []lno.Basis{{}, {Shape: []int{3, 5}}, {Kind: lno.Morlet, Shape: []int{2, 2}}, {Kind: lno.Zernike}} {
			for _, stride := range [][2]int{{1, 1}, {2, 3}} {
				c := lno.IntegralConfig{In: 1, Out: 1, Grid: [2]int{n0, n1}, Stride: stride, Radius: 0.8, Basis: b, Padding: p}
				l, err := lno.NewIntegral(c, rng)
				require.NoError(t, err)
				l.Bias.Data[0] = 0.25
				x := normal(rng, 1, n0, n1, 1)
				tape := &autograd.Tape{NoGrad: true}
				y := l.Forward(tape.Const(x))
				require.Equal(t, []int{1, (n0 + stride[0] - 1) / stride[0], (n1 + stride[1] - 1) / stride[1], 1}, y.Shape)
				// From the definition, on cells of 2/n0 x 2/n1.
				size := make([]float64, b.Len())
				each := func(f func(k, di, dj int, psi float64)) {
					for di := -n0; di <= n0; di++ {
						for dj := -n1; dj <= n1; dj++ {
							yy, xx := 2*float64(di)/n0, 2*float64(dj)/n1
							if r := math.Hypot(xx, yy) / 0.8; r <= 1 {
								for k := range b.Len() {
									f(k, di, dj, b.At(k, r, math.Atan2(yy, xx)))
								}
							}
						}
					}
				}
				each(func(k, _, _ int, psi float64) { size[k] += math.Abs(psi) })
				for i := range y.Shape[1] {
					for j := range y.Shape[2] {
						want := 0.25
						each(func(k, di, dj int, psi float64) {
							want += float64(l.Weight.Data[k]) * psi / size[k] * extended(p, x, i*stride[0]+di, j*stride[1]+dj)
						})
						require.InDelta(t, want, float64(y.At(0, i, j, 0)), 1e-5, "%+v", c)
					}
				}
			}
		}
	}
}

// A basis function that grid points do not see is an error, and the reference's default radius is such a case.
func TestIntegralWithoutSupport(t *testing.T) {
	c := lno.IntegralConfig{In: 1, Out: 1, Grid: [2]int{16, 16}, Defects: lno.IntegralDefects{OneCell: true}}
	_, err := lno.NewIntegral(c, nil)
	require.ErrorContains(t, err, "lno: function 1 of 4 of the basis is zero, or a sum of the others, on all points of a disc of radius 0.125 over cells of 0.125 x 0.125; want a radius of several cells, 0.3125 here")
	c.Defects = lno.IntegralDefects{}
	l, err := lno.NewIntegral(c, nil)
	require.NoError(t, err)
	require.InDelta(t, 2.5*0.125, l.Config.Radius, 1e-12)
	require.NoError(t, l.CheckGrid(16, 32))
	require.ErrorContains(t, l.CheckGrid(5, 5), "lno: function 1 of 4 of the basis is zero, or a sum of the others, on all points of a disc of radius 0.3125 over cells of 0.4 x 0.4")
	tape := &autograd.Tape{}
	require.Panics(t, func() { l.Forward(tape.Input(autograd.New(1, 5, 5, 1))) })
}

// The reference's functions without support are exactly zero here, so that nothing but the point itself counts.
func TestReferenceWithoutSupport(t *testing.T) {
	l, err := lno.NewIntegral(lno.IntegralConfig{In: 1, Out: 1, Grid: [2]int{70, 70}, Defects: lno.ReferenceIntegralDefects()}, nil)
	require.NoError(t, err)
	s, err := l.Samples(70, 70)
	require.NoError(t, err)
	require.Equal(t, []int{5, 3, 3}, s.Shape)
	for i, v := range s.Data {
		if i == 4 || i == 2*9+4 {
			require.InDelta(t, 1, v, 1e-4)
		} else {
			require.Zero(t, v, i)
		}
	}
}

// Samples that are all zero leave the bias.
func TestIntegralOfNothing(t *testing.T) {
	c := lno.IntegralConfig{In: 1, Out: 1, Grid: [2]int{8, 8}, Basis: lno.Basis{Shape: []int{1}},
		Defects: lno.IntegralDefects{Spread: true, FixedGrid: true, Table: [][][]float32{{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}}}}
	l, err := lno.NewIntegral(c, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	l.Bias.Data[0] = 1.5
	tape := &autograd.Tape{}
	for range 2 {
		tape.Reset()
		y := l.Forward(tape.Input(normal(rand.New(rand.NewPCG(3, 4)), 1, 8, 8, 1)))
		require.Equal(t, slices.Repeat([]float32{1.5}, 64), y.Data)
		for i := range y.Data {
			y.Data[i] = 9 // what the next pass finds in its memory
		}
	}
}

// A quarter turn of function and kernel is one of the result.
func TestIntegralTurns(t *testing.T) {
	const n = 12
	rng := rand.New(rand.NewPCG(7, 8))
	l, err := lno.NewIntegral(lno.IntegralConfig{In: 1, Out: 1, Grid: [2]int{n, n}, Radius: 0.5}, rng)
	require.NoError(t, err)
	x, turned := normal(rng, 1, n, n, 1), autograd.New(1, n, n, 1)
	at := func(i int) int { return (i%n + n) % n }
	for i := range n {
		for j := range n {
			turned.Set(x.At(0, i, j, 0), 0, j, at(-i), 0) // the last axis onto the first, the first onto minus the last
		}
	}
	tape := &autograd.Tape{NoGrad: true}
	before := l.Forward(tape.Const(x)).Clone()
	w := l.Weight.Data
	w[0], w[1], w[2], w[3] = w[3], w[0], w[1], w[2]
	after := l.Forward(tape.Const(turned))
	for i := range n {
		for j := range n {
			require.InDelta(t, before.At(0, i, j, 0), after.At(0, j, at(-i), 0), 1e-5)
		}
	}
}

// Groups do not see each other.
func TestGroups(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	d, err := lno.NewDifferential(lno.DifferentialConfig{In: 4, Out: 6, Dim: 2, Groups: 2}, rng)
	require.NoError(t, err)
	l, err := lno.NewIntegral(lno.IntegralConfig{In: 4, Out: 6, Grid: [2]int{8, 8}, Groups: 2}, rng)
	require.NoError(t, err)
	x := normal(rng, 1, 8, 8, 4)
	other := x.Clone()
	for i := 2; i < len(other.Data); i += 4 {
		other.Data[i] *= 2
	}
	for _, f := range []func(x *autograd.Value) *autograd.Value{func(x *autograd.Value) *autograd.Value { return d.Forward(x, 1) }, l.Forward} {
		tape := &autograd.Tape{NoGrad: true}
		a, b := f(tape.Const(x)), f(tape.Const(other))
		differs := 0
		for i := range a.Data {
			if i%6 < 3 {
				require.Equal(t, a.Data[i], b.Data[i])
			} else if a.Data[i] != b.Data[i] {
				differs++
			}
		}
		require.Positive(t, differs)
	}
}

func TestLayersRefuse(t *testing.T) {
	for _, c := range []lno.DifferentialConfig{{Out: 1, Dim: 1}, {In: 1, Out: 1}, {In: 1, Out: 1, Dim: 4}, {In: 1, Out: 1, Dim: 1, Kernel: 4},
		{In: 1, Out: 1, Dim: 1, Kernel: 1}, {In: 2, Out: 1, Dim: 1, Groups: 2}, {In: 1, Out: 1, Dim: 1, Padding: "mirror"}} {
		_, err := lno.NewDifferential(c, nil)
		require.ErrorContains(t, err, "lno: ", fmt.Sprint(c))
	}
	grid := [2]int{16, 16}
	table := [][][]float32{{{1}}}
	for _, c := range []lno.IntegralConfig{{Out: 1, Grid: grid}, {In: 1, Out: 1}, {In: 1, Out: 1, Grid: grid, Stride: [2]int{17, 1}},
		{In: 1, Out: 1, Grid: grid, Radius: -1}, {In: 1, Out: 1, Grid: grid, Radius: math.NaN()}, {In: 1, Out: 1, Grid: grid, Radius: 1e9},
		{In: 1, Out: 1, Grid: grid, Domain: [2]float64{1, -1}}, {In: 1, Out: 3, Grid: grid, Groups: 2}, {In: 1, Out: 1, Grid: grid, Padding: "mirror"},
		{In: 1, Out: 1, Grid: grid, Basis: lno.Basis{Kind: "haar"}}, {In: 1, Out: 1, Grid: grid, Defects: lno.IntegralDefects{Table: table}},
		{In: 1, Out: 1, Grid: grid, Defects: lno.IntegralDefects{Table: table, Spread: true, FixedGrid: true}},
		{In: 1, Out: 1, Grid: grid, Radius: 1e9, Defects: lno.IntegralDefects{Spread: true}},
		{In: 1, Out: 1, Grid: grid, Basis: lno.Basis{Shape: []int{1}}, Defects: lno.IntegralDefects{Table: [][][]float32{{{1, 2}, {3}}}, Spread: true, FixedGrid: true}},
	} {
		_, err := lno.NewIntegral(c, nil)
		require.ErrorContains(t, err, "lno: ", fmt.Sprintf("%+v", c))
	}
	for _, c := range []interface{ Check() error }{lno.DifferentialConfig{}, lno.IntegralConfig{}} {
		require.EqualError(t, c.Check(), "lno: 0 input and 0 output channels; want at least 1")
	}
	tape := &autograd.Tape{}
	d, err := lno.NewDifferential(lno.DifferentialConfig{In: 2, Out: 1, Dim: 2, Kernel: 7, Padding: lno.Reflect}, nil)
	require.NoError(t, err)
	require.PanicsWithValue(t, "lno: Differential: shape [1 8 8 3]; want batch, 2 axes, 2 channels", func() { d.Forward(tape.Input(autograd.New(1, 8, 8, 3)), 1) })
	require.Panics(t, func() { d.Forward(tape.Input(autograd.New(1, 8, 8, 2)), 0) })
	require.PanicsWithValue(t, "lno: a grid of [3 8] points is too small for kernels that reach 3 points along axis 0", func() { d.Forward(tape.Input(autograd.New(1, 3, 8, 2)), 1) })
}
