package augment

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/fwi/wave"
)

// Config says how pairs are changed. The zero value changes nothing.
type Config struct {
	Flip  float64    `json:"flip,omitempty"`  // probability that a pair is mirrored
	Freqs []float64  `json:"freqs,omitempty"` // peak frequencies in hertz to draw from, all alike; nil: that of the survey
	Noise [2]float64 `json:"noise,omitzero"`  // least and largest signal-to-noise ratio in decibels, drawn evenly; both 0: no noise
	Mute  float64    `json:"mute,omitempty"`  // probability that a trace is silenced, for each of each shot
}

// Augmenter changes pairs of one survey. It may be used by many goroutines, with random numbers of their own.
type Augmenter struct {
	cfg     Config
	nz, nx  int
	solvers []*wave.Solver[float32] // of each frequency; at least one
}

// New returns an augmenter for maps of nz x nx cells and gathers of the survey. It fails on numbers out of range and where wave.New
// does.
func New(cfg Config, survey wave.Config, nz, nx int) (*Augmenter, error) {
	for _, p := range []struct {
		name  string
		value float64
	}{{"Flip", cfg.Flip}, {"Mute", cfg.Mute}} {
		if !(p.value >= 0 && p.value <= 1) {
			return nil, fmt.Errorf("augment: %s is %v, want a probability", p.name, p.value)
		}
	}
	if !(cfg.Noise[0] <= cfg.Noise[1]) || math.IsInf(cfg.Noise[0], 0) || math.IsInf(cfg.Noise[1], 0) {
		return nil, fmt.Errorf("augment: Noise is from %v to %v dB, want two finite numbers in order", cfg.Noise[0], cfg.Noise[1])
	}
	for i, f := range cfg.Freqs {
		if !(f > 0) { // zero would be the survey's default
			return nil, fmt.Errorf("augment: Freqs[%d] is %v Hz, want a positive number", i, f)
		}
	}
	a := &Augmenter{cfg: cfg, nz: nz, nx: nx}
	freqs := cfg.Freqs
	if len(freqs) == 0 {
		freqs = []float64{survey.Freq}
	}
	for _, f := range freqs {
		if len(cfg.Freqs) > 0 {
			survey.Freq, survey.Wavelet = f, nil
		}
		s, err := wave.New[float32](survey, nz, nx)
		if err != nil {
			return nil, err
		}
		a.solvers = append(a.solvers, s)
	}
	return a, nil
}

// Apply changes a pair in place: gathers (shots x samples x receivers) and the map (nz x nx). It simulates only where it has to, and
// then fails where wave's Forward does: the map is then as it was, gathers where the simulation had begun are not.
func (a *Augmenter) Apply(ctx context.Context, gathers, vel []float32, rng *rand.Rand) error {
	flip := rng.Float64() < a.cfg.Flip
	solver := a.solvers[rng.IntN(len(a.solvers))]
	_, samples, receivers := solver.Shape()
	if flip {
		Flip(vel, a.nx)
	}
	if flip || len(a.cfg.Freqs) > 0 {
		if err := solver.Forward(ctx, gathers, vel); err != nil {
			if flip {
				Flip(vel, a.nx)
			}
			return err
		}
	}
	if lo, hi := a.cfg.Noise[0], a.cfg.Noise[1]; lo != 0 || hi != 0 {
		Noise(gathers, lo+(hi-lo)*rng.Float64(), rng)
	}
	if a.cfg.Mute > 0 {
		Mute(gathers, samples, receivers, a.cfg.Mute, rng)
	}
	return nil
}

// Flip mirrors every row of nx cells of a map.
func Flip(vel []float32, nx int) {
	for row := range slices.Chunk(vel, nx) {
		slices.Reverse(row)
	}
}

// Noise adds white Gaussian noise to gathers so that their mean square is db decibels above its. Gathers that are zero stay so.
func Noise(gathers []float32, db float64, rng *rand.Rand) {
	power := 0.0
	for _, p := range gathers {
		power += float64(p) * float64(p)
	}
	sigma := math.Sqrt(power / float64(max(len(gathers), 1)) * math.Pow(10, -db/10))
	for i := range gathers {
		gathers[i] += float32(sigma * rng.NormFloat64())
	}
}

// Mute sets each trace of gathers (shots x samples x receivers) to zero with the given probability.
func Mute(gathers []float32, samples, receivers int, probability float64, rng *rand.Rand) {
	for shot := range slices.Chunk(gathers, samples*receivers) {
		for r := range receivers {
			if rng.Float64() < probability {
				for t := range samples {
					shot[t*receivers+r] = 0
				}
			}
		}
	}
}
