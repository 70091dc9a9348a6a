package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/internal/npy"
)

// Flags that would do nothing are refused.
func TestTrainRefusesUnusedFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs(t, 6)
	arrays := []string{"train", "-x", "x.npy", "-y", "y.npy", "-epochs", "1"}
	refuse(t, 2, append(arrays, "-model", "fno", "-preset", "small"), "-preset is a size of a spamoe, not of fno")
	refuse(t, 2, append(arrays, "-count", "-5"), "-count goes with data that are made")
	refuse(t, 2, []string{"train", "-data", "set", "-count", "5"}, "-count goes with data that are made")
	succeed(t, append(arrays, "-model", "fno", "-out", "run")...)
	config := filepath.Join("run", configFile)
	refuse(t, 2, []string{"train", "-config", config, "-model", "lno"}, "-model cannot be given with -config "+config+", which has a model, fno")
	refuse(t, 2, []string{"train", "-config", config, "-preset", "tiny"}, "-preset cannot be given")
	// Without a model in it the flag counts.
	require.NoError(t, os.WriteFile("part.json", []byte(`{"data": {"x": "x.npy", "y": "y.npy"}, "training": {"epochs": 1}}`), 0o644))
	succeed(t, "train", "-config", "part.json", "-model", "lno", "-out", "other")
	var c runConfig
	require.NoError(t, readJSON(filepath.Join("other", configFile), &c))
	require.Equal(t, "lno", c.Model.Network)

	refuse(t, 2, []string{"generate", "-family", ""}, "-family is empty")
	refuse(t, 2, []string{"eval", "-family", "Nonsense"}, "-family")
	refuse(t, 2, []string{"route", "-family", "FlatVel_A"}, "-family goes with -data")
}

// Lines, volumes, and planes of which one side alone has channels.
func TestTrainOnOtherAxes(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		name       string
		x, y       []int // without the samples
		wantX      []int
		wantY      []int
		hasTexture bool // terms of gradients and of the spectrum
	}{
		{"lines", []int{16}, []int{16}, []int{1, 16}, []int{1, 16}, false},
		{"line to two", []int{16}, []int{2, 16}, []int{1, 16}, []int{2, 16}, false},
		{"volumes", []int{1, 6, 6, 6}, []int{6, 6, 6}, []int{1, 6, 6, 6}, []int{1, 6, 6, 6}, false},
		{"plane to two", []int{8, 8}, []int{2, 8, 8}, []int{1, 8, 8}, []int{2, 8, 8}, true},
		{"two to plane", []int{2, 8, 8}, []int{8, 8}, []int{2, 8, 8}, []int{1, 8, 8}, true},
	} {
		const n = 6
		for file, shape := range map[string][]int{"x.npy": c.x, "y.npy": c.y} {
			v := make([]float32, n*product(shape))
			for i := range v {
				v[i] = float32(math.Sin(float64(i)))
			}
			require.NoError(t, npy.Write(file, append([]int{n}, shape...), v))
		}
		succeed(t, "train", "-model", "fno", "-x", "x.npy", "-y", "y.npy", "-epochs", "1", "-out", c.name)
		var got runConfig
		require.NoError(t, readJSON(filepath.Join(c.name, configFile), &got))
		require.Equal(t, c.wantX, got.Model.X, c.name)
		require.Equal(t, c.wantY, got.Model.Y, c.name)
		require.Equal(t, c.hasTexture, got.Training.Objective.Gradient > 0, c.name)
		require.Equal(t, c.hasTexture, got.Training.Objective.Fourier > 0, c.name)
		succeed(t, "predict", "-model", c.name, "-x", "x.npy", "-out", "p.npy", "-png", "p.png")
	}
	// What a configuration asks for is not changed.
	require.NoError(t, npy.Write("line.npy", []int{4, 16}, make([]float32, 64)))
	require.NoError(t, os.WriteFile("config.json", []byte(`{"training": {"objective": {"fourier": 1}}}`), 0o644))
	refuse(t, 1, []string{"train", "-config", "config.json", "-model", "fno", "-x", "line.npy", "-y", "line.npy"}, "need maps of two axes")
}

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
