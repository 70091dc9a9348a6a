package kernel

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// spd returns a symmetric positive definite n x n matrix, B B' + n I.
func spd(n int) []float32 {
	b, a := random[float32](rand.New(rand.NewPCG(uint64(n), 1)), n*n), make([]float32, n*n)
	Gemm(false, true, n, n, n, b, n, b, n, a, n, false)
	for i := range n {
		a[i*n+i] += float32(n)
	}
	return a
}

func TestCholesky(t *testing.T) {
	for _, n := range []int{1, 2, 5, 127, 128, 129, 300, 700} {
		a := spd(n)
		l := append([]float32(nil), a...)
		for i := range n {
			for j := i + 1; j < n; j++ {
				l[i*n+j] = 1e30 // what is above the diagonal is not read
			}
		}
		require.True(t, Cholesky(l, n))
		want := random[float32](rand.New(rand.NewPCG(3, 4)), n)
		x := make([]float32, n)
		for i := range n {
			x[i] = float32(Dot(a[i*n:][:n], want))
		}
		CholeskySolve(l, n, x)
		for i := range x {
			require.InDelta(t, want[i], x[i], 1e-4, "%d of %d", i, n)
		}
	}
}

// A matrix that is not positive definite is found out, in the first block and later.
func TestCholeskyOfIndefinite(t *testing.T) {
	for _, bad := range []int{0, 3, 200, 299} {
		a := spd(300)
		a[bad*300+bad] = -1
		require.False(t, Cholesky(a, 300), bad)
	}
}

func BenchmarkCholesky(b *testing.B) {
	const n = 4900
	a := make([]float32, n*n)
	for i := range n {
		for j := range i {
			a[i*n+j] = float32((i*j)%7) / n
		}
		a[i*n+i] = 2
	}
	work, x := make([]float32, n*n), make([]float32, n)
	var solve time.Duration
	for b.Loop() {
		copy(work, a)
		Cholesky(work, n)
		start := time.Now()
		CholeskySolve(work, n, x)
		solve += time.Since(start)
	}
	b.ReportMetric(float64(n)*n*n/3*float64(b.N)/(b.Elapsed()-solve).Seconds()/1e9, "GFLOP/s")
	b.ReportMetric(solve.Seconds()/float64(b.N)*1e3, "ms/solve")
}
