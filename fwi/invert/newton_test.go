package invert

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// Half the sum of the squares of residuals is the misfit, on all cells and on every second.
func TestResiduals(t *testing.T) {
	wide := survey()
	wide.Pad = 40
	p := Problem{Survey: wide, NZ: testNZ, NX: testNX, Data: record(t, wide, anomaly())}
	r := &run{ctx: context.Background(), p: p, bounds: newBounds(1500, 4500)}
	vel := make([]float32, testNZ*testNX)
	for i := range vel {
		vel[i] = 2100
	}
	for _, s := range []Stage{{Gain: 0.5}, {LowPass: 6, Coarse: true}} {
		data, err := r.simulations(wide, s)
		require.NoError(t, err)
		require.Equal(t, s.Coarse, data[0].thin != nil)
		want, err := data.misfit(context.Background(), vel)
		require.NoError(t, err)
		got, err := data.residuals(context.Background(), vel)
		require.NoError(t, err)
		require.InEpsilon(t, want, halfSquare(got), 1e-5)
	}
}

// A handful of layers is found within a few steps from a start far from it.
func TestGaussNewtonFindsLayers(t *testing.T) {
	layers := func(v ...float32) []float32 {
		vel := make([]float32, testNZ*testNX)
		for i := range vel {
			vel[i] = v[i/testNX*len(v)/testNZ]
		}
		return vel
	}
	truth := layers(1900, 2500, 2200, 3100)
	p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: record(t, survey(), truth), Start: layers(2000, 2400, 2300, 2900)}
	steps := 0
	r, err := Run(context.Background(), p, Config{Stages: []Stage{{Iterations: 50, Prior: Strata}}, Watch: func(Progress) error {
		steps++
		return nil
	}})
	require.NoError(t, err)
	require.LessOrEqual(t, steps, gaussNewtonSteps)
	require.Less(t, meanError(r.Vel, truth), 3.0)
}

func TestSolveDamped(t *testing.T) {
	x, ok := solveDamped([]float32{4, 1, 1, 3}, []float64{1, 2}, 0)
	require.True(t, ok)
	require.InDeltaSlice(t, []float64{1.0 / 11, 7.0 / 11}, x, 1e-6)
	_, ok = solveDamped([]float32{1, 2, 2, 1}, []float64{1, 2}, 0)
	require.False(t, ok)
}
