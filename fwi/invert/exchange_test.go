package invert

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
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

// Cells that lie on the wrong side of a boundary, and velocities, are found where the model is exact, and its value and gradient stay right.
func TestExchange(t *testing.T) {
	const n = 12
	truth, wanted := split(n, 1800, 3000, func(col int) int { return 5 + col/4 })
	vel, label := split(n, 1850, 2900, func(col int) int { return 6 + (col+1)%3 - col%2 })
	h, best := smooth(n), slownessesOf(truth)
	misfit, g := quadraticOf(h, slownessesOf(vel), best)
	e := newExchange(vel, label, 2, n, misfit, g, h)
	now := func() []float64 {
		s := make([]float64, n*n)
		for i, l := range e.label {
			s[i] = e.s[l]
		}
		return s
	}
	check := func() {
		value, g := quadraticOf(h, now(), best)
		require.InDelta(t, value, e.misfit, 1e-5*misfit)
		require.InDeltaSlice(t, g, e.g, 1e-4)
	}
	check()
	require.True(t, e.settle())
	check()
	for _, sum := range e.ofRegions(e.g) {
		require.InDelta(t, 0, sum, 0.02*math.Abs(g[0])*n*n)
	}
	e.move(candidate{5*n + 1, 1 - e.label[5*n+1], e.s[1-e.label[5*n+1]] - e.s[e.label[5*n+1]]})
	check()
	require.Positive(t, e.run(misfit, 1e-4, 1e-3))
	check()
	require.Equal(t, wanted, e.label)
	require.Less(t, e.misfit, 1e-4*misfit)
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
	misfit, g := quadraticOf(h, slownessesOf(vel), slownessesOf(flat))
	e := newExchange(vel, jagged, 2, n, misfit, g, h)
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

// Annealing finds the best of all choices, of which no cell has two.
func TestAnnealing(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		const k = 10
		label := []int{0, 0, 0, 0, 0, 0, 0, 0} // a row; candidates 0 and 8, 1 and 9 are the same cells
		all := make([]candidate, k)
		g, factor, s := make([]float64, len(label)), make([]float64, k*k), make([]float64, k*k)
		for i := range all {
			all[i] = candidate{i % 8, 1 + i/8, rng.NormFloat64()}
			g[i%8] = 3 * rng.NormFloat64()
		}
		for i := range factor {
			factor[i] = rng.NormFloat64()
		}
		for i := range k {
			for j := range k {
				for m := range k {
					s[i*k+j] += factor[i*k+m] * factor[j*k+m] / k
				}
			}
		}
		value := func(x []bool) (sum float64) {
			now := slices.Clone(label)
			for i, c := range all {
				if !x[i] {
					continue
				}
				sum += c.d*g[c.cell] + 0.01
				now[c.cell] = c.to
				for j := range k {
					if x[j] {
						sum += s[i*k+j] / 2
					}
				}
			}
			for i := range now[1:] {
				if now[i] != now[i+1] {
					sum += 0.1
				}
			}
			return sum
		}
		lowest := 0.0
		for bits := range 1 << k {
			x := make([]bool, k)
			for i := range x {
				x[i] = bits>>i&1 == 1
			}
			if x[0] && x[8] || x[1] && x[9] {
				continue
			}
			lowest = min(lowest, value(x))
		}
		x := newAnnealing(label, len(label), all, g, s, 0.01, 0.1).run(1e-6)
		require.False(t, x[0] && x[8] || x[1] && x[9])
		require.InDelta(t, lowest, value(x), 1e-5)
	}
}

// A boundary that lies a cell off in places is found by moving cells, at a contrast where a model linear in velocities is of no use.
func TestRegionsMoveCells(t *testing.T) {
	truth := make([]float32, testNZ*testNX)
	start := make([]float32, len(truth))
	for i := range truth {
		row, col := i/testNX, i%testNX
		truth[i], start[i] = 1800, 1800
		if row >= testNZ/2+col/6 {
			truth[i] = 3200
		}
		if row >= testNZ/2+(col+2)/6+col%3/2 {
			start[i] = 3200
		}
	}
	require.Greater(t, meanError(start, truth), 20.0)
	p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: record(t, survey(), truth), Start: start}
	r, err := Run(context.Background(), p, Config{Stages: []Stage{{Iterations: 20, Prior: Regions, Loss: 25}}})
	require.NoError(t, err)
	require.Less(t, meanError(r.Vel, truth), 0.5)
}
