package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/internal/testdata"
)

// tiny makes a run of a second.
func tiny(t *testing.T) *settings {
	return &settings{out: t.TempDir(), samples: 36, test: 1, validate: 4, epochs: 1, threads: 2, seed: 3}
}

func TestRun(t *testing.T) {
	c := tiny(t)
	var out bytes.Buffer
	require.NoError(t, c.run(context.Background(), &out, io.Discard))
	require.Contains(t, out.String(), "32 media of 16 x 16 to train on, 4 to validate")
	require.Contains(t, out.String(), "32 x 32, never seen")
	require.FileExists(t, filepath.Join(c.out, "maps.png"))

	// The file holds the model and all that is needed to use it.
	file, err := checkpoint.Read(filepath.Join(c.out, "model.safetensors"))
	require.NoError(t, err)
	var config fno.Config
	require.NoError(t, file.Config(&config))
	net, err := fno.New(config, nil)
	require.NoError(t, err)
	require.NoError(t, checkpoint.LoadParams(file, net))
	require.NotEmpty(t, file.Metadata["output.std"])

	// The number of threads changes nothing.
	first, err := os.ReadFile(filepath.Join(c.out, "model.safetensors"))
	require.NoError(t, err)
	defer kernel.SetThreads(kernel.Threads())
	kernel.SetThreads(1)
	c.out = t.TempDir()
	require.NoError(t, c.run(context.Background(), io.Discard, io.Discard))
	second, err := os.ReadFile(filepath.Join(c.out, "model.safetensors"))
	require.NoError(t, err)
	require.True(t, bytes.Equal(first, second), "the models of 1 and 2 threads differ")
}

// Fifty steps on neuraloperator's maps are worth more than the mean solution, whose error is 0.48.
func TestLearnsFromData(t *testing.T) {
	data, err := readPairs(testdata.Shared(t, "data", "pde"), "train_16")
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 0))
	training, validation := data.part(0, 160), data.part(900, 920)
	o, err := newOperator(training, rng)
	require.NoError(t, err)
	before := relativeL2(o.predict(validation.x, 16, 1), validation)
	require.NoError(t, train(context.Background(), o, training, 5, rng, nil))
	after := relativeL2(o.predict(validation.x, 16, 1), validation)
	require.Greater(t, before, 0.5)
	t.Logf("relative L2 error %.3f, then %.3f", before, after)
	require.Less(t, after, 0.4)
}

func TestRunFails(t *testing.T) {
	c := tiny(t)
	c.data = t.TempDir()
	require.ErrorContains(t, c.run(context.Background(), io.Discard, io.Discard), "darcy_train_16_x.npy")

	c = tiny(t)
	c.samples, c.validate = 20, 5
	require.ErrorContains(t, c.run(context.Background(), io.Discard, io.Discard), "20 media to train on, 5 of them held out")

	data := newPairs(20, 16)
	for i := range data.y {
		data.y[i] = float32(i)
	}
	o, err := newOperator(data, rand.New(rand.NewPCG(1, 0)))
	require.NoError(t, err)
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, train(stopped, o, data, 1, rand.New(rand.NewPCG(1, 0)), nil), context.Canceled)
	o.mean = float32(math.NaN())
	require.ErrorContains(t, train(context.Background(), o, data, 1, rand.New(rand.NewPCG(1, 0)), nil), "not a number at step 1")
}

func TestParse(t *testing.T) {
	c, err := parse([]string{"-data", "d", "-seed", "7", "-epochs", "2"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, settings{data: "d", out: "runs/darcy", samples: 1000, test: 50, validate: 100, epochs: 2, threads: c.threads, seed: 7}, *c)
	var help bytes.Buffer
	_, err = parse([]string{"-h"}, &help)
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Contains(t, help.String(), "-epochs")
	for want, args := range map[string][]string{
		`unexpected argument "x"`:   {"x"},
		"must be at least 1":        {"-epochs", "0"},
		"-validate is -1":           {"-validate", "-1"},
		"flag provided but not def": {"-epoch", "3"},
	} {
		_, err := parse(args, io.Discard)
		require.ErrorContains(t, err, want)
	}
}

func TestRelativeL2(t *testing.T) {
	truth := &pairs{count: 2, n: 1, x: make([]float32, 2), y: []float32{2, -4}}
	require.InDelta(t, (0.5+0.25)/2, relativeL2([]float32{1, -5}, truth), 1e-12)
}
