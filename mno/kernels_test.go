package mno

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

type value = autograd.Value

func normal(seed uint64, std float64, shape ...int) *autograd.Tensor {
	x := autograd.New(shape...)
	nn.Normal(x, 0, std, rand.New(rand.NewPCG(seed, 1)))
	return x
}

func kernel2d(t *testing.T, in, hidden, modes int, overlap bool) *FourierKernel2d {
	k, err := newFourierKernel2d(in, hidden, 3, modes, overlap, rand.New(rand.NewPCG(5, 6)))
	require.NoError(t, err)
	return k
}

func TestGradientsOfTransform(t *testing.T) {
	for _, c := range []struct {
		dim, k   int
		diagonal bool
		shape    []int
	}{{1, 3, false, []int{2, 6, 6}}, {2, 2, false, []int{2, 4, 6, 8}}, {2, 2, true, []int{1, 2, 4, 4}}} {
		f, err := NewFilters(Legendre, c.k)
		require.NoError(t, err)
		b := NewBank[float32](f, c.dim, c.diagonal)
		require.NoError(t, autograd.CheckGrad(autograd.GradCheck{}, func(x []*value) *value {
			s, d := Decompose(b, x[0])
			// s enters twice, so that its gradient arrives in parts.
			return Reconstruct(b, autograd.Add(s, autograd.Square(s)), autograd.Mul(d, d))
		}, normal(1, 0.5, c.shape...)))
	}
}

func TestReconstructRefusesShapes(t *testing.T) {
	f, err := NewFilters(Legendre, 2)
	require.NoError(t, err)
	b := NewBank[float32](f, 1, false)
	tape := &autograd.Tape{}
	require.PanicsWithValue(t, "mno: Decompose: shape [1 5 2]; want batch, 1 even sides and a multiple of 2 coefficients",
		func() { Decompose(b, tape.Const(autograd.New(1, 5, 2))) })
	require.Panics(t, func() { Reconstruct(b, tape.Const(autograd.New(1, 5, 2)), tape.Const(autograd.New(1, 5, 4))) })
}

// The linear parts of the kernels, on grids with more and with fewer points than modes.
func TestGradientsOfKernels(t *testing.T) {
	line, err := newFourierKernel1d(4, 3, 4, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	for _, n := range []int{1, 2, 5, 12} {
		require.NoError(t, autograd.CheckGrad(autograd.GradCheck{Params: []*autograd.Param{line.Weight}}, func(x []*value) *value {
			return line.Forward(x[0])
		}, normal(2, 1, 2, n, 4)), n)
	}
	for _, overlap := range []bool{false, true} {
		k := kernel2d(t, 2, 3, 3, overlap)
		for _, n := range []int{1, 2, 3, 4, 5, 9} {
			require.NoError(t, autograd.CheckGrad(autograd.GradCheck{Params: []*autograd.Param{k.Positive, k.Negative}}, func(x []*value) *value {
				return k.multiply(x[0])
			}, normal(3, 1, 2, n, n, 2)), "%d, overlap %v", n, overlap)
		}
	}
}

// Where the grid holds all modes, it does not matter what would be done where they overlap.
func TestOverlapOnlyOnCoarseGrids(t *testing.T) {
	a, b := kernel2d(t, 2, 2, 3, false), kernel2d(t, 2, 2, 3, true)
	for n := 1; n < 6; n++ {
		tape := &autograd.Tape{NoGrad: true}
		x := tape.Const(normal(4, 1, 1, n, 8, 2))
		require.NotEqual(t, a.multiply(x).Data, b.multiply(x).Data, "%d points", n)
	}
	for _, n := range []int{6, 7, 9} {
		tape := &autograd.Tape{NoGrad: true}
		x := tape.Const(normal(4, 1, 1, n, 8, 2))
		require.Equal(t, a.multiply(x).Data, b.multiply(x).Data, "%d points", n)
	}
}

// The weights belong to frequencies, not to rows: a smooth function has the same image on every grid.
func TestKernelKnowsNoGrid(t *testing.T) {
	sample := func(n int) *autograd.Tensor {
		x := autograd.New(1, n, n, 2)
		for i := range n {
			for j := range n {
				u, v := 2*math.Pi*float64(i)/float64(n), 2*math.Pi*float64(j)/float64(n)
				x.Set(float32(1+math.Sin(u)+math.Cos(v-u)), 0, i, j, 0)
				x.Set(float32(math.Cos(u)-0.5*math.Sin(v)), 0, i, j, 1)
			}
		}
		return x
	}
	for _, overlap := range []bool{false, true} {
		k := kernel2d(t, 2, 2, 3, overlap)
		tape := &autograd.Tape{NoGrad: true}
		fine, coarse := k.multiply(tape.Const(sample(16))), k.multiply(tape.Const(sample(4)))
		worst := 0.0
		for i := range 4 {
			for j := range 4 {
				worst = max(worst, math.Abs(float64(fine.At(0, 4*i, 4*j, 0)-coarse.At(0, i, j, 0))))
			}
		}
		require.Equal(t, overlap, worst > 1e-5, "differs by %g", worst)
	}
}
