package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/internal/npy"
)

// No command replaces what it reads, nor writes two things to one file.
func TestOutputsAreNoInputs(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs(t, 6)
	require.NoError(t, npy.Write("g.npy", []int{1, 5, 20, 8}, make([]float32, 800)))
	require.NoError(t, os.Symlink("x.npy", "link.npy"))
	require.NoError(t, os.Mkdir("gathers", 0o755))
	succeed(t, "train", "-model", "fno", "-x", "x.npy", "-y", "y.npy", "-epochs", "1", "-out", "run")
	model := filepath.Join("run", fwi.ModelFile)
	kept := map[string][]byte{}
	for _, name := range []string{"x.npy", "y.npy", "g.npy", model} {
		var err error
		kept[name], err = os.ReadFile(name)
		require.NoError(t, err)
	}
	for _, args := range [][]string{
		{"predict", "-x", "x.npy", "-out", "x.npy"},
		{"predict", "-x", "x.npy", "-out", "link.npy"},
		{"predict", "-x", "x.npy", "-out", "./p.npy", "-png", "p.npy"},
		{"predict", "-x", "x.npy", "-out", model},
		{"predict", "-in", "gathers", "-out", "gathers/p.npy"},
		{"eval", "-x", "x.npy", "-y", "y.npy", "-png", "y.npy"},
		{"forward", "-vel", "y.npy", "-out", "y.npy"},
		{"forward", "-vel", "y.npy", "-out", "g2.npy", "-gif", "../" + filepath.Base(working(t)) + "/g2.npy"},
		{"invert", "-in", "g.npy", "-out", "g.npy"},
		{"invert", "-in", "g.npy", "-out", "o.npy", "-png", "o.npy"},
		{"invert", "-in", "g.npy", "-out", model, "-model", "run"},
		{"export", "-model", "run", "-plain", "-out", model},
		{"train", "-model", "fno", "-x", "x.npy", "-y", "y.npy", "-init", model, "-out", "run"},
		{"bench", "-cpuprofile", "a.prof", "-memprofile", "a.prof", "sgemm"},
	} {
		refuse(t, 2, args, args[0])
	}
	for name, want := range kept {
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		require.True(t, string(want) == string(got), name)
	}
	for _, name := range []string{"p.npy", "o.npy", "g2.npy", "a.prof"} {
		require.NoFileExists(t, name)
	}
}

func working(t *testing.T) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	return dir
}

// A file that cannot be written is refused before the work, not after it.
func TestOutputsAreTriedFirst(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs(t, 6)
	succeed(t, "train", "-model", "fno", "-x", "x.npy", "-y", "y.npy", "-epochs", "1", "-out", "run")
	require.NoError(t, npy.Write("g.npy", []int{1, 5, 20, 8}, make([]float32, 800)))
	for _, png := range []string{"nowhere/p.png", "x.npy/p.png", "run"} {
		refuse(t, 1, []string{"eval", "-png", png}, "-png "+png)
		refuse(t, 1, []string{"predict", "-x", "x.npy", "-out", "p.npy", "-png", png}, "-png "+png)
		refuse(t, 1, []string{"invert", "-in", "g.npy", "-out", "p.npy", "-png", png}, "-png "+png)
		refuse(t, 1, []string{"generate", "-maps-only", "-out", "maps", "-png", png}, "-png "+png)
	}
	require.NoFileExists(t, "p.npy")
	left, err := filepath.Glob("maps/*")
	require.NoError(t, err)
	require.Empty(t, left)
	succeed(t, "generate", "-maps-only", "-count", "2", "-out", "maps", "-png", "maps/p.png")
}
