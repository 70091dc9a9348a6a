package invert

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// smooth returns a curvature that neighbouring cells share, of n x n cells.
func smooth(n int) []float32 {
	cells := n * n
	h := make([]float32, cells*cells)
	for i := range cells {
		for k := range cells {
			dz, dx := float64(i/n-k/n), float64(i%n-k%n)
			h[i*cells+k] = float32(math.Exp(-(dz*dz + dx*dx) / 2))
		}
		h[i*cells+i] += 0.05
	}
	return h
}

// quadraticOf returns value and gradient of (s - truth)'H(s - truth)/2.
func quadraticOf(h []float32, s, truth []float64) (value float64, g []float64) {
	n := len(s)
	g = make([]float64, n)
	for i := range n {
		for k := range n {
			g[i] += float64(h[i*n+k]) * (s[k] - truth[k])
		}
		value += (s[i] - truth[i]) * g[i] / 2
	}
	return value, g
}

// split returns a map of two velocities that meet below a line, and the regions.
func split(n int, above, below float32, depth func(col int) int) (vel []float32, label []int) {
	vel, label = make([]float32, n*n), make([]int, n*n)
	for i := range vel {
		vel[i] = above
		if i/n >= depth(i%n) {
			vel[i], label[i] = below, 1
		}
	}
	return vel, label
}

func slownessesOf(vel []float32) []float64 {
	s := make([]float64, len(vel))
	for i, v := range vel {
		s[i] = slownessUnit / (float64(v) * float64(v))
	}
	return s
}

// Cells that lie on the wrong side of a boundary, and velocities, are found where the model is exact, and the gradient stays right.
func TestExchange(t *testing.T) {
	const n = 12
	truth, wanted := split(n, 1800, 3000, func(col int) int { return 5 + col/4 })
	vel, label := split(n, 1850, 2900, func(col int) int { return 6 + (col+1)%3 - col%2 })
	h, best := smooth(n), slownessesOf(truth)
	misfit, g := quadraticOf(h, slownessesOf(vel), best)
	e := newExchange(vel, label, 2, n, g, h)
	now := func() []float64 {
		s := make([]float64, n*n)
		for i, l := range e.label {
			s[i] = e.s[l]
		}
		return s
	}
	check := func() (value float64) {
		value, g := quadraticOf(h, now(), best)
		require.InDeltaSlice(t, g, e.g, 1e-4)
		return value
	}
	check()
	require.True(t, e.settle())
	check()
	for _, sum := range e.ofRegions(e.g) {
		require.InDelta(t, 0, sum, 0.02*math.Abs(g[0])*n*n)
	}
	e.move(candidate{5*n + 1, 1 - e.label[5*n+1], e.s[1-e.label[5*n+1]] - e.s[e.label[5*n+1]]})
	check()
	e.run(misfit, 1e-4, 1e-3)
	require.Less(t, check(), 1e-4*misfit)
	require.Equal(t, wanted, e.label)
}

// A price of sides makes what the data hardly see straight.
func TestExchangePricesSides(t *testing.T) {
	const n = 12
	flat, straight := split(n, 1800, 3000, func(int) int { return 6 })
	vel, jagged := split(n, 1800, 3000, func(col int) int { return 6 - col%2 })
	h := smooth(n)
	for i := range h {
		h[i] *= 1e-6
	}
	_, g := quadraticOf(h, slownessesOf(vel), slownessesOf(flat))
	e := newExchange(vel, jagged, 2, n, g, h)
	e.run(1, 0, 0.1)
	sides := func(label []int) (count int) {
		for i, l := range label {
			around(i, n, n*n, func(k int) {
				if label[k] != l {
					count++
				}
			})
		}
		return count
	}
	require.LessOrEqual(t, sides(e.label), sides(straight))
}
