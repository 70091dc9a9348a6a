package fwi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/optim"
)

// Names of the files that a training run writes into its folder.
const (
	ModelFile      = "model.safetensors"      // the best model so far
	CheckpointFile = "checkpoint.safetensors" // the state of training, for Train to continue from
	LogFile        = "log.jsonl"              // a Record per line
)

// Record is one line of the log of a run.
type Record struct {
	Epoch int     `json:"epoch"` // epochs completed
	Step  int     `json:"step"`  // optimiser steps completed
	Loss  float64 `json:"loss"`  // mean training loss of the epoch so far
	Rate  float64 `json:"rate"`  // learning rate of the last step
	// ValMAE is the validation error in normalised units, ValError the same in the unit of the maps. Both are given at the end
	// of an epoch only.
	ValMAE   float64 `json:"val_mae,omitempty"`
	ValError float64 `json:"val_error,omitempty"`
	Best     bool    `json:"best,omitempty"`
	// Routing tells, for a SPAMoE, what the spectral floor and the router did in the validation.
	Routing *Routing `json:"routing,omitempty"`
	Seconds float64  `json:"seconds"` // since the run was started or resumed
}

// Event tells an observer how training goes on: after every optimiser step, and at the end of an epoch with EndOfEpoch set.
type Event struct {
	Record
	Steps      int // optimiser steps of the whole run
	EndOfEpoch bool
}

// position is how far training has come: what a checkpoint holds beside tensors.
type position struct {
	Epoch     int     `json:"epoch"`
	Batch     int     `json:"batch"` // batches of this epoch that are done
	Step      int     `json:"step"`
	Sum       float64 `json:"sum"` // of the losses of this epoch's batches
	Best      float64 `json:"best"`
	BestEpoch int     `json:"best_epoch"` // 0: none yet
	BestLoss  float64 `json:"best_loss"`  // smallest mean training loss of an epoch
	Lines     int     `json:"lines"`      // of the log
}

// trainer is a training run at work. Its exported fields are the tensors of a checkpoint.
type trainer struct {
	Net     Network      `param:"model"`
	Optim   *optim.AdamW `param:"optimiser"`
	Average *optim.EMA   `param:"average"`
	model   *Model       // whose network Net is
	cfg     Training
	who     identity // of the run
	dir     string
	train   *loader
	val     *loader
	rates   optim.Schedule
	sum     *optim.Sum // of the gradients of several batches, where they make one step
	tape    *autograd.Tape
	source  *rand.PCG // of the tape's randomness
	now     position
	saved   string // the last checkpoint written or read, or empty
	start   time.Time
	last    time.Time // of the last checkpoint
	observe func(Event)
}

// Train trains m on one set and keeps in the folder dir the model that is best on the other, the log, and checkpoints. Where dir
// holds a checkpoint training continues from it; the result is bit for bit that of a run without the interruption. A checkpoint of
// another model, of other settings or of other data is an error; Epochs, Patience, Recompute and CheckpointEvery may change. It
// ends early, with a checkpoint written, when ctx is done (after the optimiser step at work; the error is then ctx's), and with an
// error when the loss is not finite or diverges. observe, which may be nil, is told about every step. On success m holds the best
// parameters.
func Train(ctx context.Context, m *Model, train, val Data, cfg Training, dir string, observe func(Event)) error {
	if err := errors.Join(cfg.Validate(), cfg.Objective.Fits(m.Config.Y)); err != nil {
		return err
	}
	for name, d := range map[string]Data{"training": train, "validation": val} {
		if d.Len() == 0 {
			return fmt.Errorf("fwi: the %s set is empty", name)
		}
		if err := m.fits(d); err != nil {
			return fmt.Errorf("fwi: %s set: %w", name, err)
		}
	}
	if s, ok := m.Net.(*SPAMoE); ok {
		s.Encoder.Recompute = cfg.Recompute
	}
	t := &trainer{Net: m.Net, model: m, cfg: cfg, dir: dir, train: newLoader(m, train), val: newLoader(m, val),
		Optim: optim.NewAdamW(m.Net, optim.Config{Decay: cfg.WeightDecay}), tape: &autograd.Tape{Train: true, Once: true, BFloat16: cfg.BFloat16},
		source: &rand.PCG{}, start: time.Now(), last: time.Now(), observe: observe}
	t.tape.Rand = rand.New(t.source)
	if cfg.Average > 0 {
		t.Average = optim.NewEMA(m.Net, cfg.Average)
	}
	if cfg.Accumulate > 1 {
		t.sum = optim.NewSum(m.Net)
	}
	var err error
	if t.who, err = newIdentity(cfg, train, val); err != nil {
		return err
	}
	t.rates, _ = cfg.schedule(t.stepsPerEpoch())
	if err := t.resume(); err != nil {
		return err
	}
	for t.now.Epoch < cfg.Epochs && !t.tired() {
		if err := t.epoch(ctx); err != nil {
			return err
		}
	}
	if err := t.checkpoint(); err != nil {
		return err
	}
	return m.LoadParams(filepath.Join(dir, ModelFile))
}

func (t *trainer) batchesPerEpoch() int {
	return (t.train.data.Len()-1)/t.cfg.Batch + 1
}

func (t *trainer) stepsPerEpoch() int {
	return (t.batchesPerEpoch()-1)/t.cfg.Accumulate + 1
}

// between reports whether no optimiser step is half done.
func (t *trainer) between() bool {
	return t.now.Batch%t.cfg.Accumulate == 0 || t.now.Batch == t.batchesPerEpoch()
}

// tired reports whether the patience is at its end.
func (t *trainer) tired() bool {
	return t.cfg.Patience > 0 && t.now.BestEpoch > 0 && t.now.Epoch-t.now.BestEpoch >= t.cfg.Patience
}

// epoch makes the rest of the current epoch. It stops between optimiser steps alone: the batches of a group have moved what the next one
// starts from, such as running statistics, so that a checkpoint within it could not be continued as if nothing had happened.
func (t *trainer) epoch(ctx context.Context) error {
	loading, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	order := shuffled(t.train.data.Len(), t.cfg.Seed, t.now.Epoch)
	t.train.noise, t.train.seed, t.train.epoch = t.cfg.Noise, t.cfg.Seed, t.now.Epoch
	n := t.batchesPerEpoch()
	for b := range t.train.batches(loading, order[min(len(order), t.now.Batch*t.cfg.Batch):], t.cfg.Batch) {
		if b.err != nil {
			return fmt.Errorf("training data: %w", b.err)
		}
		if t.between() && ctx.Err() != nil {
			break
		}
		group := t.now.Batch / t.cfg.Accumulate * t.cfg.Accumulate
		if err := t.step(b, t.now.Batch-group, min(t.cfg.Accumulate, n-group)); err != nil {
			return err
		}
		if t.between() && time.Since(t.last) >= t.cfg.CheckpointEvery {
			if err := t.checkpoint(); err != nil {
				return err
			}
		}
	}
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), t.checkpoint())
	}
	return t.endEpoch(ctx)
}

// step runs batch number i of the n whose gradients make one optimiser step, and makes that step after the last one.
func (t *trainer) step(b batch, i, n int) error {
	t.tape.Reset()
	t.source.Seed(t.cfg.Seed, uint64(t.now.Step)<<16|uint64(i))
	out := forward(t.Net, t.tape.Const(b.x), false)
	l := t.cfg.Objective.regularise(t.cfg.Objective.Loss(out.Map, t.tape.Const(b.y)), out)
	loss := float64(l.Data[0])
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return t.failed("the loss is %v", loss)
	}
	var grads optim.Gradients = l.Backward()
	if t.sum != nil {
		if i == 0 {
			t.sum.Reset()
		}
		t.sum.Add(grads, 1/float32(n))
		grads = t.sum
	}
	t.now.Sum += loss
	t.now.Batch++
	if i < n-1 {
		return nil
	}
	norm := t.Optim.StepWith(t.rates.Rate(t.now.Step), grads, optim.StepOptions{Clip: t.cfg.Clip, Average: t.Average})
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return t.failed("the gradient of %v is not finite", optim.NotFinite(t.Net, grads))
	}
	t.now.Step++
	t.tell(t.record(), false)
	return nil
}

// endEpoch validates, keeps the model if it is the best so far, and enters a line into the log.
func (t *trainer) endEpoch(ctx context.Context) error {
	mean := t.now.Sum / float64(t.now.Batch)
	const diverged = 20
	if t.now.BestLoss > 0 && mean > diverged*t.now.BestLoss {
		return t.failed("the loss diverges: its mean over the epoch is %.4g, after %.4g in the best epoch", mean, t.now.BestLoss)
	}
	r := t.record()
	err := t.averaged(func() (err error) {
		r.ValMAE, r.ValError, r.Routing, err = t.validate(ctx)
		return err
	})
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), t.checkpoint())
	}
	if err != nil {
		return fmt.Errorf("validation data: %w", err)
	}
	if math.IsNaN(r.ValMAE) {
		return t.failed("the validation error is %v", r.ValMAE)
	}
	r.Epoch++
	if t.now.BestLoss == 0 || mean < t.now.BestLoss {
		t.now.BestLoss = mean
	}
	if t.now.BestEpoch == 0 || r.ValMAE < t.now.Best {
		t.now.Best, t.now.BestEpoch, r.Best = r.ValMAE, r.Epoch, true
		if err := t.averaged(func() error { return t.model.Save(filepath.Join(t.dir, ModelFile)) }); err != nil {
			return err
		}
	}
	if err := appendRecord(filepath.Join(t.dir, LogFile), r); err != nil {
		return err
	}
	t.now.Lines++
	t.now.Epoch, t.now.Batch, t.now.Sum = r.Epoch, 0, 0
	t.tell(r, true)
	return nil
}

// averaged runs f while the network holds the averages of its parameters, where there are any.
func (t *trainer) averaged(f func() error) error {
	if t.Average != nil {
		t.Average.Swap()
		defer t.Average.Swap()
	}
	return f()
}

// validate returns the mean absolute error of normalised maps over the validation set, the same in the unit of the maps, and what a
// SPAMoE did there.
func (t *trainer) validate(ctx context.Context) (mae, physical float64, r *Routing, err error) {
	loading, stop := context.WithCancel(ctx)
	defer stop()
	sum, count := make([]float64, t.model.Config.Y[0]), 0 // of each channel
	var routing Routings
	tape := t.model.tape()
	defer t.model.tapes.Put(tape)
	for b := range t.val.batches(loading, inOrder(t.val.data.Len()), t.cfg.Batch) {
		if b.err != nil {
			return 0, 0, nil, b.err
		}
		out := forward(t.Net, tape.Const(b.x), true)
		routing.Add(out)
		addErrors(sum, out.Map.Data, b.y.Data, size(t.model.Config.Y[1:]))
		count += b.y.Len()
		tape.Reset()
	}
	for c, s := range sum {
		mae += s / float64(count)
		physical += s / float64(count) * t.model.Config.YNorm.Unit(c)
	}
	return mae, physical, routing.Summary(), ctx.Err()
}

// addErrors adds |p - g| of samples, each of len(sum) channels of n values, to the sums of the channels.
func addErrors(sum []float64, p, g []float32, n int) {
	for i := 0; i < len(p); i += n {
		sum[i/n%len(sum)] += absoluteError(p[i:i+n], g[i:i+n])
	}
}

func absoluteError(p, g []float32) float64 {
	sum := 0.0
	for i, v := range p {
		sum += math.Abs(float64(v - g[i]))
	}
	return sum
}

func (t *trainer) record() Record {
	return Record{Epoch: t.now.Epoch, Step: t.now.Step, Loss: t.now.Sum / float64(max(1, t.now.Batch)), Rate: t.rates.Rate(max(0, t.now.Step-1)),
		Seconds: math.Round(100*time.Since(t.start).Seconds()) / 100}
}

func (t *trainer) tell(r Record, end bool) {
	if t.observe != nil {
		t.observe(Event{Record: r, Steps: t.cfg.Epochs * t.stepsPerEpoch(), EndOfEpoch: end})
	}
}

// failed returns the error that ends a run which has gone wrong.
func (t *trainer) failed(format string, a ...any) error {
	where := "no checkpoint was written before"
	if t.saved != "" {
		where = "the last good checkpoint is " + t.saved
	}
	return fmt.Errorf("training stopped at epoch %d, step %d: %s; %s", t.now.Epoch+1, t.now.Step+1, fmt.Sprintf(format, a...), where)
}
