package main

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"

	"github.com/spamoe/spamoe/autograd"
)

// The targets solve their equations and have unit energy; a problem depends on its seed and number only.
func TestGenerate(t *testing.T) {
	const n, inner = 8, 7
	d, err := generate(context.Background(), n, 16, 3, 5, 3)
	require.NoError(t, err)
	p := newProblem(n, 16, rand.New(rand.NewPCG(3, 6)))
	for k, s := range sources(n) {
		u, au := make([]float64, len(s)), make([]float64, len(s))
		for i := range inner {
			for j := range inner {
				u[(i+1)*(n+1)+j+1] = float64(d.target[((side*side+k)*inner+i)*inner+j])
			}
		}
		p.Apply(au, u)
		require.InDelta(t, 1, floats.Dot(u, au), 1e-5)
		require.InDelta(t, 1, floats.Dot(au, s)/(norm(au)*norm(s)), 1e-5)
	}
	again, err := generate(context.Background(), n, 16, 3, 6, 1)
	require.NoError(t, err)
	require.Equal(t, again.input, d.input[n*n:2*n*n])

	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = generate(stopped, n, 16, 3, 0, 3)
	require.ErrorIs(t, err, context.Canceled)
}

// A medium is the same on all grids.
func TestProblemOnTwoGrids(t *testing.T) {
	coarse, fine := newProblem(8, 16, rand.New(rand.NewPCG(1, 1))), newProblem(16, 16, rand.New(rand.NewPCG(1, 1)))
	square := 0.0
	for i := range 17 {
		for j := range 17 {
			square += fine.log[i*17+j] * fine.log[i*17+j] / (17 * 17)
			if i%2 == 0 && j%2 == 0 {
				require.Equal(t, fine.log[i*17+j], coarse.log[i/2*9+j/2])
			}
		}
	}
	require.InDelta(t, spread*spread, square, 1e-12)
	require.InDeltaSlice(t, []float64{fine.b[2*17+4], fine.b[8*17+10]}, []float64{coarse.b[9+2], coarse.b[4*9+5]}, 1e-12)
}

// The loss is the energy norm of the error, as the scheme has it.
func TestLossIsTheEnergyOfTheError(t *testing.T) {
	const n, inner = 16, 15
	d, err := generate(context.Background(), n, n, 1, 0, 2)
	require.NoError(t, err)
	o, err := newOperator(rand.New(rand.NewPCG(1, 0)))
	require.NoError(t, err)
	got := o.loss(&autograd.Tape{}, d, []int{1, 0}).Data[0]
	want := 0.0
	for i := range 2 {
		p := newProblem(n, n, rand.New(rand.NewPCG(1, uint64(i))))
		for k, v := range o.basis(p) {
			for a := range inner {
				for b := range inner {
					v[(a+1)*(n+1)+b+1] -= float64(d.target[((i*side*side+k)*inner+a)*inner+b])
				}
			}
			av := make([]float64, len(v))
			p.Apply(av, v)
			want += math.Sqrt(floats.Dot(v, av)) / (2 * side * side)
		}
	}
	require.InDelta(t, want, got, 1e-4*want)
}

// A short training makes the space better: fewer iterations than without it, and than with the untrained network.
func TestTrainingSavesIterations(t *testing.T) {
	const n = 16
	ctx := context.Background()
	d, err := generate(ctx, n, n, 1, 0, 64)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 0))
	o, err := newOperator(rng)
	require.NoError(t, err)
	count := func() (classical, learned int, start float64) {
		for i := range uint64(5) {
			r, err := compare(newProblem(n, n, rand.New(rand.NewPCG(1, 100+i))), o)
			require.NoError(t, err)
			for k, m := range r.by {
				require.LessOrEqual(t, m.residual, tolerance, names[k])
				require.LessOrEqual(t, m.miss, 1e-6, names[k])
			}
			classical, learned, start = classical+r.by[without].iterations(), learned+r.by[with].iterations(), start+r.surrogate/5
		}
		return classical, learned, start
	}
	_, untrained, before := count()
	_, err = train(ctx, o, d, 80, rng, io.Discard)
	require.NoError(t, err)
	classical, trained, after := count()
	t.Logf("iterations %d without, %d untrained, %d trained; energy error at the start %.3f, then %.3f", classical, untrained, trained, before, after)
	require.Less(t, trained, untrained)
	require.Less(t, 4*trained, 3*classical)
	require.Less(t, after, 0.75*before)

	stopped, cancel := context.WithCancel(ctx)
	cancel()
	_, err = train(stopped, o, d, 1, rng, io.Discard)
	require.ErrorIs(t, err, context.Canceled)
	d.input[0] = float32(math.NaN())
	_, err = train(ctx, o, d, 8, rng, io.Discard)
	require.ErrorContains(t, err, "not a number at step")
}
