package invert

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi/wave"
)

func TestBasisAdjoints(t *testing.T) {
	const nz, nx = 7, 9
	rng := rand.New(rand.NewPCG(1, 1))
	label := make([]int, nz*nx)
	for i := range label {
		label[i] = rng.IntN(5)
	}
	for name, b := range map[string]basis{
		"cells":     &cells{nx, noise(nz*nx, rng), newBlur(1.3)},
		"unblurred": &cells{nx, noise(nz*nx, rng), nil},
		"rows":      &rows{nx, noise(nz, rng)},
		"regions":   &regions{label, noise(5, rng)},
	} {
		x, y := noise(b.size(), rng), noise(nz*nx, rng)
		u, g := make([]float64, nz*nx), make([]float64, b.size())
		b.apply(u, x)
		b.adjoint(g, y)
		require.InEpsilon(t, dot(u, y), dot(x, g), 1e-10, name)
	}
}

func TestBlurKeepsConstants(t *testing.T) {
	x := make([]float64, 30)
	for i := range x {
		x[i] = 2
	}
	newBlur(2).apply(x, x, 6)
	for _, v := range x {
		require.InDelta(t, 2, v, 1e-12)
	}
}

func TestBoundsInvertAndSaturate(t *testing.T) {
	b := newBounds(1500, 4500)
	for v := 1500.0; v <= 4500; v += 50 {
		got, slope := b.velocity(b.inverse(v))
		require.InDelta(t, v, got, 1e-7)
		const h = 1e-6
		up, _ := b.velocity(b.inverse(v) + h)
		down, _ := b.velocity(b.inverse(v) - h)
		require.InEpsilon(t, (up-down)/(2*h), slope, 1e-6)
	}
	v, _ := b.velocity(100)
	require.InDelta(t, 4725, v, 1e-6)
	v, _ = b.velocity(-100)
	require.InDelta(t, 1275, v, 1e-6)
	b = newBounds(100, 4500)
	v, _ = b.velocity(-100)
	require.InDelta(t, 50, v, 1e-6)
	v, _ = b.velocity(100)
	require.InDelta(t, 4830, v, 1e-6)
}

// Bounds are as wide as ever where that is stable, else as wide as is stable, to the last number.
func TestBoundsAreStable(t *testing.T) {
	const nz, nx = 6, 7
	solver := func(dt float64, pad int) *wave.Solver[float32] {
		s, err := wave.New[float32](wave.Config{Dt: dt, Samples: 10, Pad: pad}, nz, nx)
		require.NoError(t, err)
		return s
	}
	b, err := stableBounds(1500, 4500, solver(0.001, 120), nz*nx)
	require.NoError(t, err)
	require.Equal(t, newBounds(1500, 4500), b)
	s := solver(0.00127, 120)
	b, err = stableBounds(1500, 4500, s, nz*nx)
	require.NoError(t, err)
	v, _ := b.velocity(-100)
	require.InDelta(t, 1275, v, 1e-9)
	fast := b.velocities(slices.Repeat([]float64{1e9}, nz*nx))
	require.NoError(t, s.Check(fast))
	require.True(t, fast[0] > 4500 && fast[0] < 4725)
	require.Error(t, s.Check(slices.Repeat([]float32{math.Nextafter32(fast[0], 5000)}, nz*nx)))
	_, err = stableBounds(1500, 4500, solver(0.00135, 100), nz*nx)
	require.ErrorContains(t, err, "invert: with Dt 0.00135 s, Dx 10 m and Pad 100 velocities up to 4")
	require.ErrorContains(t, err, " m/s are stable, want those up to Max, 4500 m/s")
}

func TestRoughnessDerivatives(t *testing.T) {
	const nz, nx = 5, 6
	rng := rand.New(rand.NewPCG(2, 2))
	u, direction := noise(nz*nx, rng), noise(nz*nx, rng)
	for name, f := range map[string]func(u, grad []float64) float64{
		"variation": func(u, grad []float64) float64 {
			return variation(u, grad, edgeWeights(direction, nx, 0.3), nx, 0.1, 3)
		},
		"tikhonov": func(u, grad []float64) float64 { return tikhonov(u, grad, nx, 3) },
	} {
		at := func(h float64) float64 {
			x := append([]float64(nil), u...)
			for i := range x {
				x[i] += h * direction[i]
			}
			return f(x, make([]float64, len(x)))
		}
		grad := make([]float64, nz*nx)
		require.Positive(t, f(u, grad))
		require.InEpsilon(t, (at(1e-5)-at(-1e-5))/2e-5, dot(grad, direction), 1e-7, name)
	}
	flat := make([]float64, nz*nx)
	require.Zero(t, variation(flat, make([]float64, nz*nx), nil, nx, 0.1, 3))
	// A step of one along a whole column boundary: nz cells of size sqrt(1 + edge^2) - edge.
	for i := range flat {
		if i%nx > 2 {
			flat[i] = 1
		}
	}
	require.InEpsilon(t, float64(nz)/float64(nz*nx)*(math.Sqrt(1.01)-0.1), variation(flat, make([]float64, nz*nx), nil, nx, 0.1, 1), 1e-12)
}
