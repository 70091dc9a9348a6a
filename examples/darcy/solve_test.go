package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/examples/diffusion"
)

// onVertices evaluates f at the vertices of a grid of n cells.
func onVertices(n int, f func(x, y float64) float64) []float64 {
	var v []float64
	for i := range n + 1 {
		for j := range n + 1 {
			v = append(v, f(float64(i)/float64(n), float64(j)/float64(n)))
		}
	}
	return v
}

func constant(c float64) func(x, y float64) float64 { return func(_, _ float64) float64 { return c } }

func mustSolve(t *testing.T, n int, a, f []float64) []float64 {
	u, _, err := newDarcy(n, a).solve(f)
	require.NoError(t, err)
	return u
}

// randomCoefficient is a coefficient as the generator uses.
func randomCoefficient(n int, seed uint64) []float64 {
	return coefficient(medium(n, rand.New(rand.NewPCG(seed, 0))))
}

// A smooth coefficient and a smooth solution, from which the right-hand side follows: the error falls with h^2.
func TestManufacturedSolution(t *testing.T) {
	const pi = math.Pi
	a := func(x, y float64) float64 { return 2 + math.Sin(pi*x+1)*math.Cos(2*y) }
	u := func(x, y float64) float64 { return math.Sin(pi*x) * math.Sin(2*pi*y) }
	f := func(x, y float64) float64 {
		ax, ay := pi*math.Cos(pi*x+1)*math.Cos(2*y), -2*math.Sin(pi*x+1)*math.Sin(2*y)
		ux, uy := pi*math.Cos(pi*x)*math.Sin(2*pi*y), 2*pi*math.Sin(pi*x)*math.Cos(2*pi*y)
		return 5*pi*pi*u(x, y)*a(x, y) - ax*ux - ay*uy
	}
	before := 0.0
	for _, n := range []int{8, 16, 32, 64} {
		got, worst := mustSolve(t, n, onVertices(n, a), onVertices(n, f)), 0.0
		for i, want := range onVertices(n, u) {
			worst = max(worst, math.Abs(got[i]-want))
		}
		if before > 0 {
			require.InDelta(t, 2, math.Log2(before/worst), 0.1, "order of convergence at n = %d", n)
		}
		before = worst
	}
	require.Less(t, before, 2e-3)
}

// What f puts into the volumes flows out over the boundary, whatever the coefficient.
func TestConservesMass(t *testing.T) {
	const n = 32
	a := randomCoefficient(n, 7)
	d := newDarcy(n, a)
	u, _, err := d.solve(onVertices(n, constant(1)))
	require.NoError(t, err)
	m, out := n+1, 0.0
	for i := 1; i < n; i++ {
		out += d.East[i*m]*u[i*m+1] + d.East[i*m+n-1]*u[i*m+n-1] // over x = const
		out += d.Next[i]*u[m+i] + d.Next[(n-1)*m+i]*u[(n-1)*m+i]
	}
	in := float64((n-1)*(n-1)) / float64(n*n)
	require.InDelta(t, in, out, 1e-7)
}

// A symmetry of the square that is applied to the coefficient comes out in the solution.
func TestSolutionIsEquivariant(t *testing.T) {
	const n = 24
	const m = n + 1
	a, one := randomCoefficient(n, 3), onVertices(n, constant(1))
	u := mustSolve(t, n, a, one)
	transposed := func(v []float64) []float64 {
		w := slices.Clone(v)
		diffusion.Transpose(w, m)
		return w
	}
	flipped := func(v []float64) []float64 {
		w := slices.Clone(v)
		for i := range m {
			slices.Reverse(w[i*m : (i+1)*m])
		}
		return w
	}
	require.InDeltaSlice(t, transposed(u), mustSolve(t, n, transposed(a), one), 1e-11)
	require.InDeltaSlice(t, flipped(u), mustSolve(t, n, flipped(a), one), 1e-11)
}

// The solution is positive inside, and its energy lies between those of the constant extremes: the larger a, the less u.
func TestMaximumPrinciple(t *testing.T) {
	const n = 32
	one := onVertices(n, constant(1))
	sum := func(a []float64) float64 { return dot(one, mustSolve(t, n, a, one)) }
	least, most := sum(onVertices(n, constant(high))), sum(onVertices(n, constant(low)))
	require.InDelta(t, 0.0351443*n*n/low, most, 0.01*most) // the torsion of a unit square
	for seed := range uint64(5) {
		a := randomCoefficient(n, seed)
		u := mustSolve(t, n, a, one)
		for i := 1; i < n; i++ {
			require.Greater(t, slices.Min(u[i*(n+1)+1:(i+1)*(n+1)-1]), 0.0)
		}
		s := dot(one, u)
		require.Greater(t, s, least)
		require.Less(t, s, most)
	}
}

func TestConjugateGradientsIterate(t *testing.T) {
	for _, n := range []int{16, 64, 128} {
		_, iterations, err := newDarcy(n, randomCoefficient(n, 1)).solve(onVertices(n, constant(1)))
		require.NoError(t, err)
		// A condition number of 4 gains a factor of 3 per iteration: 1e-8 / 2 takes 18.
		require.LessOrEqual(t, iterations, 18, "n = %d", n)
	}
}

// The preconditioner is the inverse of the scheme with a constant coefficient.
func TestPreconditioner(t *testing.T) {
	const n = 12
	d := newDarcy(n, onVertices(n, constant(5)))
	rng := rand.New(rand.NewPCG(1, 2))
	u, r, z := make([]float64, (n+1)*(n+1)), make([]float64, (n+1)*(n+1)), make([]float64, (n+1)*(n+1))
	for i := 1; i < n; i++ {
		for j := 1; j < n; j++ {
			u[i*(n+1)+j] = rng.NormFloat64()
		}
	}
	d.Apply(r, u)
	d.precondition(z, r)
	require.InDeltaSlice(t, u, z, 1e-12)
}

func TestSolveTellsWhenItFails(t *testing.T) {
	const n = 16
	a := randomCoefficient(n, 1)
	a[5*(n+1)+5] = math.NaN()
	_, _, err := newDarcy(n, a).solve(onVertices(n, constant(1)))
	require.ErrorContains(t, err, "did not converge")
}
