package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBench(t *testing.T) {
	dir := t.TempDir()
	cpu, memory := filepath.Join(dir, "cpu"), filepath.Join(dir, "memory")
	out := succeed(t, "bench", "-r", "2", "-only", "128x4900x128", "-cpuprofile", cpu, "-memprofile", memory, "sgemm")
	var m measurement
	require.NoError(t, json.Unmarshal([]byte(out), &m)) // one line only
	require.Equal(t, "sgemm 128x4900x128", m.Name)
	require.Positive(t, m.MinMS)
	require.LessOrEqual(t, m.MinMS, m.MedianMS)
	require.Positive(t, *m.GFLOPS)
	for _, file := range []string{cpu, memory} {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, "\x1f\x8b", string(b[:2])) // pprof's files are gzipped
	}
	refuse(t, 2, []string{"bench", "-r", "0", "sgemm"}, "-r is 0, -rounds 1; wanted 1 or more")
	refuse(t, 2, []string{"bench", "-peer", "x", "-memprofile", memory, "sgemm"}, "not with -peer")
	refuse(t, 2, []string{"bench", "-peer", " ", "sgemm"}, `-peer " " names no command`)
	help := succeed(t, "bench", "-h")
	for _, b := range benches {
		require.Contains(t, help, "\n  "+b.name+" ")
	}
}

// A peer is any command that prints measurements: here a shell script that has measured the same and something else.
func TestMeasuredPeer(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a shell script")
	}
	script := filepath.Join(t.TempDir(), "peer.sh")
	write := func(body string) {
		require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n"+body), 0o755))
	}
	var rivals []rival
	run := func(side int) error {
		return measured(context.Background(), []string{script, "-t", "2", "-r", "3", "fno"}, func(m measurement) { rivals = enter(rivals, side, m) })
	}
	write(`echo "{\"name\": \"$5 b1\", \"threads\": $2, \"min_ms\": 12.5, \"gflops\": null, \"peak_mb\": 300}"` + "\n" +
		`echo '{"name": "other", "min_ms": 1, "peak_mb": 1}'`)
	require.NoError(t, run(0))
	write(`echo '{"name": "fno b1", "min_ms": 10, "peak_mb": 200}'`)
	require.NoError(t, run(0))
	write(`echo '{"name": "fno b1", "min_ms": 4, "peak_mb": 100}'`)
	require.NoError(t, run(1))
	var b strings.Builder
	require.NoError(t, table(&b, rivals))
	require.Equal(t, "| bench | ratio | peer ms | ours ms | peer MB | ours MB |\n| --- | --- | --- | --- | --- | --- |\n"+
		"| fno b1 | 2.50 | 10.0 | 4.00 | 300 | 100 |\n", b.String())

	write("echo warming up")
	require.ErrorContains(t, run(0), `printed "warming up"; wanted a measurement as JSON with name, min_ms and peak_mb`)
	write("echo no such bench >&2; exit 3")
	require.ErrorContains(t, run(0), "exit status 3\nno such bench")
}
