package main

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/npy"
)

// errors returns the errors of start and result that a run prints.
func runErrors(t *testing.T, c *settings) (start, found float64) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, c.run(context.Background(), &out, io.Discard))
	got := regexp.MustCompile(`error ([0-9.]+) m/s -> ([0-9.]+) m/s`).FindStringSubmatch(out.String())
	require.NotNil(t, got, out.String())
	start, err := strconv.ParseFloat(got[1], 64)
	require.NoError(t, err)
	found, err = strconv.ParseFloat(got[2], 64)
	require.NoError(t, err)
	return start, found
}

// A small model gets better, and with a fifth of noise it gets no worse.
func TestRun(t *testing.T) {
	m := synthetic(16, 24, 20, 3)
	path := filepath.Join(t.TempDir(), "model.npy")
	require.NoError(t, npy.Write(path, []int{1, 1, 16, 24}, m.vel))
	for _, noise := range []float64{0, 0.2} {
		c := &settings{data: path, out: t.TempDir(), dx: 20, shots: 3, iterations: 24, smooth: 4, noise: noise, seed: 1, threads: 2}
		start, found := runErrors(t, c)
		require.Less(t, found, start)
		require.FileExists(t, filepath.Join(c.out, "maps.png"))
		require.FileExists(t, filepath.Join(c.out, "error.png"))
	}
}

func TestOwnModel(t *testing.T) {
	c, err := parse(nil, io.Discard)
	require.NoError(t, err)
	m, err := c.load()
	require.NoError(t, err)
	lo, hi := m.bounds()
	require.True(t, m.own && lo > 1000 && hi < 4500, "%v to %v", lo, hi)
	require.Greater(t, meanError(m.smoothed(c.smooth), m.vel), 50.0)
	_, err = parse([]string{"-dx", "0"}, io.Discard)
	require.EqualError(t, err, "-dx is 0; wanted a positive number")
	c.data = filepath.Join(t.TempDir(), "none.npy")
	_, err = c.load()
	require.ErrorContains(t, err, "none.npy")
	require.NoError(t, npy.Write(c.data, []int{5}, make([]float32, 5)))
	_, err = c.load()
	require.ErrorContains(t, err, "wanted depth x distance")
}
