package invert

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// blurred is three regions with scatter and edges that are two cells wide, and what it should be without.
func blurred(nz, nx int) (u, clean []float64) {
	rng := rand.New(rand.NewPCG(6, 6))
	value := func(row, col int) float64 {
		switch {
		case row < nz/3:
			return -0.4
		case col < nx/2:
			return 0.1
		}
		return 0.5
	}
	for i := range nz * nx {
		row, col := i/nx, i%nx
		clean = append(clean, value(row, col))
		u = append(u, (value(row, col)+value(max(row-1, 0), col)+value(row, max(col-1, 0)))/3+0.01*rng.NormFloat64())
	}
	return u, clean
}

func TestFlattenFindsRegions(t *testing.T) {
	const nz, nx = 18, 24
	u, clean := blurred(nz, nx)
	flatten(u, nx, 0.2)
	_, n := connected(u, nx)
	require.Equal(t, 3, n)
	wrong := 0
	for i := range u {
		if d := u[i] - clean[i]; d > 0.05 || d < -0.05 {
			wrong++
		}
	}
	require.LessOrEqual(t, wrong, nx/2+nz, "cells of blurred edges")
}

// Without a price nothing is joined; with a high one all is, to the mean.
func TestFlattenToItsEnds(t *testing.T) {
	u, _ := blurred(7, 9)
	same := slices.Clone(u)
	flatten(same, 9, 0)
	require.Equal(t, u, same)
	mean := 0.0
	for _, v := range u {
		mean += v / float64(len(u))
	}
	flatten(u, 9, 1e9)
	for _, v := range u {
		require.InDelta(t, mean, v, 1e-12)
	}
}

func TestConnected(t *testing.T) {
	label, n := connected([]float64{
		1, 1, 2,
		2, 1, 2,
		2, 2, 1,
	}, 3)
	require.Equal(t, 4, n)
	require.Equal(t, []int{0, 0, 1, 2, 0, 1, 2, 2, 3}, label)
}

// Regions bring back a piecewise constant map; a map that is not made of
// regions is left as it was.
func TestRegionsReplaceTheMapOnlyIfTheDataAllow(t *testing.T) {
	truth := make([]float32, testNZ*testNX)
	for i := range truth {
		truth[i] = []float32{1800, 2300, 2900}[i/testNX/6]
	}
	start := slices.Clone(truth)
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range start {
		start[i] += float32(40*rng.NormFloat64()) + 60*float32(i/testNX/6)
	}
	p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: record(t, survey(), truth), Start: start}
	cfg := Config{Stages: []Stage{{Iterations: 60, Prior: Regions}}}
	r, err := Run(context.Background(), p, cfg)
	require.NoError(t, err)
	require.Less(t, meanError(r.Vel, truth), 5.0)

	for i := range truth {
		truth[i] += float32(300 * rng.Float64())
	}
	p.Data, p.Start = record(t, survey(), truth), slices.Clone(truth)
	p.Start[7] += 3
	r, err = Run(context.Background(), p, cfg)
	require.NoError(t, err)
	require.Less(t, meanError(r.Vel, p.Start), 0.01)
}

// A lax cut that the stage behind it has not mended is undone.
func TestSettle(t *testing.T) {
	for _, c := range []struct {
		stage         Stage
		before, after float64
		undone        bool
	}{
		{Stage{}, 1e-5, 5e-5, false}, // taken for noise
		{Stage{}, 1e-5, 1e-4, true},
		{Stage{}, 1e-3, 2.9e-3, false},
		{Stage{}, 1e-3, 3.1e-3, true},
		{Stage{LowPass: 9}, 1e-3, 8e-3, false}, // not the misfit that the cut was measured with
	} {
		r := &run{state: state{u: []float64{1, 2}, uncut: []float64{3, 4}, Uncut: c.before}}
		r.settle(c.stage, c.after, 0)
		require.Equal(t, c.undone, r.state.u[0] == 3)
		require.Nil(t, r.state.uncut)
	}
}
