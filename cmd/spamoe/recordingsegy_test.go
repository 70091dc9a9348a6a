package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi/segy"
	"github.com/spamoe/spamoe/fwi/wave"
	"github.com/spamoe/spamoe/internal/npy"
)

// writeSEGY writes the survey of writeLine, the last shot without its last traces.
func writeSEGY(t *testing.T, name string, data []float32, without int) {
	t.Helper()
	var b bytes.Buffer
	w, err := segy.NewWriter(&b, segy.Float32, lineTimes, 0.002)
	require.NoError(t, err)
	for s, source := range wave.Line(1, lineShots, lineNX) {
		for r := range lineNX {
			if s == lineShots-1 && r >= lineNX-without {
				break
			}
			trace := make([]float32, lineTimes)
			for i := range trace {
				trace[i] = data[(s*lineTimes+i)*lineNX+r]
			}
			require.NoError(t, w.Append(segy.Header{Record: s + 1, SourceX: 700 + 20*float64(source.Col), ReceiverX: 700 + 20*float64(r)}, trace))
		}
	}
	require.NoError(t, os.WriteFile(name, b.Bytes(), 0o600))
}

// The same gathers as a SEG-Y file give the same maps.
func TestInvertSEGY(t *testing.T) {
	t.Chdir(t.TempDir())
	data := writeLine(t, 1)
	writeSEGY(t, "line.sgy", data, 0)
	common := append([]string{"-iterations", "6"}, lineFlags...)
	succeed(t, append([]string{"invert", "-in", "data.npy", "-out", "a.npy"}, common...)...)
	succeed(t, append([]string{"invert", "-in", "line.sgy", "-out", "b.npy"}, common...)...)
	a, _, err := npy.Read[float32]("a.npy")
	require.NoError(t, err)
	c, shape, err := npy.Read[float32]("b.npy")
	require.NoError(t, err)
	require.Equal(t, []int{1, 1, lineNZ, lineNX}, shape)
	require.Equal(t, a, c)
}

// Samples too far apart for the scheme are interpolated.
func TestInterpolate(t *testing.T) {
	t.Chdir(t.TempDir())
	data := writeLine(t, 1)
	x := make([]float32, 60)
	for i := range x {
		x[i] = data[2*i*lineNX+3]
	}
	fine := interpolate(x, 2)
	for i := range 100 {
		require.InDelta(t, data[i*lineNX+3], fine[i], 0.02)
	}
}

// A wavelet has the time scale of the recording, whatever the time step of the simulation.
func TestSEGYWavelet(t *testing.T) {
	t.Chdir(t.TempDir())
	writeSEGY(t, "line.sgy", writeLine(t, 1), 0)
	const freq = 15.0
	ricker := wave.Ricker(freq, 0.002)
	require.NoError(t, npy.Write("ricker.npy", []int{len(ricker)}, ricker))
	for bounds, steps := range map[string]int{"1500,4500": 1, "1500,6000": 2, "1500,14000": 3} {
		v := inversion{in: "line.sgy", wavelet: "ricker.npy", bounds: bounds, dx: 20, freq: freq, depth: lineNZ, row: 1}
		rec, err := v.open()
		require.NoError(t, err)
		require.Equal(t, 0.002/float64(steps), rec.survey.Dt, bounds)
		require.Len(t, rec.survey.Wavelet, steps*len(ricker), bounds)
		fine := wave.Ricker(freq, rec.survey.Dt)
		late := len(fine)/2 - steps*(len(ricker)/2) // the peak of the fine one, from that of the other
		for i, w := range rec.survey.Wavelet[:steps*(len(ricker)-1)] {
			require.InDelta(t, fine[i+late], w, 1e-4, "%s: %d", bounds, i)
		}
		require.NoError(t, rec.close())
	}
}

// A model trained on gathers takes those of a SEG-Y file, whatever the time step of the simulation.
func TestInvertSEGYFromModel(t *testing.T) {
	t.Chdir(t.TempDir())
	writeLine(t, 8)
	succeed(t, "train", "-x", "data.npy", "-y", "true.npy", "-epochs", "2", "-out", "run")
	data := writeLine(t, 1)
	writeSEGY(t, "line.sgy", data, 0)
	writeSEGY(t, "uneven.sgy", data, 2)
	args := append([]string{"invert", "-model", "run", "-vel", "true.npy", "-out", "a.npy", "-iterations", "1"}, lineFlags...)
	start := number(t, succeed(t, append(args, "-in", "data.npy")...), "of the start")
	for _, bounds := range []string{"1500,4500", "1500,6000"} {
		out := succeed(t, append(args, "-in", "line.sgy", "-bounds", bounds)...)
		require.InDelta(t, start, number(t, out, "of the start"), 1, bounds)
	}
	refuse(t, 1, append(args, "-in", "uneven.sgy"), "uneven.sgy: record 3 has 14 traces and another 16; with -model, wanted as many in all records")
}

// Numbers too large for a grid are refused by name.
func TestSEGYOutOfRange(t *testing.T) {
	t.Chdir(t.TempDir())
	writeSEGY(t, "line.sgy", writeLine(t, 1), 0)
	in := append([]string{"invert", "-in", "line.sgy", "-out", "m.npy"}, lineFlags...)
	refuse(t, 1, append(in, "-bounds", "1500,1e300"), "line.sgy: 120 samples 0.002 s apart are 2.4e+298 time steps for velocities to 1e+300 m/s in cells of 20 m; wanted at most 16777216 (-bounds, -dx)")
	refuse(t, 1, append(in, "-dx", "1e-18"), "line.sgy: the line is 300 m long, 3e+20 cells of 1e-18 m; wanted at most 2147483647 (-dx)")
	refuse(t, 1, append(in, "-dx", "0.01", "-width", "16"), "line.sgy: a receiver of record 1, 20 m along the line and 0 m deep, lies at row 1, column 2000; wanted a cell of the 12 x 16 map")
	refuse(t, 1, append(in, "-width", "9"), "line.sgy: a receiver of record 1, 180 m along the line and 0 m deep, lies at row 1, column 9; wanted a cell of the 12 x 9 map")
	refuse(t, 1, append(in, "-row", "9223372036854775807"), "line.sgy: the source of record 1, 0 m along the line and 0 m deep, lies at row 9.223372036854776e+18, column 0")
	refuse(t, 1, append(in, "-width", "9223372036854775807"), "12 x 9223372036854775807 cells", "want at most 2^31 cells")
}
