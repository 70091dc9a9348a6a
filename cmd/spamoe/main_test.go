package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/internal/npy"
	"github.com/spamoe/spamoe/internal/testdata"
)

// TestMain lets a test run the program itself, to kill it.
func TestMain(m *testing.M) {
	if args := os.Getenv("SPAMOE_TEST_ARGS"); args != "" {
		os.Exit(run(context.Background(), &environment{os.Stdout, os.Stderr}, strings.Split(args, "\n")))
	}
	os.Exit(m.Run())
}

// spamoe runs a command line.
func spamoe(args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(context.Background(), &environment{&out, &errs}, args)
	return status, out.String(), errs.String()
}

// succeed runs a command line that must succeed.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	status, out, errs := spamoe(args...)
	require.Zero(t, status, errs)
	return out
}

// refuse runs a command line that must end with the given status and one line that has all the words.
func refuse(t *testing.T, status int, args []string, words ...string) {
	t.Helper()
	got, _, errs := spamoe(args...)
	require.Equal(t, status, got, "%v: %s", args, errs)
	require.Equal(t, 1, strings.Count(errs, "\n"), errs)
	for _, w := range words {
		require.Contains(t, errs, w)
	}
}

// pairs writes x.npy and y.npy, n pairs of 8 x 6 points with y a smooth function of x, into the working directory.
func pairs(t *testing.T, n int) {
	x, y := make([]float32, n*48), make([]float32, n*48)
	for i := range x {
		s, p := float64(i/48), float64(i%48)
		x[i] = float32(math.Sin(s+p/7) + 0.3*math.Cos(3*s-p/3))
		y[i] = 5 + 2*x[i]*x[i]
	}
	require.NoError(t, npy.Write("x.npy", []int{n, 8, 6}, x))
	require.NoError(t, npy.Write("y.npy", []int{n, 8, 6}, y))
}

func TestUsage(t *testing.T) {
	status, out, _ := spamoe("help")
	require.Zero(t, status)
	for _, c := range commands() {
		require.Contains(t, out, "\n  "+c.name)
		status, help, _ := spamoe(c.name, "-h")
		require.Zero(t, status)
		require.Contains(t, help, "usage: spamoe "+c.name)
		require.Contains(t, help, "-threads")
	}
	refuse(t, 2, []string{"trian"}, `unknown command "trian"`)
	refuse(t, 2, []string{"train", "-epoch", "3"}, "-epoch", "spamoe train -h")
	refuse(t, 2, []string{"train", "extra"}, `unexpected argument "extra"`)
	refuse(t, 2, []string{"train", "-threads", "0"}, "-threads is 0")
	refuse(t, 2, []string{"train", "-x", "a.npy"}, "-x and -y go together")
	refuse(t, 2, []string{"forward", "-vel", "a.npy"}, "-vel and one of -out and -gif are needed")
	refuse(t, 2, []string{"generate", "-family", "FlatVel_C"}, "FlatVel_C")
	refuse(t, 2, []string{"generate", "-maps-only", "-per-file", "9"}, "-per-file is of pairs")
	refuse(t, 2, []string{"bench", "nothing"}, `no bench "nothing"`)
	refuse(t, 2, []string{"conform"}, "0 arguments")
}

func TestTrainOnAnyArrays(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs(t, 24)
	refuse(t, 1, []string{"eval"}, "there is no run in this folder yet")
	out := succeed(t, "train", "-model", "fno", "-x", "x.npy", "-y", "y.npy", "-epochs", "40", "-out", "runs/one")
	require.Contains(t, out, "The mean of the training maps")
	var s summary
	require.NoError(t, readJSON("runs/one/metrics.json", &s))
	require.Less(t, s.Physical.MAE, s.MeanMap/2)
	for _, name := range []string{mapsPicture, lossPicture} {
		f, err := os.Open(filepath.Join("runs/one", name))
		require.NoError(t, err)
		_, err = png.Decode(f)
		require.NoError(t, err)
		f.Close()
	}
	refuse(t, 1, []string{"train", "-x", "x.npy", "-y", "y.npy", "-out", "runs/one"}, "holds a run already")
	refuse(t, 2, []string{"train", "-resume", "runs/one", "-rate", "3"}, "-rate cannot be given with -resume")

	// The last run is the default, and the pairs that it was validated on.
	var r struct {
		MAE float64 `json:"mae"`
	}
	require.NoError(t, json.Unmarshal([]byte(succeed(t, "eval", "-json")), &r))
	require.InEpsilon(t, s.MAE, r.MAE, 1e-6)
	succeed(t, "eval", "-x", "x.npy", "-y", "y.npy", "-png", "eval.png")
	require.FileExists(t, "eval.png")
	succeed(t, "predict", "-x", "x.npy", "-out", "p.npy", "-png", "p.png")
	p, shape, err := npy.Read[float32]("p.npy")
	require.NoError(t, err)
	require.Equal(t, []int{24, 1, 8, 6}, shape)
	require.InDelta(t, 6, p[0], 4)

	// Another run from its configuration and its parameters.
	succeed(t, "train", "-config", "runs/one/config.json", "-init", "runs/one", "-epochs", "1", "-out", "runs/two")
	refuse(t, 1, []string{"train", "-config", "runs/one/config.json", "-init", "nowhere", "-out", "runs/three"}, "nowhere")
}

func TestBadArrays(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs(t, 6)
	whole, err := os.ReadFile("x.npy")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("cut.npy", whole[:len(whole)-5], 0o644))
	refuse(t, 1, []string{"train", "-x", "cut.npy", "-y", "y.npy"}, "cut.npy")
	require.NoError(t, npy.Write("few.npy", []int{2, 8, 6}, make([]float32, 96)))
	refuse(t, 1, []string{"train", "-x", "few.npy", "-y", "y.npy"}, "few.npy has 2 samples", "y.npy has 6")
	hole := make([]float32, 6*48)
	hole[100] = float32(math.NaN())
	require.NoError(t, npy.Write("hole.npy", []int{6, 8, 6}, hole))
	refuse(t, 1, []string{"train", "-x", "hole.npy", "-y", "y.npy"}, "hole.npy", "NaN")
	refuse(t, 1, []string{"train", "-x", "none.npy", "-y", "y.npy"}, "none.npy")
	refuse(t, 1, []string{"forward", "-vel", "x.npy", "-out", "g.npy"}, "x.npy: map 0")
	require.NoFileExists(t, "g.npy")
	refuse(t, 1, []string{"forward", "-vel", "cut.npy", "-out", "g.npy"}, "cut.npy")
	require.NoError(t, npy.Write("line.npy", []int{6}, make([]float32, 6)))
	refuse(t, 1, []string{"forward", "-vel", "line.npy", "-out", "g.npy"}, "wanted HxW, NxHxW or Nx1xHxW")

	succeed(t, "train", "-model", "fno", "-x", "x.npy", "-y", "y.npy", "-epochs", "1", "-out", "run")
	refuse(t, 1, []string{"predict", "-x", "hole.npy", "-out", "p.npy"}, "hole.npy: sample 2: element [0,0,4] is NaN")
	require.NoError(t, npy.Write("gather.npy", []int{5, 100, 70}, make([]float32, 35000)))
	refuse(t, 1, []string{"predict", "-in", "gather.npy", "-out", "p.npy"}, "gather.npy", "[5 100 70]", "[1 8 6]")
	refuse(t, 1, []string{"eval", "-in", "gather.npy", "-vel", "y.npy"}, "y.npy")
	require.NoFileExists(t, "p.npy")
}

func TestBadModels(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs(t, 6)
	succeed(t, "train", "-model", "fno", "-x", "x.npy", "-y", "y.npy", "-epochs", "1", "-out", "run")
	path := filepath.Join("run", fwi.ModelFile)
	f, err := checkpoint.Read(path)
	require.NoError(t, err)
	tensors := map[string]checkpoint.Tensor{}
	for _, name := range f.Names() {
		tensors[name], _ = f.Tensor(name)
	}
	bias := "lifting.fcs.0.bias"
	require.Contains(t, tensors, bias)
	delete(tensors, bias)
	tensors["surplus"] = checkpoint.FromFloat32([]float32{1}, 1)
	tensors["lifting.fcs.1.bias"] = checkpoint.FromFloat32([]float32{1, 2, 3}, 3)
	require.NoError(t, checkpoint.Write("bad.safetensors", tensors, f.Metadata))
	refuse(t, 1, []string{"eval", "-model", "bad.safetensors", "-x", "x.npy", "-y", "y.npy"}, bias, "surplus", "lifting.fcs.1.bias", "missing", "unexpected", "shape")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("cut.safetensors", whole[:len(whole)-1], 0o644))
	refuse(t, 1, []string{"predict", "-model", "cut.safetensors", "-x", "x.npy", "-out", "p.npy"}, "cut.safetensors")
	require.NoError(t, os.WriteFile("config.json", []byte(`{"training": {"epoch": 3}}`), 0o644))
	refuse(t, 1, []string{"train", "-config", "config.json"}, "config.json", `"epoch"`)
}

// A disk that is full ends a run with one line and leaves the files that are there whole.
func TestFullDisk(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs(t, 6)
	small := testdata.SmallDisk(t, 64<<10)
	refuse(t, 1, []string{"train", "-model", "fno", "-x", "x.npy", "-y", "y.npy", "-epochs", "2", "-out", filepath.Join(small, "run")}, "no space")
	left, err := filepath.Glob(filepath.Join(small, "run", "*.safetensors*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestForwardAndGenerate(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates gathers")
	}
	t.Chdir(t.TempDir())
	v := make([]int64, 12*16)
	for i := range v {
		v[i] = 2000 + int64(i/16)*100
	}
	require.NoError(t, npy.Write("v.npy", []int{12, 16}, v))
	succeed(t, "forward", "-vel", "v.npy", "-out", "g.npy", "-steps", "300")
	g, shape, err := npy.Read[float32]("g.npy")
	require.NoError(t, err)
	require.Equal(t, []int{1, 5, 1000, 16}, shape)
	require.NotZero(t, g[200*16])
	require.Zero(t, g[300*16])

	succeed(t, "forward", "-vel", "v.npy", "-gif", "film.gif", "-steps", "300", "-every", "100")
	film, err := os.ReadFile("film.gif")
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(film, []byte("GIF89a")))
	refuse(t, 2, []string{"forward", "-vel", "v.npy"}, "-vel and one of -out and -gif are needed")
	refuse(t, 2, []string{"forward", "-vel", "v.npy", "-gif", "film.gif", "-shot", "5"}, "-shot is 5")
	refuse(t, 2, []string{"forward", "-vel", "v.npy", "-gif", "film.gif", "-steps", "5"}, "-every 10", "1 to -steps, 5")
	refuse(t, 2, []string{"forward", "-vel", "v.npy", "-gif", "film.gif", "-steps", "0"}, "-steps is 0")
	refuse(t, 2, []string{"forward", "-vel", "v.npy", "-out", "g.npy", "-shot", "1"}, "go with -gif")
	succeed(t, "forward", "-vel", "v.npy", "-out", "few.npy", "-steps", "5")

	args := []string{"generate", "-family", "FVA,FlatFault_A", "-count", "3", "-per-file", "2", "-out", "set"}
	succeed(t, args...)
	first, err := os.ReadFile("set/FlatVel_A/data/data2.npy")
	require.NoError(t, err)
	require.FileExists(t, "set/FlatFault_A/seis_4_1_0.npy")
	// What is missing is made again, the same; what is there stays.
	require.NoError(t, os.Remove("set/FlatVel_A/data/data2.npy"))
	succeed(t, args...)
	again, err := os.ReadFile("set/FlatVel_A/data/data2.npy")
	require.NoError(t, err)
	require.Equal(t, first, again)
	refuse(t, 1, append(args, "-seed", "5"), "made with other settings")
}

// Killed without warning and started again, generation ends with the same files, each pair once.
func TestKilledGenerationResumes(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates for a while")
	}
	t.Chdir(t.TempDir())
	args := func(out string) []string {
		return []string{"generate", "-family", "CurveFault_B,Style_A", "-count", "14", "-per-file", "3", "-seed", "9", "-out", out}
	}
	succeed(t, args("whole")...)
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), "SPAMOE_TEST_ARGS="+strings.Join(args("killed"), "\n"))
	require.NoError(t, victim.Start())
	defer victim.Process.Kill()
	require.Eventually(t, func() bool {
		done, _ := filepath.Glob("killed/CurveFault_B/vel*.npy")
		return len(done) >= 2
	}, 60*time.Second, time.Millisecond)
	require.NoError(t, victim.Process.Kill())
	victim.Wait()
	require.NoDirExists(t, "killed/Style_A/model", "the run ended before it could be killed")
	succeed(t, args("killed")...)
	var files []string
	require.NoError(t, filepath.WalkDir("whole", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, strings.TrimPrefix(path, "whole"))
		}
		return err
	}))
	require.Greater(t, len(files), 20)
	for _, name := range files {
		want, err := os.ReadFile("whole" + name)
		require.NoError(t, err)
		got, err := os.ReadFile("killed" + name)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), name)
	}
}

// Killed without warning and resumed, training ends with the same model, bit for bit.
func TestKilledTrainingResumes(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for a while")
	}
	t.Chdir(t.TempDir())
	pairs(t, 40)
	args := func(out string) []string {
		return []string{"train", "-model", "fno", "-x", "x.npy", "-y", "y.npy", "-epochs", "40", "-checkpoint-every", "1ms", "-out", out}
	}
	succeed(t, args("whole")...)
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), "SPAMOE_TEST_ARGS="+strings.Join(args("killed"), "\n"))
	require.NoError(t, victim.Start())
	defer victim.Process.Kill()
	log := filepath.Join("killed", fwi.LogFile)
	require.Eventually(t, func() bool {
		text, _ := os.ReadFile(log)
		return bytes.Count(text, []byte("\n")) >= 3
	}, 30*time.Second, time.Millisecond)
	require.NoError(t, victim.Process.Kill())
	victim.Wait()
	records, err := fwi.ReadLog(log)
	require.NoError(t, err)
	require.Less(t, len(records), 40, "the run ended before it could be killed")
	succeed(t, "train", "-resume", "killed")
	want, err := os.ReadFile(filepath.Join("whole", fwi.ModelFile))
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join("killed", fwi.ModelFile))
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got))
}
