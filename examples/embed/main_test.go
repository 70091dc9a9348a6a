package main

import (
	"bytes"
	"context"
	"flag"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	c := &settings{out: t.TempDir(), fields: 2, samples: batch, steps: 2, threads: 2, seed: 3}
	var out bytes.Buffer
	require.NoError(t, c.run(context.Background(), &out, io.Discard))
	require.Contains(t, out.String(), "trained on 8 fields of 32 x 32 cells")
	require.Contains(t, out.String(), "median")
	table, err := os.ReadFile(filepath.Join(c.out, "residuals.csv"))
	require.NoError(t, err)
	rows := strings.Split(strings.TrimSpace(string(table)), "\n")
	require.Equal(t, "iteration,without,operator,16 sines,36 sines,operator and 16 sines", rows[0])
	require.True(t, strings.HasPrefix(rows[1], "0,1,"), rows[1]) // without a coarse space it starts at zero
	for i, row := range rows {
		require.Equal(t, ways, strings.Count(row, ","), "row %d", i)
	}

	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, c.run(stopped, io.Discard, io.Discard), context.Canceled)

	file := filepath.Join(c.out, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	c.out = file
	require.ErrorContains(t, c.run(context.Background(), io.Discard, io.Discard), "file")
}

func TestParse(t *testing.T) {
	c, err := parse([]string{"-out", "d", "-seed", "7", "-fields", "20"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, settings{out: "d", fields: 20, samples: 1500, steps: c.steps, threads: c.threads, seed: 7}, *c)
	var help bytes.Buffer
	_, err = parse([]string{"-h"}, &help)
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Contains(t, help.String(), "-fields")
	for want, args := range map[string][]string{
		`unexpected argument "x"`:    {"x"},
		"must be at least 1":         {"-fields", "0"},
		"wanted at least one batch":  {"-samples", "3"},
		"flag provided but not defi": {"-field", "3"},
	} {
		_, err := parse(args, io.Discard)
		require.ErrorContains(t, err, want)
	}
}

func TestMedian(t *testing.T) {
	require.Equal(t, 2.0, median([]float64{3, 1, 2}))
	require.Equal(t, 2.5, median([]float64{4, 1, 3, 2}))
}

// A copy of this folder builds in another module.
func TestImportsAreThereForAll(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range append(files, "../diffusion/scheme.go", "../diffusion/field.go") {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, i := range f.Imports {
			require.NotContains(t, i.Path.Value, "/internal/", name)
		}
	}
}
