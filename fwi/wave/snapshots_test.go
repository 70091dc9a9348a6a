package wave

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Snapshots show what receivers in every cell would record, however steps are grouped.
func TestSnapshotsAreWhatReceiversSee(t *testing.T) {
	const nz, nx = 11, 13
	cfg := Config{Samples: 64, Pad: 10, Sources: []Point{{2, 3}, {9, 9}}}
	for z := range nz {
		for x := range nx {
			cfg.Receivers = append(cfg.Receivers, Point{z, x})
		}
	}
	vel := layered[float32](nz, nx)
	gathers := simulate(t, cfg, nz, nx, vel)
	s, err := New[float32](cfg, nz, nx)
	require.NoError(t, err)
	for shot := range 2 {
		for _, every := range []int{1, 5, 64} {
			next := every - 1
			require.NoError(t, s.Snapshots(context.Background(), vel, shot, every, func(step int, field []float32) error {
				require.Equal(t, next, step)
				require.Equal(t, gathers[(shot*64+step)*nz*nx:][:nz*nx], field)
				next += every
				return nil
			}))
			require.Greater(t, next, 63)
		}
	}
	stop := errors.New("enough")
	require.ErrorIs(t, s.Snapshots(context.Background(), vel, 0, 2, func(int, []float32) error { return stop }), stop)
	require.EqualError(t, s.Snapshots(context.Background(), vel, 2, 2, nil), "wave: shot 2, want 0 to 1")
	require.EqualError(t, s.Snapshots(context.Background(), vel, 0, 0, nil), "wave: snapshots every 0 steps, want at least 1")
	require.EqualError(t, s.Snapshots(context.Background(), vel[1:], 0, 1, nil), "wave: model has 142 velocities, want 143 (11 x 13)")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, s.Snapshots(ctx, vel, 0, 1, nil), context.Canceled)
}

// With a margin they also show the strips, which are nothing past a free side.
func TestFieldsShowStrips(t *testing.T) {
	const nz, nx, margin, steps = 11, 13, 3, 40
	vel := layered[float32](nz, nx)
	for _, free := range []bool{false, true} {
		cfg := Config{Samples: steps, Pad: 10, Sources: []Point{{2, 3}}, Free: Sides{Top: free}}
		s, err := New[float32](cfg, nz, nx)
		require.NoError(t, err)
		var inner [][]float32
		require.NoError(t, s.Snapshots(context.Background(), vel, 0, 4, func(_ int, field []float32) error {
			inner = append(inner, slices.Clone(field))
			return nil
		}))
		k := 0
		most := float32(0)
		require.NoError(t, s.Fields(context.Background(), vel, 0, 4, margin, func(step int, field []float32) error {
			require.Equal(t, 4*k+3, step)
			require.Len(t, field, (nz+2*margin)*(nx+2*margin))
			for z := range nz {
				require.Equal(t, inner[k][z*nx:][:nx], field[(z+margin)*(nx+2*margin)+margin:][:nx])
			}
			for _, v := range field[:nx+2*margin] { // the outermost row above
				most = max(most, v)
			}
			k++
			return nil
		}))
		require.Equal(t, steps/4, k)
		require.Equal(t, free, most == 0)
		require.ErrorContains(t, s.Fields(context.Background(), vel, 0, 4, 11, nil), "wave: margin of 11 cells, want 0 to 10 (Pad)")
	}
}
