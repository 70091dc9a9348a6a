package invert

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// hilly returns a quadratic of n unknowns with a full curvature.
func hilly(c *unknowns, rng *rand.Rand) *quadratic {
	n := c.n
	q := &quadratic{nx: c.nx, h: make([]float32, n*n), slope: make([]float64, n), diag: make([]float64, n)}
	j := noise(40*n, rng)
	for i := range n {
		q.slope[i], q.diag[i] = 0.5+rng.Float64(), 0.1
		for k := range n {
			for r := range 40 {
				q.h[i*n+k] += float32(j[r*n+i] * j[r*n+k])
			}
		}
	}
	q.touch(c.u, nil, 0.1, 0)
	return q
}

// B B' is the inverse of the quadratic's matrix, for cells, blocks and rows, and B' the transpose of B.
func TestPreconditioned(t *testing.T) {
	const nz, nx = 7, 9
	rng := rand.New(rand.NewPCG(5, 6))
	for _, block := range [][2]int{{1, 1}, {2, 2}, {1, nx}, {3, 2}} {
		c := newUnknowns(noise(nz*nx, rng), noise(nz*nx, rng), nx, block[0], block[1])
		q := hilly(c, rng)
		require.True(t, q.decompose())
		p := &preconditioned{c, q, 3, make([]float32, c.n)}
		x, g := noise(c.n, rng), noise(nz*nx, rng)
		u, gx := make([]float64, nz*nx), make([]float64, c.n)
		p.apply(u, x)
		p.adjoint(gx, g)
		require.InDelta(t, dot(u, g), dot(x, gx), 1e-3)

		p.apply(u, gx)
		moved := make([]float64, c.n)
		for i, l := range c.label {
			moved[l] = u[i]
		}
		back := make([]float64, c.n)
		q.apply(back, moved)
		for i, v := range c.sums(g) {
			require.InDelta(t, 9*v, back[i], 2e-2, "%v", block)
		}
	}
}

// Blocks at the edges may be smaller; a map of cells moves with its blocks and keeps what differs inside them.
func TestUnknowns(t *testing.T) {
	u := []float64{
		1, 3, 10,
		1, 3, 20,
		7, 9, 30,
	}
	c := newUnknowns(u, u, 3, 2, 2)
	require.Equal(t, 4, c.n)
	require.Equal(t, 2, c.nx)
	require.Equal(t, []int{0, 0, 1, 0, 0, 1, 2, 2, 3}, c.label)
	require.Equal(t, []float64{2, 15, 8, 30}, c.u)
	require.Equal(t, c.u, c.weight)
	require.Equal(t, u, c.cells(c.u))
	require.Equal(t, []float64{2, 4, 10, 2, 4, 20, 7, 9, 25}, c.cells([]float64{3, 15, 8, 25}))
	require.Equal(t, []float64{8, 30, 16, 30}, c.sums(u))
	c.spare(u)
	require.Equal(t, c.u, c.edges)
	c.spare(nil)
	require.Nil(t, c.edges)
	require.Equal(t, []float64{14. / 3, 8, 46. / 3}, newUnknowns(u, u, 3, 1, 3).u)
}
