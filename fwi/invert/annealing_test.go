package invert

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

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
