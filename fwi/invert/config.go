package invert

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/spamoe/spamoe/fwi/wave"
)

// Problem is what was recorded, and where.
type Problem struct {
	// Survey is how it was recorded. Rows of zeros at the end of all traces count as not recorded, whatever its Steps say.
	Survey wave.Config
	NZ, NX int       // cells of the map
	Data   []float32 // shots x samples x receivers
	Start  []float32 // the map to start from, nz x nx; nil: linear in depth, chosen by the misfit of a low band (start.go)
}

// Config says how to invert. Its zero value gives sensible results for recordings without too much noise.
type Config struct {
	Min    float64 `json:"min,omitempty"`    // bounds of the velocity in m/s (1500)
	Max    float64 `json:"max,omitempty"`    // (4500); the survey has to be stable up to it
	Stages []Stage `json:"stages,omitempty"` // none: Stages of the survey
	Pairs  int     `json:"pairs,omitempty"`  // of steps and gradients that L-BFGS remembers (100)
	// Probes is how many gradients estimate the illumination at the beginning of a round (3); negative: none, all cells get the
	// same weight.
	Probes int     `json:"probes,omitempty"`
	Power  float64 `json:"power,omitempty"` // of the illumination, that weights are the inverse of (0.4)
	// Mute is the radius in cells around sources within which the map changes little (0): what lies there is dominated by the
	// singularity of the source.
	Mute float64 `json:"mute,omitempty"`
	// Target ends the inversion once the relative misfit of a stage without filter and window is below it (2e-5); if the last stage is one of
	// Regions, that one follows still.
	Target float64 `json:"target,omitempty"`
	// Stall ends a round once ten iterations lower the objective by less than this fraction (0.001).
	Stall float64 `json:"stall,omitempty"`
	// State names the file that keeps the state of the inversion, to resume from it; empty: none.
	State string `json:"-"`
	// Every is how much time passes at least from one saving to the next (10 s).
	Every time.Duration `json:"-"`
	// Watch is told of every iteration; an error of its ends the inversion.
	Watch func(Progress) error `json:"-"`
}

// Stage is a part of an inversion: one frequency band, one misfit, one prior. The map that one stage ends with is where the next
// begins.
type Stage struct {
	// LowPass is the corner in hertz of the low-pass filter that data and simulation go through; zero for none.
	LowPass float64 `json:"low_pass,omitempty"`
	// Window is how many seconds of the recording count; zero: all. Early samples know the shallow part of the map alone.
	Window float64 `json:"window,omitempty"`
	// Gain is the power of the inverse local amplitude that L2 and L1 weigh with; zero: none.
	Gain   float64 `json:"gain,omitempty"`
	Misfit Misfit  `json:"misfit"`
	// Iterations of the optimiser in a round, and rounds. A round begins with new weights: of the regularisation, which follows
	// the misfit, and of the illumination. For L2, Regions and Strata take a few steps of Gauss-Newton in their place, and then
	// Regions moves cells between regions.
	Iterations int `json:"iterations"`
	Rounds     int `json:"rounds,omitempty"` // zero: one
	// Newton begins every round with the full curvature and a step of Gauss-Newton, and preconditions Iterations of L-BFGS with it (newtonRound); there
	// is no smoothing then. On coarse cells the unknowns are blocks of two by two cells. Misfits other than L2, other priors than Cells and Blocks,
	// and more unknowns than newtonCells make do with L-BFGS.
	Newton bool `json:"newton,omitempty"`
	// Enough is the misfit, as a relative error for L2, at which the rounds that remain are left out.
	Enough float64 `json:"enough,omitempty"`
	// Variation weighs the total variation and Tikhonov the squared differences: the regularisation of the map that a round
	// begins with, as a fraction of the misfit it begins with, with Newton of what of that is not noise.
	Variation float64 `json:"variation,omitempty"`
	Tikhonov  float64 `json:"tikhonov,omitempty"`
	// Smooth is the standard deviation in cells of the Gaussian that updates are smoothed with.
	Smooth float64 `json:"smooth,omitempty"`
	Prior  Prior   `json:"prior"`
	Price  float64 `json:"price,omitempty"` // of a side of a cell between two regions: see flatten (0.01)
	// Loss is how many times the misfit of the map that Regions and Strata are cut from theirs may be (6.25: relative errors of L2 by 2.5).
	// Behind a cut without filter at more than 3, the stage of cells that follows has to mend the map: if it ends above 3 times the misfit
	// that the map had before, the cut is undone.
	Loss float64 `json:"loss,omitempty"`
	// Coarse simulates with twice the cell and the time step, an eighth of the work, where sources and receivers permit: see thinOut.
	Coarse  bool    `json:"coarse,omitempty"`
	Damping bool    `json:"damping,omitempty"` // include the derivative through the damping's least velocity
	Wavelet bool    `json:"wavelet,omitempty"` // estimate the source wavelet at the beginning of every round
	Adam    bool    `json:"adam,omitempty"`    // Adam in place of L-BFGS
	Rate    float64 `json:"rate,omitempty"`    // of Adam, in units of about 900 m/s a step (0.01)
}

// Prior is what a stage takes maps for.
type Prior int

const (
	Cells   Prior = iota // any
	Layers               // the change of the map is the same in all columns
	Blocks               // total variation spares the edges that there are: regions of constant velocity
	Regions              // every region of the map, cut into few (segment.go, moving.go), has one velocity, if the data allow
	Strata               // every row of the map has one velocity, if the data allow
)

var priorNames = []string{"cells", "layers", "blocks", "regions", "strata"}

// String returns the name of the prior.
func (p Prior) String() string {
	if p < 0 || int(p) >= len(priorNames) {
		return fmt.Sprintf("Prior(%d)", int(p))
	}
	return priorNames[p]
}

// tested reports whether a map becomes what the prior says only if the data allow.
func (p Prior) tested() bool { return p == Regions || p == Strata }

// MarshalText writes the name.
func (p Prior) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a name: cells, layers, blocks, regions or strata.
func (p *Prior) UnmarshalText(text []byte) error {
	for i, n := range priorNames {
		if n == string(text) {
			*p = Prior(i)
			return nil
		}
	}
	return fmt.Errorf("invert: unknown prior %q, want cells, layers, blocks, regions or strata", text)
}

// Stages are those that a Config without any gets: Bands from a tenth of the wavelet's frequency up.
func Stages(survey wave.Config, lowest float64) []Stage {
	freq := survey.Freq
	setDefault(&freq, 15)
	corners := []float64{0.1, 0.15, 0.2, 0.3, 0.43, 0.6, 0.87}
	for i := range corners {
		corners[i] *= freq
	}
	return Bands(survey, lowest, corners)
}

// Bands returns a stage for each corner frequency in hertz, on coarse cells as long as the wavelength there, at the lowest velocity, has coarseCells
// of them. Rounds without filter follow, then such with edges spared. Between them the map is cut into strata, behind the last band on coarse cells,
// and regions, if the data allow it. Total variation is strong from the beginning: with curvature it does not hold the long waves back, and tells maps
// apart that low bands alone do not. Updates of L-BFGS alone (see Newton) are smoothed to a tenth of the wavelength.
func Bands(survey wave.Config, lowest float64, corners []float64) []Stage {
	dx := survey.Dx
	setDefault(&dx, 10)
	coarse := func(corner float64) bool { return lowest/corner >= coarseCells*2*dx }
	var s []Stage
	for i, corner := range corners {
		st := Stage{LowPass: corner, Iterations: 30, Rounds: 2, Newton: true, Gain: defaultGain, Smooth: lowest / corner / dx / 10, Variation: 0.3, Enough: 0.003}
		if coarse(corner) {
			st.Rounds, st.Variation, st.Enough, st.Coarse = 3, 0.5, 0.006, true
		}
		s = append(s, st)
		if last := i+1 == len(corners) || !coarse(corners[i+1]); last && st.Coarse {
			s = append(s, Stage{LowPass: corner, Iterations: 40, Gain: defaultGain, Prior: Strata, Coarse: true})
		}
	}
	regions := Stage{Iterations: 20, Gain: defaultGain, Prior: Regions, Loss: 25} // the rounds behind it mend what was wrong to cut
	rounds := Stage{Iterations: 30, Rounds: 2, Newton: true, Gain: defaultGain, Variation: 0.3}
	s = append(s, rounds)
	rounds.Prior = Blocks
	s = append(s, regions, rounds, regions, rounds)
	regions.Loss = 1 // nothing comes behind it
	return append(s, regions)
}

// coarseCells is how many cells of a thinned map a wavelength at the corner of a filter has at least. With OpenFWI's survey, for layers
// from 1700 to 4200 m/s, thinned simulations then differ from the others by 0.2 % at 1.5 Hz and by 0.9 % at 9 Hz; bands
// at 6.5 and 9 Hz on coarse cells lead away from the truth (docs/inversion.md).
const coarseCells = 16

const defaultGain = 0.5

// complete returns the configuration with its defaults, or why it cannot be used.
func (c Config) complete(p *Problem) (Config, error) {
	setDefault(&c.Min, 1500)
	setDefault(&c.Max, 4500)
	setDefault(&c.Pairs, 100)
	setDefault(&c.Probes, 3)
	setDefault(&c.Power, 0.4)
	setDefault(&c.Target, 2e-5)
	setDefault(&c.Stall, 1e-3)
	setDefault(&c.Every, 10*time.Second)
	if !(c.Min > 0 && c.Min < c.Max) || math.IsInf(c.Max, 0) {
		return c, fmt.Errorf("invert: bounds of %v to %v m/s, want 0 < Min < Max", c.Min, c.Max)
	}
	if c.Pairs < 1 || c.Power < 0 || c.Mute < 0 || c.Target < 0 || c.Stall < 0 {
		return c, fmt.Errorf("invert: Pairs %d, Power %v, Mute %v, Target %v and Stall %v, want positive numbers", c.Pairs, c.Power, c.Mute, c.Target, c.Stall)
	}
	if len(c.Stages) == 0 {
		c.Stages = Stages(p.Survey, c.Min)
	}
	c.Stages = slices.Clone(c.Stages) // they are the caller's
	for i := range c.Stages {
		s := &c.Stages[i]
		setDefault(&s.Rounds, 1)
		setDefault(&s.Rate, 0.01)
		setDefault(&s.Price, 0.01)
		setDefault(&s.Loss, 6.25)
		if s.Iterations < 1 || s.Rounds < 1 {
			return c, fmt.Errorf("invert: stage %d has %d iterations and %d rounds, want 1 or more", i, s.Iterations, s.Rounds)
		}
		for _, v := range []float64{s.LowPass, s.Window, s.Gain, s.Variation, s.Tikhonov, s.Smooth, s.Rate, s.Price, s.Enough, s.Loss} {
			if !(v >= 0) || math.IsInf(v, 0) {
				return c, fmt.Errorf("invert: stage %d has a setting of %v, want numbers that are finite and not negative", i, v)
			}
		}
		if s.Misfit < L2 || s.Misfit > Correlation || s.Prior < Cells || s.Prior > Strata {
			return c, fmt.Errorf("invert: stage %d has misfit %v and prior %v, want known ones", i, s.Misfit, s.Prior)
		}
	}
	return c, nil
}

func setDefault[T int | float64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// shape returns the size of the data: shots, samples, receivers.
func (p *Problem) shape() (shots, samples, receivers int, err error) {
	solver, err := wave.New[float32](p.Survey, p.NZ, p.NX)
	if err != nil {
		return 0, 0, 0, err
	}
	shots, samples, receivers = solver.Shape()
	return shots, samples, receivers, nil
}

// check checks sizes and values, and finds out how many rows were recorded.
func (p *Problem) check() error {
	shots, nt, nr, err := p.shape()
	if err != nil {
		return err
	}
	if len(p.Data) != shots*nt*nr {
		return fmt.Errorf("invert: data have %d values, want %d (%d shots x %d samples x %d receivers)", len(p.Data), shots*nt*nr, shots, nt, nr)
	}
	last := -1
	for i, v := range p.Data {
		if v != v || math.IsInf(float64(v), 0) {
			return fmt.Errorf("invert: data: shot %d, sample %d, receiver %d is %v, want a finite number", i/(nt*nr), i/nr%nt, i%nr, v)
		}
		if v != 0 {
			last = max(last, i/nr%nt)
		}
	}
	if last < 0 {
		return fmt.Errorf("invert: all data are zero, want a recording")
	}
	if p.Survey.Steps == 0 {
		p.Survey.Steps = nt
	}
	p.Survey.Steps = min(p.Survey.Steps, last+1)
	n := p.NZ * p.NX
	if p.Start == nil {
		return nil
	}
	if len(p.Start) != n {
		return fmt.Errorf("invert: start has %d values, want %d (%d x %d)", len(p.Start), n, p.NZ, p.NX)
	}
	for i, v := range p.Start {
		if !(v > 0) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("invert: start: row %d, column %d is %v m/s, want a positive finite number", i/p.NX, i%p.NX, v)
		}
	}
	return nil
}
