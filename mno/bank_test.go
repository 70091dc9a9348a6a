package mno

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/kernel"
)

// roundTrip decomposes x as often as the sides are even, puts it together again and returns the largest error over the largest element.
func roundTrip[T float32 | float64](b *Bank[T], nb int, n []int, nc int, rng *rand.Rand) (worst float64, levels int) {
	size := nb * nc * power(b.K, b.Dim)
	for _, m := range n {
		size *= m
	}
	x := make([]T, size)
	largest := 0.0
	for i := range x {
		x[i] = T(rng.NormFloat64())
		largest = max(largest, math.Abs(float64(x[i])))
	}
	var grids [][]int
	var details [][]T
	s, grid := x, n
	for !slices.ContainsFunc(grid, func(m int) bool { return m%2 != 0 }) {
		coarse := make([]int, len(n))
		for a := range grid {
			coarse[a] = grid[a] / 2
		}
		next, d := make([]T, len(s)>>b.Dim), make([]T, len(s)>>b.Dim*b.Kinds)
		b.Decompose(next, d, s, nb, coarse, nc)
		s, grid = next, coarse
		grids, details = append(grids, coarse), append(details, d)
	}
	for i := len(grids) - 1; i >= 0; i-- {
		y := make([]T, len(s)<<b.Dim)
		b.Reconstruct(y, s, details[i], nb, grids[i], nc)
		s = y
	}
	for i := range x {
		worst = max(worst, math.Abs(float64(s[i]-x[i])))
	}
	return worst / largest, len(grids)
}

// What is decomposed is put together again, on grids whose sides are powers of two and on others.
func TestPerfectReconstruction(t *testing.T) {
	cases(t, func(t *testing.T, basis Basis, k int) {
		f, err := NewFilters(basis, k)
		require.NoError(t, err)
		rng := rand.New(rand.NewPCG(1, 2))
		for _, c := range []struct {
			n          []int
			levels, nc int
		}{{[]int{64}, 6, 3}, {[]int{70}, 1, 2}, {[]int{8, 8}, 3, 2}, {[]int{12, 8}, 2, 2}, {[]int{70, 70}, 1, 1}} {
			worst, levels := roundTrip(NewBank[float64](f, len(c.n), false), 1, c.n, c.nc, rng)
			require.Equal(t, c.levels, levels)
			require.Less(t, worst, 1e-10, "%v in float64", c.n)
			worst, _ = roundTrip(NewBank[float32](f.Balanced(), len(c.n), false), 1, c.n, c.nc, rng)
			require.Less(t, worst, 1e-5, "%v in float32", c.n)
		}
	})
}

// Without the mixed details, what is constant along one axis only is lost: the defect that the switch is for.
func TestDiagonalDetailsLoseMixedOnes(t *testing.T) {
	f, err := NewFilters(Legendre, 2)
	require.NoError(t, err)
	worst, _ := roundTrip(NewBank[float64](f, 2, true), 1, []int{8, 8}, 1, rand.New(rand.NewPCG(1, 2)))
	require.Greater(t, worst, 0.1)
}

// <A x, y> = <x, A' y> for decomposition and reconstruction.
func TestBankAdjoints(t *testing.T) {
	for _, c := range []struct {
		dim, k, nb, nc int
		n              []int
		diagonal       bool
	}{{1, 3, 2, 2, []int{5}, false}, {2, 2, 2, 3, []int{3, 4}, false}, {2, 3, 1, 1, []int{2, 1}, true}} {
		f, err := NewFilters(Chebyshev, c.k)
		require.NoError(t, err)
		b := NewBank[float64](f, c.dim, c.diagonal)
		coarse := c.nb * c.nc * power(c.k, c.dim)
		for _, m := range c.n {
			coarse *= m
		}
		rng := rand.New(rand.NewPCG(3, 4))
		random := func(n int) []float64 {
			x := make([]float64, n)
			for i := range x {
				x[i] = rng.NormFloat64()
			}
			return x
		}
		x, s, d := random(coarse<<c.dim), random(coarse), random(coarse*b.Kinds)
		as, ad := make([]float64, len(s)), make([]float64, len(d))
		b.Decompose(as, ad, x, c.nb, c.n, c.nc)
		forward := kernel.Dot(as, s) + kernel.Dot(ad, d)
		l := b.level("test", c.nb, c.n, c.nc, len(x), len(s), len(d))
		gx := slices.Clone(x)
		b.decomposeGrad(&l, gx, s, d, true)
		require.InDelta(t, forward, kernel.Dot(x, gx)-kernel.Dot(x, x), 1e-9)
		b.decomposeGrad(&l, gx, s, d, false)
		require.InDelta(t, forward, kernel.Dot(x, gx), 1e-9)

		r := make([]float64, len(x))
		b.Reconstruct(r, s, d, c.nb, c.n, c.nc)
		forward = kernel.Dot(r, x)
		b.reconstructGrad(&l, as, ad, x, false, false)
		require.InDelta(t, forward, kernel.Dot(s, as)+kernel.Dot(d, ad), 1e-9)
		gs := slices.Clone(s)
		b.reconstructGrad(&l, gs, nil, x, true, false)
		require.InDelta(t, kernel.Dot(s, as)+kernel.Dot(s, s), kernel.Dot(s, gs), 1e-9)
	}
}

func TestBankRefusesWrongSizes(t *testing.T) {
	f, err := NewFilters(Legendre, 2)
	require.NoError(t, err)
	b := NewBank[float32](f, 1, false)
	require.PanicsWithValue(t, "mno: Decompose: slices of 16, 8 and 7 elements for a batch of 1, the coarse grid [4] and 1 functions; want 16, 8 and 8", func() {
		b.Decompose(make([]float32, 8), make([]float32, 7), make([]float32, 16), 1, []int{4}, 1)
	})
	require.Panics(t, func() { b.Decompose(make([]float32, 8), make([]float32, 8), make([]float32, 16), 1, []int{2, 2}, 1) })
	require.Panics(t, func() { NewBank[float32](f, 3, false) })
}
