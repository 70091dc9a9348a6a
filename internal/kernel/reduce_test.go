package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func testReduce[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	sizes := []int{1000, reduceGrain, reduceGrain + 1, 5*reduceGrain + 3}
	for n := range 101 {
		sizes = append(sizes, n)
	}
	for _, n := range sizes {
		x, _ := guarded[T](n, n%7)
		y, _ := guarded[T](n, n%3)
		sample(x, rng.NormFloat64)
		sample(y, rng.NormFloat64)
		var sum, dot, squares, abs, most float64
		for i := range x {
			a, b := float64(x[i]), float64(y[i])
			sum += a
			dot += a * b
			squares += a * a
			abs += math.Abs(a)
			most = max(most, math.Abs(a))
		}
		// The loop above rounds n times, at random.
		tol := 0x1p-52 * math.Sqrt(float64(n)) * (abs + squares)
		require.InDelta(t, sum, Sum(x), tol, "Sum of %d", n)
		require.InDelta(t, dot, Dot(x, y), tol, "Dot of %d", n)
		require.InDelta(t, squares, SumSquares(x), tol, "SumSquares of %d", n)
		require.Equal(t, most, MaxAbs(x), "MaxAbs of %d", n)
		require.True(t, AllFinite(x))
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			if n > 0 {
				i := rng.IntN(n)
				old := x[i]
				x[i] = T(bad)
				require.False(t, AllFinite(x), "%v at %d of %d", bad, i, n)
				require.Equal(t, math.IsNaN(bad), math.IsNaN(MaxAbs(x)))
				x[i] = old
			}
		}
	}
}

func TestReduce(t *testing.T) {
	eachBody(t, testReduce[float32])
	t.Run("float64", testReduce[float64])
}

// TestReduceAccumulatesInFloat64: a float32 accumulator would stop at 2^24, and lose the small summand at once.
func TestReduceAccumulatesInFloat64(t *testing.T) {
	eachBody(t, func(t *testing.T) {
		x := make([]float32, 1<<18)
		for i := range x {
			x[i] = 0.1
		}
		x[0] = 1 << 26
		exact := new(big.Float).SetPrec(200).SetFloat64(float64(float32(0.1)))
		exact.Mul(exact, big.NewFloat(float64(len(x)-1)))
		exact.Add(exact, big.NewFloat(1<<26))
		want, _ := exact.Float64()
		require.InEpsilon(t, want, Sum(x), 1e-11)
	})
}

// TestSumsIndependentOfThreads runs every reduction of the package on one and on two threads: the bits agree.
func TestSumsIndependentOfThreads(t *testing.T) {
	defer SetThreads(0)
	rng := rand.New(rand.NewPCG(13, 14))
	const rows, n = 900, 257
	x, y, w := normals[float32](rng, rows*n), normals[float32](rng, rows*n), normals[float32](rng, n)
	results := func(threads int) (out [][]float32, sums []float64) {
		SetThreads(threads)
		col, col2, row, row2 := make([]float32, n), make([]float32, n), make([]float32, rows), make([]float32, rows)
		d, d2 := make([]float32, rows*n), make([]float32, rows*n)
		ColSum(col, x, rows, n, false)
		ColDot(col2, x, y, rows, n, false)
		RowSum(row, x, rows, n, false)
		RowDot(row2, x, y, rows, n, false)
		mean, rstd := make([]float32, rows), make([]float32, rows)
		LayerNorm(d, mean, rstd, x, w, w, rows, n, 1e-5)
		gw, gb := make([]float32, n), make([]float32, n)
		LayerNormGrad(d2, gw, gb, y, x, w, mean, rstd, rows, n, false, false)
		d3 := make([]float32, rows*n)
		Softmax(d3, x, rows, n)
		return [][]float32{col, col2, row, row2, d, d2, gw, gb, mean, rstd, d3}, []float64{Sum(x), Dot(x, y), SumSquares(x), MaxAbs(x)}
	}
	out1, sums1 := results(1)
	out2, sums2 := results(2)
	require.Equal(t, sums1, sums2)
	require.Equal(t, out1, out2)
}
