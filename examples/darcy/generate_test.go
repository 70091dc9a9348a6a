package main

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A field is as often positive as negative, and is continuous: neighbours seldom differ.
func TestMediumStatistics(t *testing.T) {
	const n, count = 32, 200
	highs, changes := 0, 0
	for seed := range uint64(count) {
		m := medium(n, rand.New(rand.NewPCG(seed, 0)))
		for i, v := range m {
			if v == 1 {
				highs++
			}
			if (i+1)%(n+1) != 0 && v != m[i+1] {
				changes++
			}
		}
	}
	require.InDelta(t, 0.5, float64(highs)/(count*(n+1)*(n+1)), 0.05)
	require.InDelta(t, 0.05, float64(changes)/(count*n*(n+1)), 0.02)
}

func TestGenerate(t *testing.T) {
	ctx := context.Background()
	sets, err := generate(ctx, 5, 0, 4, []int{16, 32}, nil)
	require.NoError(t, err)
	coarse, finer := sets[0], sets[1]
	for i := range coarse.count {
		x16, y16 := coarse.sample(i)
		x32, y32 := finer.sample(i)
		for j := range 16 {
			for k := range 16 {
				// Both resolutions have the point (j/16, k/16) of the same medium.
				require.Equal(t, x32[2*j*32+2*k], x16[j*16+k])
				require.Equal(t, y32[2*j*32+2*k], y16[j*16+k])
				if j == 0 || k == 0 {
					require.Zero(t, y16[j*16+k])
				} else {
					require.Greater(t, y16[j*16+k], float32(0))
				}
			}
		}
	}

	// A medium depends on its seed and its number, not on what else is made.
	again, err := generate(ctx, 5, 2, 2, []int{16}, nil)
	require.NoError(t, err)
	require.Equal(t, coarse.part(2, 4), again[0])
	other, err := generate(ctx, 6, 2, 2, []int{16}, nil)
	require.NoError(t, err)
	require.NotEqual(t, other[0].x, again[0].x)

	_, err = generate(ctx, 1, 0, 1, []int{17}, nil)
	require.ErrorContains(t, err, "96 cells cannot be thinned to 17")
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	_, err = generate(stopped, 1, 0, 1, []int{16}, nil)
	require.ErrorIs(t, err, context.Canceled)
}
