package invert

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The links' quadratic has the slope of total variation and Tikhonov where it touches, and lies above total variation everywhere.
func TestQuadraticTouchesVariation(t *testing.T) {
	const nz, nx, tv, smooth = 5, 6, 0.7, 0.3
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func() []float64 {
		u := make([]float64, nz*nx)
		for i := range u {
			u[i] = 0.05 * rng.NormFloat64()
		}
		return u
	}
	at := draw()
	for _, edges := range [][]float64{nil, edgeWeights(at, nx, edgeStep)} {
		q := &quadratic{nx: nx}
		q.touch(at, edges, tv, smooth)
		form := func(u []float64) (sum float64) {
			q.eachLink(func(i, j int, w float64) { sum += w * (u[j] - u[i]) * (u[j] - u[i]) / 2 })
			return sum
		}
		value := func(u, grad []float64) float64 {
			return variation(u, grad, edges, nx, edgeWidth, tv) + tikhonov(u, grad, nx, smooth)
		}
		grad, slope := make([]float64, nz*nx), make([]float64, nz*nx)
		there := value(at, grad)
		q.eachLink(func(i, j int, w float64) {
			slope[i] -= w * (at[j] - at[i])
			slope[j] += w * (at[j] - at[i])
		})
		require.InDeltaSlice(t, grad, slope, 1e-12)
		for range 20 {
			u := draw()
			require.GreaterOrEqual(t, there+form(u)-form(at)+1e-12, value(u, make([]float64, nz*nx)))
		}
	}
}

// minimise solves what apply multiplies with, also where the matrix is ill-conditioned.
func TestQuadraticMinimise(t *testing.T) {
	const nz, nx, n = 9, 11, 99
	rng := rand.New(rand.NewPCG(3, 4))
	q := &quadratic{nx: nx, h: make([]float32, n*n), slope: make([]float64, n), diag: make([]float64, n)}
	j := make([]float64, 60*n)
	for i := range j {
		j[i] = rng.NormFloat64() / float64(1+i%n*i%n)
	}
	for i := range n {
		q.slope[i], q.diag[i] = 0.5+rng.Float64(), 1e-4
		for k := range n {
			sum := 0.0
			for r := range 60 {
				sum += j[r*n+i] * j[r*n+k]
			}
			q.h[i*n+k] = float32(sum)
		}
	}
	at, b := make([]float64, n), make([]float64, n)
	for i := range at {
		at[i], b[i] = rng.NormFloat64(), rng.NormFloat64()
	}
	q.touch(at, nil, 0.1, 0)
	d, ok := q.minimise(b)
	require.True(t, ok)
	ad := make([]float64, n)
	q.apply(ad, d)
	for i, v := range ad {
		require.InDelta(t, -b[i], v, 1e-3)
	}
	q.diag[5] = -100
	_, ok = q.minimise(b)
	require.False(t, ok)
}
