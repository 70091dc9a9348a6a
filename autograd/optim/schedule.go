package optim

import (
	"fmt"
	"math"
	"sort"
)

// Constant is the same rate at every step after the warm-up.
type Constant struct {
	Base   float64 `json:"base"`
	Warmup Warmup  `json:"warmup,omitzero"`
}

// Rate implements Schedule.
func (s Constant) Rate(step int) float64 {
	f, _ := s.Warmup.factor(step)
	return s.Base * f
}

// Validate names the first setting that makes no sense.
func (s Constant) Validate() error {
	if err := validateRates(s.Base, 0); err != nil {
		return err
	}
	return s.Warmup.validate()
}

// Cosine falls from Base to Min along half a cosine over Steps steps after the warm-up, and stays there. With a warm-up and
// Min = 0 it is the one-cycle shape: up linearly, down to nothing. Steps has no default: Rate panics where it is less than 1.
type Cosine struct {
	Base   float64 `json:"base"`
	Min    float64 `json:"min,omitempty"`
	Steps  int     `json:"steps"`
	Warmup Warmup  `json:"warmup,omitzero"`
}

// Rate implements Schedule.
func (s Cosine) Rate(step int) float64 {
	if f, warming := s.Warmup.factor(step); warming {
		return s.Base * f
	}
	if err := s.length(); err != nil {
		panic(err.Error())
	}
	t := min(step-s.Warmup.Steps, s.Steps)
	return anneal(s.Base, s.Min, t, s.Steps)
}

// Validate names the first setting that makes no sense.
func (s Cosine) Validate() error {
	if err := validateRates(s.Base, s.Min); err != nil {
		return err
	}
	if err := s.length(); err != nil {
		return err
	}
	return s.Warmup.validate()
}

func (s Cosine) length() error {
	if s.Steps < 1 {
		return fmt.Errorf("optim: a cosine over %d steps; want at least 1", s.Steps)
	}
	return nil
}

// CosineRestarts falls from Base to Min along half a cosine and starts again, in cycles of First, First Mult, First Mult^2 ..
// steps (Loshchilov and Hutter, arXiv 1608.03983, equation 5). The cycles start after the warm-up. First has no default: Rate panics
// where it is less than 1.
type CosineRestarts struct {
	Base  float64 `json:"base"`
	Min   float64 `json:"min,omitempty"`
	First int     `json:"first"`
	// Mult is by how much each cycle is longer than the one before; 0 means 1.
	Mult   int    `json:"mult,omitempty"`
	Warmup Warmup `json:"warmup,omitzero"`
}

// Rate implements Schedule.
func (s CosineRestarts) Rate(step int) float64 {
	if f, warming := s.Warmup.factor(step); warming {
		return s.Base * f
	}
	if err := s.length(); err != nil {
		panic(err.Error())
	}
	t, length := step-s.Warmup.Steps, s.First
	if s.Mult <= 1 {
		return anneal(s.Base, s.Min, t%length, length)
	}
	for t >= length {
		t -= length
		length *= s.Mult
	}
	return anneal(s.Base, s.Min, t, length)
}

// Validate names the first setting that makes no sense.
func (s CosineRestarts) Validate() error {
	if err := validateRates(s.Base, s.Min); err != nil {
		return err
	}
	if err := s.length(); err != nil {
		return err
	}
	if s.Mult < 0 {
		return fmt.Errorf("optim: cycles that grow by a factor of %d; want 0 (for 1) or more", s.Mult)
	}
	return s.Warmup.validate()
}

func (s CosineRestarts) length() error {
	if s.First < 1 {
		return fmt.Errorf("optim: a first cycle of %d steps; want at least 1", s.First)
	}
	return nil
}

// anneal is the rate after t of n steps on half a cosine from high to low.
func anneal(high, low float64, t, n int) float64 {
	return low + (high-low)*(1+math.Cos(math.Pi*float64(t)/float64(n)))/2
}

// MultiStep multiplies the rate by Gamma at each milestone, a step counted from 0 with the warm-up included.
type MultiStep struct {
	Base       float64 `json:"base"`
	Milestones []int   `json:"milestones"`
	// Gamma is the factor at a milestone; 0 means 0.1.
	Gamma  float64 `json:"gamma,omitempty"`
	Warmup Warmup  `json:"warmup,omitzero"`
}

// Rate implements Schedule.
func (s MultiStep) Rate(step int) float64 {
	gamma := s.Gamma
	if gamma == 0 {
		gamma = 0.1
	}
	f, _ := s.Warmup.factor(step)
	passed := sort.SearchInts(s.Milestones, step+1)
	return s.Base * f * math.Pow(gamma, float64(passed))
}

// Validate names the first setting that makes no sense.
func (s MultiStep) Validate() error {
	if err := validateRates(s.Base, 0); err != nil {
		return err
	}
	if !sort.IntsAreSorted(s.Milestones) {
		return fmt.Errorf("optim: milestones %v; want them in ascending order", s.Milestones)
	}
	if !(s.Gamma >= 0) {
		return fmt.Errorf("optim: a factor of %v at milestones; want 0 (for 0.1) or more", s.Gamma)
	}
	return s.Warmup.validate()
}
