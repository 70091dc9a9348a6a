package fwi

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/spamoe/spamoe/autograd/optim"
)

// Training says how a model is trained. DefaultTraining returns SPAMoE's settings.
type Training struct {
	// Epochs is the number of passes over the training data, Batch the number of pairs of one step, and Accumulate the number of
	// batches whose gradients make one step of the optimiser (1).
	Epochs     int `json:"epochs"`
	Batch      int `json:"batch"`
	Accumulate int `json:"accumulate"`
	// Rate is the highest learning rate, MinRate the lowest, WeightDecay that of AdamW, Clip the largest norm of the gradient (0: no
	// limit).
	Rate        float64 `json:"rate"`
	MinRate     float64 `json:"min_rate"`
	WeightDecay float64 `json:"weight_decay"`
	Clip        float64 `json:"clip"`
	// Schedule is "restarts" (cosine with warm restarts, cycles of Cycle epochs that double), "cosine" (one fall to MinRate),
	// "steps" (a tenth at half and at three quarters of the epochs) or "constant", all after Warmup epochs of linear growth.
	Schedule string  `json:"schedule"`
	Warmup   float64 `json:"warmup"`
	Cycle    float64 `json:"cycle"`
	// Average is the decay of an exponential moving average of the parameters, which is what is validated and kept; 0: none.
	Average float64 `json:"average"`
	// Patience ends training after so many epochs without a better validation error; 0: never.
	Patience int `json:"patience"`
	// Recompute saves memory for time: the backbone of a SPAMoE's encoder remembers what enters its blocks, and computes the rest
	// again in the backward pass. Results do not depend on it.
	Recompute bool `json:"recompute,omitempty"`
	// BFloat16 trains on rounded products: see Model.BFloat16. Parameters, their gradients and the optimiser stay float32, and so does
	// the validation.
	BFloat16 bool `json:"bfloat16,omitempty"`
	// Noise is the random noise added to each input of the training data, anew in every epoch, as a fraction of the input's root mean square. Without,
	// a network that compresses amplitudes takes the noise of recordings for late reflections.
	Noise float64 `json:"noise,omitempty"`
	// Seed decides the order of the pairs and all randomness of training.
	Seed uint64 `json:"seed"`
	// Objective is the loss.
	Objective Objective `json:"objective"`
	// CheckpointEvery is the time between two checkpoints; every run also writes one at its end. Results do not depend on it.
	CheckpointEvery time.Duration `json:"checkpoint_every"`
}

// DefaultTraining returns the settings of SPAMoE: AdamW at 1e-4, 5 epochs of warm-up, cosine with warm restarts after 10, 20, 40
// .. epochs.
func DefaultTraining() Training {
	return Training{Epochs: 160, Batch: 32, Accumulate: 1, Rate: 1e-4, MinRate: 1e-6, WeightDecay: 1e-4, Schedule: "restarts", Warmup: 5,
		Cycle: 10, Objective: DefaultObjective(), CheckpointEvery: 30 * time.Second}
}

// Validate names all settings that make no sense.
func (t Training) Validate() error {
	var errs []error
	check := func(ok bool, format string, a ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("training: "+format, a...))
		}
	}
	check(t.Epochs >= 1, "epochs is %d; wanted 1 or more", t.Epochs)
	check(t.Batch >= 1, "batch is %d; wanted 1 or more", t.Batch)
	check(t.Accumulate >= 1, "accumulate is %d; wanted 1 or more", t.Accumulate)
	check(t.Rate > 0 && !math.IsInf(t.Rate, 0), "rate is %v; wanted a finite number above 0", t.Rate)
	check(t.MinRate >= 0 && !(t.MinRate > t.Rate), "min_rate is %v; wanted 0 to the rate, %v", t.MinRate, t.Rate)
	check(t.WeightDecay >= 0 && !math.IsInf(t.WeightDecay, 0), "weight_decay is %v; wanted a finite number, 0 or more", t.WeightDecay)
	check(t.Clip >= 0 && !math.IsInf(t.Clip, 0), "clip is %v; wanted a finite number, 0 or more", t.Clip)
	check(t.Warmup >= 0 && !math.IsInf(t.Warmup, 0), "warmup is %v; wanted a finite number, 0 or more", t.Warmup)
	check(t.Average >= 0 && t.Average < 1, "average is %v; wanted 0 to 1", t.Average)
	check(t.Noise >= 0 && t.Noise < math.MaxFloat32, "noise is %v; wanted 0 or more", t.Noise)
	check(t.Patience >= 0, "patience is %d; wanted 0 or more", t.Patience)
	check(t.CheckpointEvery >= 0, "checkpoint_every is %v; wanted 0 or more", t.CheckpointEvery)
	if _, err := t.schedule(1); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(append(errs, t.Objective.Validate())...)
}

// schedule returns the learning rate by optimiser step, for epochs of the given number of steps.
func (t Training) schedule(steps int) (optim.Schedule, error) {
	total := max(1, t.Epochs*steps)
	warm := optim.Warmup{Steps: min(int(t.Warmup*float64(steps)), total-1)}
	switch t.Schedule {
	case "restarts":
		if !(t.Cycle > 0) || math.IsInf(t.Cycle, 0) {
			return nil, fmt.Errorf("training: cycle is %v epochs; wanted a finite number above 0", t.Cycle)
		}
		return optim.CosineRestarts{Base: t.Rate, Min: t.MinRate, First: max(1, int(t.Cycle*float64(steps))), Mult: 2, Warmup: warm}, nil
	case "cosine":
		return optim.Cosine{Base: t.Rate, Min: t.MinRate, Steps: total - warm.Steps, Warmup: warm}, nil
	case "steps":
		return optim.MultiStep{Base: t.Rate, Milestones: []int{total / 2, total * 3 / 4}, Warmup: warm}, nil
	case "constant":
		return optim.Constant{Base: t.Rate, Warmup: warm}, nil
	}
	return nil, fmt.Errorf("training: schedule %q is unknown; wanted restarts, cosine, steps or constant", t.Schedule)
}
