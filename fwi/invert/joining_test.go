package invert

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// Joined regions have the values that minimise the quadratic under the constraint that they are equal, which adds what was foretold.
func TestJoining(t *testing.T) {
	const n = 5 // in a row
	rng := rand.New(rand.NewPCG(1, 2))
	b := mat.NewDense(n, n, nil)
	for i := range n {
		for k := range n {
			b.Set(i, k, rng.NormFloat64())
		}
	}
	var a mat.SymDense
	a.SymOuterK(1, b)
	for i := range n {
		a.SetSym(i, i, a.At(i, i)+0.5)
	}
	var f mat.Cholesky
	require.True(t, f.Factorize(&a))
	var c mat.SymDense
	require.NoError(t, f.InverseTo(&c))
	y0 := []float64{1, 1.1, 3, 3.3, 2}
	q := func(y []float64) float64 {
		d := mat.NewVecDense(n, nil)
		for i := range n {
			d.SetVec(i, y[i]-y0[i])
		}
		return mat.Inner(d, &a, d) / 2
	}
	for _, budget := range []float64{0, 0.05, 1e9} {
		j := newJoining([]int{0, 1, 2, 3, 4}, n, n, append([]float64(nil), y0...), &c)
		left := j.run(budget)
		y := make([]float64, n)
		for i := range y {
			y[i] = j.value(i)
		}
		require.LessOrEqual(t, q(y), budget+1e-9)
		switch budget {
		case 0:
			require.Equal(t, n, left)
			require.Equal(t, y0, y)
		case 1e9:
			require.Equal(t, 1, left)
		default:
			require.Less(t, left, n)
			require.Greater(t, left, 1)
		}
		// Moving what is one region together does not lower q.
		for i := range n {
			for _, step := range []float64{-1e-3, 1e-3} {
				moved := append([]float64(nil), y...)
				for k := range moved {
					if y[k] == y[i] {
						moved[k] += step
					}
				}
				require.Greater(t, q(moved), q(y))
			}
		}
	}
}
