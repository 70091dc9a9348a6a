package invert

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

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
