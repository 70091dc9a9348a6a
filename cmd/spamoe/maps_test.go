package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/fwi/velocity"
	"github.com/spamoe/spamoe/internal/npy"
)

// The picture of a family shows maps that its file holds, of a fault family with few and with many layers.
func TestGeneratedPictureShowsTheFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, f := range []velocity.Family{velocity.FlatVelA, velocity.FlatFaultA} {
		succeed(t, "generate", "-family", string(f), "-count", "25", "-per-file", "3", "-seed", "4", "-maps-only", "-out", ".", "-png", "maps.png")
		require.FileExists(t, "maps.png")
		all, _, err := npy.Read[float32](string(f) + ".npy")
		require.NoError(t, err)
		row, err := recipe{Family: f, Count: 25, Seed: 4, PerFile: 3, Steps: recordedSteps}.row()
		require.NoError(t, err)
		require.Len(t, row.Maps, 10)
		const n = openfwi.Depths * openfwi.Places
		for k, m := range row.Maps {
			require.Equal(t, all[k*25/10*n:][:n], m, "%s %d", f, k)
		}
	}
	few, err := recipe{Family: velocity.FlatVelA, Count: 3, PerFile: 3}.row()
	require.NoError(t, err)
	require.Len(t, few.Maps, 3)
}
