package main

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/examples/diffusion"
)

func someProblem(n int, seed uint64) *problem {
	return newProblem(n, n, rand.New(rand.NewPCG(seed, 0)))
}

// inside draws a vector that is zero on the boundary.
func inside(n int, rng *rand.Rand) []float64 {
	v := make([]float64, (n+1)*(n+1))
	for i := 1; i < n; i++ {
		for j := 1; j < n; j++ {
			v[i*(n+1)+j] = rng.NormFloat64()
		}
	}
	return v
}

func TestDirectSolves(t *testing.T) {
	p := someProblem(12, 1)
	u, v := inside(12, rand.New(rand.NewPCG(1, 1))), inside(12, rand.New(rand.NewPCG(1, 2)))
	au, av := make([]float64, len(u)), make([]float64, len(u))
	p.Apply(au, u)
	p.Apply(av, v)
	got, err := direct(p.Scheme, [][]float64{au, av})
	require.NoError(t, err)
	require.InDeltaSlice(t, u, got[0], 1e-10)
	require.InDeltaSlice(t, v, got[1], 1e-10)

	a := make([]float64, 13*13)
	for i := range a {
		a[i] = -1
	}
	_, err = direct(diffusion.New(12, a), [][]float64{au})
	require.ErrorContains(t, err, "not positive definite")
}

// P = (D + L) D^-1 (D + L') is inverted, and has the diagonal of A.
func TestIncompleteCholesky(t *testing.T) {
	const n, m = 9, 10
	p := someProblem(n, 2)
	c := newIncomplete(p.Scheme)
	multiply := func(v []float64) []float64 {
		upper, out := make([]float64, len(v)), make([]float64, len(v))
		for i := 1; i < n; i++ {
			for q := i*m + 1; q < i*m+n; q++ {
				upper[q] = v[q] - c.inverse[q]*(p.East[q]*v[q+1]+p.Next[q]*v[q+m]) // D^-1 (D + L') v
			}
		}
		for i := 1; i < n; i++ {
			for q := i*m + 1; q < i*m+n; q++ {
				out[q] = upper[q]/c.inverse[q] - p.East[q-1]*upper[q-1] - p.Next[q-m]*upper[q-m]
			}
		}
		return out
	}
	v := inside(n, rand.New(rand.NewPCG(3, 3)))
	z := make([]float64, len(v))
	c.apply(z, multiply(v))
	require.InDeltaSlice(t, v, z, 1e-11)
	for _, q := range []int{m + 1, 4*m + 5, 8*m + 8} {
		unit := make([]float64, len(v))
		unit[q] = 1
		require.InDelta(t, p.Diagonal(q), multiply(unit)[q], 1e-12*p.Diagonal(q))
	}
}

// Of the residual nothing is left within the space, and a solution that lies in it is found at once: whatever the vectors were, also
// dependent ones, and no vectors.
func TestCoarseSpace(t *testing.T) {
	const n = 10
	p, rng := someProblem(n, 4), rand.New(rand.NewPCG(5, 5))
	v, w, r := inside(n, rng), inside(n, rng), inside(n, rng)
	both := make([]float64, len(v))
	floats.AddScaledTo(both, v, 3, w)
	bad := inside(n, rng)
	bad[3*(n+1)+4] = math.NaN()
	huge := inside(n, rng)
	huge[3*(n+1)+4] = math.MaxFloat64
	fine := newIncomplete(p.Scheme)
	m := newTwoLevel(p.Scheme, fine, [][]float64{v, bad, w, both, make([]float64, len(v)), huge})
	require.Equal(t, 2, m.v.Rows)
	image, z := make([]float64, len(v)), make([]float64, len(v))
	m.apply(z, r)
	p.Apply(image, z)
	floats.SubTo(image, r, image)
	require.Greater(t, norm(image), 0.1)
	require.InDelta(t, 0, floats.Dot(image, v)/norm(v), 1e-12)
	require.InDelta(t, 0, floats.Dot(image, w)/norm(w), 1e-12)

	p.Apply(image, both)
	clear(z)
	m.correct(z, image)
	require.InDeltaSlice(t, both, z, 1e-10)

	none := newTwoLevel(p.Scheme, fine, nil)
	none.apply(z, image)
	want := make([]float64, len(v))
	fine.apply(want, image)
	require.Equal(t, want, z)
}

// The answer is exact to the tolerance with a network that has learned nothing, with one that returns nonsense, and from any start.
func TestAnswerIsExactWhateverTheNetworkSays(t *testing.T) {
	const n = 24
	o, err := newOperator(rand.New(rand.NewPCG(1, 0)))
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(6, 6))
	for seed := range uint64(4) {
		p := someProblem(n, seed)
		exact, err := direct(p.Scheme, [][]float64{p.b})
		require.NoError(t, err)
		check := func(m preconditioner, start []float64) {
			r, err := solve(p.Scheme, m, p.b, start)
			require.NoError(t, err)
			rest := make([]float64, len(p.b))
			p.Apply(rest, r.u)
			require.LessOrEqual(t, floats.Distance(rest, p.b, 2), tolerance*norm(p.b))
			require.LessOrEqual(t, floats.Distance(r.u, exact[0], 2), 1e-6*norm(exact[0]))
		}
		fine := newIncomplete(p.Scheme)
		check(newTwoLevel(p.Scheme, fine, o.basis(p)), make([]float64, len(p.b)))
		check(newTwoLevel(p.Scheme, fine, [][]float64{inside(n, rng), inside(n, rng)}), inside(n, rng))
		check(fine, exact[0])
	}

	for _, weight := range autograd.Params(o.net) {
		weight.Data[0] = float32(math.NaN())
	}
	p := someProblem(n, 9)
	r, err := compare(p, o)
	require.NoError(t, err)
	require.LessOrEqual(t, r.by[with].residual, tolerance)
	require.Equal(t, r.by[without].history, r.by[with].history, "nothing of the network is left")
}

func TestSolveTellsWhenItFails(t *testing.T) {
	p := someProblem(8, 1)
	p.b[3*9+3] = math.NaN()
	_, err := solve(p.Scheme, newIncomplete(p.Scheme), p.b, make([]float64, len(p.b)))
	require.ErrorContains(t, err, "in 2000 iterations; wanted 1e-08")
}
