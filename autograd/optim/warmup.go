package optim

import (
	"fmt"
	"math"
)

// Schedule gives the learning rate of an optimiser step, counted from 0; those of this package panic at a negative one. It is a pure function: a run that resumes at a step
// needs no other state.
type Schedule interface {
	Rate(step int) float64
}

// Warmup multiplies the rate of the first steps by a factor that grows to one. The zero Warmup changes nothing.
type Warmup struct {
	// Steps is the length of the warm-up; after it the schedule proper starts.
	Steps int `json:"steps,omitempty"`
	// Factor multiplies the rate at step 0; 0 means 1/3.
	Factor float64 `json:"factor,omitempty"`
	// Constant keeps Factor for all of the warm-up instead of growing linearly.
	Constant bool `json:"constant,omitempty"`
}

// factor returns what multiplies the rate at a step, and whether the step lies in the warm-up.
func (w Warmup) factor(step int) (f float64, warming bool) {
	if step < 0 {
		panic(fmt.Sprintf("optim: the learning rate of step %d; want a step of 0 or more", step))
	}
	if step >= w.Steps {
		return 1, false
	}
	start := w.Factor
	if start == 0 {
		start = 1.0 / 3
	}
	if w.Constant {
		return start, true
	}
	t := float64(step) / float64(w.Steps)
	return start*(1-t) + t, true
}

func (w Warmup) validate() error {
	if w.Steps < 0 {
		return fmt.Errorf("optim: a warm-up of %d steps; want 0 or more", w.Steps)
	}
	if !(w.Factor >= 0) {
		return fmt.Errorf("optim: a warm-up factor of %v; want 0 (for 1/3) or more", w.Factor)
	}
	return nil
}

// validateRates checks the rates that all schedules have.
func validateRates(base, least float64) error {
	if !(base > 0 && base <= math.MaxFloat64) {
		return fmt.Errorf("optim: a learning rate of %v; want a finite one, more than 0", base)
	}
	if !(least >= 0 && least <= math.MaxFloat64) {
		return fmt.Errorf("optim: a least learning rate of %v; want a finite one, 0 or more", least)
	}
	return nil
}
