package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi/invert"
	"github.com/spamoe/spamoe/fwi/wave"
	"github.com/spamoe/spamoe/internal/npy"
	"github.com/spamoe/spamoe/internal/testdata"
)

const lineNZ, lineNX, lineShots, lineTimes = 12, 16, 3, 120

// lineFlags describe the survey of writeLine.
var lineFlags = []string{"-dx", "20", "-dt", "0.002", "-depth", "12", "-bands", "8"}

// writeLine records a small map into data.npy, n times; true.npy has the maps.
func writeLine(t *testing.T, n int) (data []float32) {
	t.Helper()
	vel := make([]float32, lineNZ*lineNX)
	for i := range vel {
		vel[i] = 2000 + 80*float32(i/lineNX)
		if z, x := i/lineNX, i%lineNX; z > 4 && z < 8 && x > 5 && x < 11 {
			vel[i] -= 250
		}
	}
	s, err := wave.New[float32](wave.Config{Dx: 20, Dt: 0.002, Samples: lineTimes, Shots: lineShots}, lineNZ, lineNX)
	require.NoError(t, err)
	data = make([]float32, lineShots*lineTimes*lineNX)
	require.NoError(t, s.Forward(context.Background(), data, vel))
	var all, maps []float32
	for range n {
		all, maps = append(all, data...), append(maps, vel...)
	}
	require.NoError(t, npy.Write("data.npy", []int{n, lineShots, lineTimes, lineNX}, all))
	require.NoError(t, npy.Write("true.npy", []int{n, 1, lineNZ, lineNX}, maps))
	return data
}

// number returns the number that follows a word.
func number(t *testing.T, text, word string) float64 {
	t.Helper()
	found := regexp.MustCompile(regexp.QuoteMeta(word) + ` ([0-9.]+)`).FindStringSubmatch(text)
	require.NotNil(t, found, "%q in %q", word, text)
	x, err := strconv.ParseFloat(found[1], 64)
	require.NoError(t, err)
	return x
}

func TestInvert(t *testing.T) {
	t.Chdir(t.TempDir())
	writeLine(t, 2)
	args := append([]string{"invert", "-in", "data.npy", "-vel", "true.npy", "-out", "maps.npy", "-png", "maps.png", "-iterations", "60", "-state", "state"}, lineFlags...)
	out := succeed(t, args...)
	require.Less(t, number(t, out, "gather 1: misfit"), 0.05)
	start := number(t, out, "of the start")
	require.Less(t, number(t, out, "MAE"), 0.6*start)
	require.Contains(t, out, "mean of 2: misfit")
	maps, shape, err := npy.Read[float32]("maps.npy")
	require.NoError(t, err)
	require.Equal(t, []int{2, 1, lineNZ, lineNX}, shape)
	picture, err := os.ReadFile("maps.png")
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(picture, []byte("\x89PNG")))
	// Once more it finds everything done.
	require.NoError(t, os.Remove("maps.npy"))
	require.Equal(t, start, number(t, succeed(t, args...), "of the start"))
	again, _, err := npy.Read[float32]("maps.npy")
	require.NoError(t, err)
	require.Equal(t, maps, again)
	// From its own result it begins well; noise does not hurt much.
	out = succeed(t, append([]string{"invert", "-in", "data.npy", "-start", "maps.npy", "-out", "b.npy", "-png", "b.png", "-vel", "true.npy", "-first", "1",
		"-iterations", "8", "-add-noise", "0.02", "-wavelet", "estimate", "-prior", "blocks"}, lineFlags...)...)
	require.Less(t, number(t, out, "of the start"), 0.6*start)
	require.Less(t, number(t, out, "gather 1: misfit"), 0.08)
	// Other data do not go with the state.
	refuse(t, 1, append(args, "-add-noise", "0.01"), "gather 0", "state of an inversion of other data")
}

// The prediction of a trained model is a start.
func TestInvertFromModel(t *testing.T) {
	t.Chdir(t.TempDir())
	writeLine(t, 8)
	succeed(t, "train", "-x", "data.npy", "-y", "true.npy", "-epochs", "2", "-out", "run")
	args := append([]string{"invert", "-in", "data.npy", "-vel", "true.npy", "-model", "run", "-count", "1", "-out", "a.npy", "-iterations", "60"}, lineFlags...)
	out := succeed(t, args...)
	require.Less(t, number(t, out, "MAE"), number(t, out, "of the start"))
	refuse(t, 1, append(args, "-depth", "13"), "true.npy")
}

func TestInvertMisuse(t *testing.T) {
	t.Chdir(t.TempDir())
	writeLine(t, 2)
	in := append([]string{"invert", "-in", "data.npy", "-out", "m.npy"}, lineFlags...)
	refuse(t, 2, []string{"invert", "-in", "data.npy"}, "-in and -out are needed")
	refuse(t, 2, append(in, "-start", "a", "-model", "b"), "one of them is enough")
	refuse(t, 2, append(in, "-misfit", "l3"), "unknown misfit", "l3")
	refuse(t, 2, append(in, "-prior", "spots"), "unknown prior", "spots")
	refuse(t, 2, append(in, "-bounds", "3000,2000"), "-bounds is 3000,2000")
	refuse(t, 2, append(in, "-bands", "0"), `"0" is no positive number`)
	refuse(t, 2, append(in, "-first", "2"), "data.npy has 2 gathers")
	refuse(t, 2, append(in, "-first", "1", "-count", "9223372036854775807"), "data.npy has 2 gathers")
	refuse(t, 1, append(in, "-width", "9223372036854775807"), "12 x 9223372036854775807 cells", "want at most 2^31 cells")
	refuse(t, 2, append(in, "-free", "front"), "front")
	refuse(t, 2, append(in, "-dx", "-3"), "-dx is -3")
	refuse(t, 1, append(in, "-vel", "data.npy"), "data.npy: maps of shape 2x3x120x16; wanted 12x16")
	refuse(t, 1, append(in, "-start", "none.npy"), "none.npy")
	refuse(t, 1, append(in, "-bounds", "1500,9000"), "data.npy", "stable")
	refuse(t, 1, append([]string{"invert", "-in", testdata.Shared(t, "data", "segy", "f3.sgy"), "-out", "m.npy"}, lineFlags...), "f3.sgy", "want pre-stack traces")
}

// Fewer iterations are fewer rounds; cuts into regions that these could not mend are left out.
func TestBudget(t *testing.T) {
	cuts := func(n int) (all, rounds int) {
		for _, s := range budget(invert.Stages(wave.Config{}, 1500), n) {
			if s.Prior == invert.Regions {
				all++
			} else if !s.Coarse {
				rounds += s.Rounds
			}
		}
		return all, rounds
	}
	all, rounds := cuts(360)
	require.Equal(t, []int{3, 12}, []int{all, rounds})
	all, rounds = cuts(720)
	require.Equal(t, []int{3, 24}, []int{all, rounds})
	all, rounds = cuts(60)
	require.Equal(t, []int{1, 6}, []int{all, rounds})
}
