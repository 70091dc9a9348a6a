package main

import (
	"bytes"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/moe"
)

func TestRun(t *testing.T) {
	out := t.TempDir()
	var text bytes.Buffer
	require.NoError(t, run(out, 2, 1, &text))
	require.Contains(t, text.String(), "mixture, trained")
	f, err := os.Open(filepath.Join(out, "records.png"))
	require.NoError(t, err)
	defer f.Close()
	_, err = png.Decode(f)
	require.NoError(t, err)

	// The same seed gives the same text; a folder that cannot be made is told.
	var again bytes.Buffer
	require.NoError(t, run(out, 2, 1, &again))
	require.Equal(t, text.String(), again.String())
	file := filepath.Join(out, "records.png")
	require.ErrorContains(t, run(file, 0, 1, &again), file)
}

// The router finds the right expert for every kind, and the mixture is far better than each of its experts.
func TestLearns(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	m, err := moe.New(config, experts(), rng)
	require.NoError(t, err)
	x, y := records(30, rng)
	before := test(m, x, y)
	train(m, 200, rng)
	after := test(m, x, y)
	require.Less(t, after.err, 0.2*before.err)
	for k, row := range after.choices {
		require.GreaterOrEqual(t, row[k], 9, "%v", after.choices)
	}
}
