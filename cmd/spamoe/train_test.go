package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi"
)

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
