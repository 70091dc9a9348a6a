package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/fwi/velocity"
	"github.com/spamoe/spamoe/internal/npy"
)

// A folder with files of another origin is not taken over.
func TestGenerateLeavesForeignFilesAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	family(t, "set", velocity.FlatVelA, 4)
	args := []string{"generate", "-count", "8", "-per-file", "4", "-out", "set"}
	refuse(t, 1, args, filepath.Join("set", "FlatVel_A", "data", "data1.npy")+" is there without "+filepath.Join("set", "FlatVel_A", recipeFile))
	require.NoFileExists(t, filepath.Join("set", "FlatVel_A", recipeFile))
	require.NoError(t, os.Remove("set/FlatVel_A/data/data1.npy"))
	refuse(t, 1, args, "model1.npy is there")
	require.NoError(t, os.Rename("set/FlatVel_A/model/model1.npy", "set/FlatVel_A/model/model7.npy"))
	refuse(t, 1, args, "model7.npy is there")
}

// A family that is named twice, in two spellings, is made once.
func TestGenerateMakesAFamilyOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	out := succeed(t, "generate", "-family", "FlatVel_A,FVA,Style_A,flatvel-a", "-count", "2", "-maps-only", "-out", ".")
	require.Equal(t, 1, strings.Count(out, "FlatVel_A.npy: 2 maps"))
	require.Equal(t, 2, strings.Count(out, "\n"))
}

// The picture of a family shows maps that its file holds, of a fault family with few and with many layers.
func TestGeneratedPictureShowsTheFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, f := range []velocity.Family{velocity.FlatVelA, velocity.FlatFaultA} {
		succeed(t, "generate", "-family", string(f), "-count", "25", "-seed", "4", "-maps-only", "-out", ".", "-png", "maps.png")
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
