package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/internal/npy"
)

// Where all maps are alike there is no error to compare with.
func TestTrainOnConstantTargets(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs(t, 6)
	y := make([]float32, 6*48)
	for i := range y {
		y[i] = 2.1
	}
	require.NoError(t, npy.Write("y.npy", []int{6, 8, 6}, y))
	out := succeed(t, "train", "-model", "fno", "-x", "x.npy", "-y", "y.npy", "-epochs", "1", "-out", "run")
	require.Contains(t, out, "there was nothing to learn")
	require.NotContains(t, out, "Inf")
}

// The baseline of several channels counts each in its own unit.
func TestBaselineOfChannels(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, npy.Write("x.npy", []int{2, 1, 2}, make([]float32, 4)))
	require.NoError(t, npy.Write("y.npy", []int{2, 2, 2}, []float32{100, 100, 1, 1, -100, -100, -1, -1}))
	d, err := openfwi.OpenArrays("x.npy", "y.npy")
	require.NoError(t, err)
	c := fwi.Config{YNorm: fwi.Normalisation{Shift: []float64{0, 0}, Scale: []float64{100, 1}}}
	b, err := newBaseline(&c, d, d)
	require.NoError(t, err)
	require.Equal(t, baseline{mae: 50.5, normalised: 1}, b)
	require.Contains(t, b.compare(25.25, ""), "a MAE of 50.5; the model has 0.50 of that")
}

// Settings that make no sense are refused before anything is written.
func TestTrainChecksSettingsFirst(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs(t, 6)
	arrays := []string{"train", "-model", "fno", "-x", "x.npy", "-y", "y.npy", "-out", "run"}
	refuse(t, 2, append(arrays, "-epochs", "0"), "epochs is 0")
	refuse(t, 2, append(arrays, "-rate", "NaN"), "rate is NaN")
	refuse(t, 2, append(arrays, "-rate", "Inf"), "rate is +Inf")
	refuse(t, 2, []string{"train", "-epochs", "0"}, "epochs is 0")
	c := runConfig{Data: source{X: "x.npy", Y: "y.npy", Validation: 0.5}, Training: defaultTraining("fno")}
	c.Training.Objective.L1 = -1
	require.NoError(t, writeJSON("config.json", c))
	refuse(t, 2, []string{"train", "-config", "config.json", "-out", "run"}, "a weight of -1")
	require.NoDirExists(t, "run")
	require.NoDirExists(t, runsFolder)

	succeed(t, append(arrays, "-epochs", "1")...)
	before, err := os.ReadFile(filepath.Join("run", configFile))
	require.NoError(t, err)
	refuse(t, 2, []string{"train", "-resume", "run", "-epochs", "-1"}, "epochs is -1")
	after, err := os.ReadFile(filepath.Join("run", configFile))
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
	succeed(t, "train", "-resume", "run")

	// A checkpoint alone makes a folder a run.
	require.NoError(t, os.Remove(filepath.Join("run", configFile)))
	refuse(t, 1, append(arrays, "-epochs", "1", "-seed", "1"), "run holds a run already, "+fwi.CheckpointFile)
}
