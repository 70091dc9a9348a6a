package wave

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Neither the adjoint field nor the sums of its products with the wave hold numbers that processors are slow with, of whatever size
// the misfit is.
func TestAdjointHoldsNoDenormals(t *testing.T) {
	const n = 30
	s, err := New[float32](Config{Samples: 500, Pad: 40, Shots: 1}, n, n)
	require.NoError(t, err)
	for _, scale := range []float32{1e-12, 1, 1e12} {
		lanes, p := s.plan(1, false)
		require.Equal(t, 1, lanes)
		r := s.takeReversal(p, false)
		part := r.run(context.Background(), layered[float32](n, n), 0, func(_ int, adjoint, gather []float32) float64 {
			for i, v := range gather {
				adjoint[i] = scale * v
			}
			return 0
		})
		require.NoError(t, part.err)
		require.NotZero(t, maxAbs(part.vel))
		for name, x := range map[string][]float32{"adjoint": r.back.now, "adjoint before": r.back.prev, "sum": r.back.sum, "wave": r.now} {
			count := 0
			for _, v := range x {
				if v != 0 && math.Abs(float64(v)) < 0x1p-126 {
					count++
				}
			}
			// Two tiny numbers may meet at the fringe of both fields; what must not be is whole regions of them.
			require.Less(t, count, len(x)/1000, "%s at scale %g", name, scale)
		}
		s.giveReversal(r)
	}
}
