package fwi

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/internal/kernel"
)

func toyTraining() Training {
	c := DefaultTraining()
	c.Epochs, c.Batch, c.Rate, c.Schedule, c.Warmup, c.Average, c.Clip = 4, 4, 3e-3, "cosine", 1, 0.9, 1
	c.CheckpointEvery = time.Hour
	return c
}

func parameters(m *Model) map[string][]float32 {
	out := map[string][]float32{}
	for name, p := range autograd.Params(m.Net) {
		out[name] = append([]float32{}, p.Data...)
	}
	return out
}

// trained returns the parameters and the log of a whole run.
func trained(t *testing.T, cfg Training) (map[string][]float32, []Record) {
	dir, m := t.TempDir(), newToyModel(t)
	require.NoError(t, Train(context.Background(), m, newToy(30), newToy(8), cfg, dir, nil))
	log, err := ReadLog(filepath.Join(dir, LogFile))
	require.NoError(t, err)
	for i := range log {
		log[i].Seconds = 0
	}
	return parameters(m), log
}

func TestTrainingLearns(t *testing.T) {
	cfg := toyTraining()
	cfg.Epochs = 12
	_, log := trained(t, cfg)
	require.Len(t, log, 12)
	require.Less(t, log[11].Loss, log[0].Loss/2)
	require.Less(t, log[11].ValMAE, log[0].ValMAE/2)
	require.InDelta(t, 1500*log[11].ValMAE, log[11].ValError, 1e-9)
}

func TestTrainingDoesNotDependOnThreads(t *testing.T) {
	defer kernel.SetThreads(kernel.Threads())
	kernel.SetThreads(1)
	one, logOne := trained(t, toyTraining())
	kernel.SetThreads(2)
	two, logTwo := trained(t, toyTraining())
	require.Equal(t, one, two)
	require.Equal(t, logOne, logTwo)
}

// A run that stops at any step, with gradients of several batches half gathered or the validation ahead, and goes on from its
// checkpoint ends where an uninterrupted one does.
func TestResumeIsExact(t *testing.T) {
	for _, accumulate := range []int{1, 3} {
		cfg := toyTraining()
		cfg.Accumulate = accumulate
		cfg.Noise = 0.05 * float64(accumulate-1)
		want, wantLog := trained(t, cfg)
		for _, stop := range []int{1, 4, 8} {
			dir := t.TempDir()
			ctx, cancel := context.WithCancel(context.Background())
			err := Train(ctx, newToyModel(t), newToy(30), newToy(8), cfg, dir, func(e Event) {
				if e.Step == stop {
					cancel()
				}
			})
			require.ErrorIs(t, err, context.Canceled)
			m := newToyModel(t)
			require.NoError(t, Train(context.Background(), m, newToy(30), newToy(8), cfg, dir, nil))
			require.Equal(t, want, parameters(m))
			log, err := ReadLog(filepath.Join(dir, LogFile))
			require.NoError(t, err)
			for i := range log {
				log[i].Seconds = 0
			}
			require.Equal(t, wantLog, log)
		}
	}
}

// A batch larger than the set is the set.
func TestBatchLargerThanTheSet(t *testing.T) {
	cfg := toyTraining()
	cfg.Epochs, cfg.Batch = 2, 3
	want, _ := trainedOn(t, newToyModel(t), newToy(3), newToy(1), cfg, t.TempDir())
	cfg.Batch = math.MaxInt
	got, _ := trainedOn(t, newToyModel(t), newToy(3), newToy(1), cfg, t.TempDir())
	require.Equal(t, want, got)
}

// Noise is other noise in every epoch and for every pair, of the size that was asked for, and none in targets.
func TestLoaderAddsNoise(t *testing.T) {
	m := newToyModel(t)
	load := func(noise float64, epoch, i int) (x, y []float32) {
		l := newLoader(m, newToy(3))
		l.noise, l.seed, l.epoch = noise, 5, epoch
		x, y = make([]float32, l.nx), make([]float32, l.ny)
		require.NoError(t, l.pair(i, x, y))
		return x, y
	}
	clean, target := load(0, 0, 1)
	x, y := load(0.1, 0, 1)
	require.Equal(t, target, y)
	again, _ := load(0.1, 0, 1)
	require.Equal(t, x, again)
	later, _ := load(0.1, 1, 1)
	require.NotEqual(t, x, later)
	twice, _ := load(0.2, 0, 1)
	once, both := 0.0, 0.0
	for i, v := range clean {
		once += math.Abs(float64(x[i] - v))
		both += math.Abs(float64(twice[i] - v))
	}
	require.Positive(t, once)
	require.InEpsilon(t, 2, both/once, 0.25, "the toy's inputs are compressed a little")
}

// A run killed some time after a checkpoint leaves a log and perhaps a model from beyond it.
func TestResumeForgetsWhatCameAfterTheCheckpoint(t *testing.T) {
	cfg := toyTraining()
	want, wantLog := trained(t, cfg)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	err := Train(ctx, newToyModel(t), newToy(30), newToy(8), cfg, dir, func(e Event) {
		if e.Step == 10 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, appendRecord(filepath.Join(dir, LogFile), Record{Epoch: 2}))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ModelFile), []byte("half a model"), 0o644))
	m := newToyModel(t)
	require.NoError(t, Train(context.Background(), m, newToy(30), newToy(8), cfg, dir, nil))
	require.Equal(t, want, parameters(m))
	log, err := ReadLog(filepath.Join(dir, LogFile))
	require.NoError(t, err)
	require.Len(t, log, len(wantLog))
}

// A checkpoint is for the run that wrote it: only how long and how to go on may change.
func TestResumeRefusesAnotherRun(t *testing.T) {
	cfg, dir := toyTraining(), t.TempDir()
	cfg.Epochs = 1
	run := func(m *Model, train, val Data, cfg Training) error {
		return Train(context.Background(), m, train, val, cfg, dir, nil)
	}
	require.NoError(t, run(newToyModel(t), newToy(30), newToy(8), cfg))
	same := cfg
	same.Epochs, same.Patience, same.Recompute, same.CheckpointEvery = 2, 9, true, time.Second
	require.NoError(t, run(newToyModel(t), newToy(30), newToy(8), same))

	other := cfg
	other.Batch, other.Seed = 5, 1
	err := run(newToyModel(t), newToy(30), newToy(8), other)
	require.ErrorContains(t, err, CheckpointFile+" is of a run with other settings (Batch 4 there, 5 here; Seed 0 there, 1 here)")
	err = run(newToyModel(t), newToy(31), newToy(8), cfg)
	require.ErrorContains(t, err, "is of a run on 30 pairs, validated on 8; these are 31 and 8")
	order := make([]int, 30)
	for i := range order {
		order[i] = 29 - i
	}
	err = run(newToyModel(t), Subset{newToy(30), order}, newToy(8), cfg)
	require.ErrorContains(t, err, "is of a run on other data")
	c := toyConfig()
	c.YNorm = MinMax(0, 1500, 4600)
	m, err := New(c, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	require.ErrorContains(t, run(m, newToy(30), newToy(8), cfg), "is of a run with another model")

	path := filepath.Join(dir, CheckpointFile)
	f, err := checkpoint.Read(path)
	require.NoError(t, err)
	delete(f.Metadata, identityKey)
	require.NoError(t, checkpoint.Write(path, f.Tensors(), f.Metadata))
	require.ErrorContains(t, run(newToyModel(t), newToy(30), newToy(8), cfg), "does not say which run it is of")
}

// A line of a log may be of any length, and one that is cut is an error.
func TestReadLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	long := &Routing{Gates: make([]float64, 1<<16)}
	for epoch := range 3 {
		require.NoError(t, appendRecord(path, Record{Epoch: epoch, Routing: long}))
	}
	log, err := ReadLog(path)
	require.NoError(t, err)
	require.Len(t, log, 3)
	require.Equal(t, 2, log[2].Epoch)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text[:len(text)-5], 0o644))
	_, err = ReadLog(path)
	require.ErrorContains(t, err, "line 3")
}

func TestTrainingStopsEarly(t *testing.T) {
	cfg := toyTraining()
	cfg.Epochs, cfg.Patience, cfg.Rate, cfg.MinRate, cfg.Average = 50, 2, 1e-12, 0, 0
	_, log := trained(t, cfg)
	require.Less(t, len(log), 50)
}

func TestTrainingNamesWhatWentWrong(t *testing.T) {
	cfg := toyTraining()
	dir := t.TempDir()
	bad := newToy(30)
	bad.spot, bad.bad = 5, float32(math.NaN())
	err := Train(context.Background(), newToyModel(t), bad, newToy(8), cfg, dir, nil)
	require.ErrorContains(t, err, "input of pair 5 holds NaN at element 17")

	cfg.Rate, cfg.Clip, cfg.Warmup, cfg.Schedule = 1e30, 0, 0, "constant"
	err = Train(context.Background(), newToyModel(t), newToy(30), newToy(8), cfg, t.TempDir(), nil)
	require.ErrorContains(t, err, "training stopped at epoch 1, step ")
	require.ErrorContains(t, err, "no checkpoint was written before")

	cfg = toyTraining()
	cfg.Epochs, cfg.Schedule = 0, "sometimes"
	err = Train(context.Background(), newToyModel(t), newToy(30), newToy(8), cfg, dir, nil)
	require.ErrorContains(t, err, "epochs is 0")
	require.ErrorContains(t, err, `schedule "sometimes" is unknown`)

	err = Train(context.Background(), newToyModel(t), newToy(0), newToy(8), toyTraining(), dir, nil)
	require.ErrorContains(t, err, "the training set is empty")
}

func TestModelFile(t *testing.T) {
	m, path := newToyModel(t), filepath.Join(t.TempDir(), ModelFile)
	require.NoError(t, m.Save(path))
	again, err := Load(path)
	require.NoError(t, err)
	require.Equal(t, m.Config, again.Config)
	require.Equal(t, parameters(m), parameters(again))

	x := make([]float32, 3*480)
	for i := range 3 {
		require.NoError(t, newToy(3).Read(i, x[i*480:(i+1)*480], nil))
	}
	want, err := m.Predict(context.Background(), x)
	require.NoError(t, err)
	require.Len(t, want, 3*120)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 3 {
				got, err := again.Predict(context.Background(), x)
				if err != nil || !equal(want, got) {
					t.Error("a concurrent prediction differs")
				}
			}
		})
	}
	group.Wait()

	x[500] = float32(math.Inf(1))
	_, err = m.Predict(context.Background(), x)
	require.ErrorContains(t, err, "input 1 holds +Inf at element 20")
	_, err = m.Predict(context.Background(), x[:7])
	require.ErrorContains(t, err, "7 values do not make inputs of shape [2 24 10]")
}

func equal(a, b []float32) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// twoChannels has the maps of a toy as a first channel, and their square in another unit as a second.
type twoChannels struct{ *toy }

func (d twoChannels) Shapes() (x, y []int) { return []int{2, 24, 10}, []int{2, 12, 10} }

func (d twoChannels) Read(i int, x, y []float32) error {
	if y == nil {
		return d.toy.Read(i, x, nil)
	}
	err := d.toy.Read(i, x, y[:120])
	for j, v := range y[:120] {
		y[120+j] = v * v / 9e6
	}
	return err
}

// Errors in physical units are the mean over channels of different units, in training, in its evaluation and for the mean map.
func TestErrorsOfChannelsHaveTheirOwnUnits(t *testing.T) {
	c := toyConfig()
	c.Y, c.FNO.Out = []int{2, 12, 10}, 2
	c.YNorm = Normalisation{Shift: []float64{3000, 1}, Scale: []float64{1500, 0.5}}
	m, err := New(c, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	cfg, dir, val := toyTraining(), t.TempDir(), twoChannels{newToy(8)}
	cfg.Epochs = 1
	require.NoError(t, Train(context.Background(), m, twoChannels{newToy(12)}, val, cfg, dir, nil))
	sum := 0.0
	r, err := Evaluate(context.Background(), m, val, func(_ int, p, g []float32) { sum += absoluteError(p, g) })
	require.NoError(t, err)
	require.InEpsilon(t, sum/(8*240), r.Physical.MAE, 1e-4)
	log, err := ReadLog(filepath.Join(dir, LogFile))
	require.NoError(t, err)
	require.InEpsilon(t, r.Physical.MAE, log[0].ValError, 1e-4)

	guess := make([]float32, 240)
	mae, err := BaselineMAE(val, guess)
	require.NoError(t, err)
	require.InDelta(t, 3000, mae[0], 500)
	require.InDelta(t, 1, mae[1], 0.3)
}

func TestEvaluate(t *testing.T) {
	m, d := newToyModel(t), newToy(11)
	var seen []int
	sum := 0.0
	r, err := Evaluate(context.Background(), m, d, func(i int, p, g []float32) {
		seen = append(seen, i)
		sum += absoluteError(p, g)
	})
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, seen)
	require.Equal(t, 11, r.Samples)
	require.InEpsilon(t, sum/(11*120), r.Physical.MAE, 1e-4)
}
