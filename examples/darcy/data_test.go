package main

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/npy"
)

func TestReadPairs(t *testing.T) {
	dir := t.TempDir()
	x, y := filepath.Join(dir, "darcy_a_x.npy"), filepath.Join(dir, "darcy_a_y.npy")
	data := make([]float32, 3*4*4)
	for i := range data {
		data[i] = float32(i)
	}
	_, err := readPairs(dir, "a")
	require.ErrorContains(t, err, x, "a file that is absent is named")

	require.NoError(t, npy.Write(x, []int{3, 4, 4}, data))
	require.NoError(t, npy.Write(y, []int{3, 4, 4}, data))
	p, err := readPairs(dir, "a")
	require.NoError(t, err)
	require.Equal(t, []int{3, 4}, []int{p.count, p.n})
	_, last := p.part(1, 3).sample(1)
	require.Equal(t, data[2*16:], last)

	for want, write := range map[string]func() error{
		"darcy_a_y.npy: shape 2x4x4; wanted 3x4x4 as that of the inputs": func() error { return npy.Write(y, []int{2, 4, 4}, data[:32]) },
		"darcy_a_y.npy: shape 3x16; wanted samples on a square grid":     func() error { return npy.Write(y, []int{3, 16}, data) },
		"darcy_a_y.npy: element [2,3,3] is NaN": func() error {
			bad := append([]float32(nil), data...)
			bad[47] = float32(math.NaN())
			return npy.Write(y, []int{3, 4, 4}, bad)
		},
	} {
		require.NoError(t, write())
		_, err := readPairs(dir, "a")
		require.ErrorContains(t, err, want)
	}
}
