package invert

import (
	"math"

	"github.com/spamoe/spamoe/fwi/wave"
)

// objective sets up what a round minimises, but for the regularisation. It returns nil where there is nothing to do: the map is not worth
// cutting into what the stage's prior says.
func (r *run) objective(stage Stage) (*objective, error) {
	s := &r.state
	vel := r.velocities()
	if stage.Wavelet && s.weight == nil {
		n := len(r.p.Survey.Wavelet)
		if n == 0 {
			solver, err := wave.New[float32](r.p.Survey, r.p.NZ, r.p.NX)
			if err != nil {
				return nil, err
			}
			n = len(solver.Config().Wavelet) * 5 / 4
		}
		w, err := Wavelet(r.ctx, r.p, vel, min(n, r.p.Survey.Steps))
		if err != nil {
			return nil, err
		}
		s.wavelet = w
	}
	data, err := r.simulations(r.survey(), stage)
	if err != nil {
		return nil, err
	}
	start := s.u
	if stage.Prior.tested() {
		if start, err = r.cut(stage, data); err != nil || start == nil {
			return nil, err
		}
	}
	if s.weight == nil {
		if err := r.weigh(stage, data, vel); err != nil {
			return nil, err
		}
		if err := r.save(); err != nil {
			return nil, err
		}
	}
	share := noiseShare
	if stage.LowPass > 0 {
		share = bandNoiseShare
	}
	return &objective{
		ctx: r.ctx, data: data, nx: r.p.NX, bounds: r.bounds, start: start, damping: stage.Damping, basis: r.basis(stage, start),
		noise: data.expected(r.noise), share: share,
	}, nil
}

// The share of noise that counts for the weight of the regularisation: low bands need more of it, all frequencies tell more apart.
const (
	noiseShare     = 0.01
	bandNoiseShare = 0.1
)

// survey returns that of the problem, with the wavelet that was estimated.
func (r *run) survey() wave.Config {
	survey := r.p.Survey
	if r.state.wavelet != nil {
		survey.Wavelet = r.state.wavelet
	}
	return survey
}

// basis returns the unknowns of a stage.
func (r *run) basis(stage Stage, start []float64) basis {
	weight := r.state.weight
	switch stage.Prior {
	case Layers:
		b := &rows{r.p.NX, make([]float64, r.p.NZ)}
		for i, w := range weight {
			b.weight[i/r.p.NX] += w / float64(r.p.NX)
		}
		return b
	case Regions, Strata:
		return newRegions(start, weight, r.p.NX)
	}
	if r.newton(stage) {
		return &cells{r.p.NX, weight, nil}
	}
	return &cells{r.p.NX, weight, newBlur(stage.Smooth)}
}

// weigh sets the weights of the cells.
func (r *run) weigh(stage Stage, data simulations, vel []float32) error {
	weight := make([]float64, len(vel))
	newton := r.newton(stage)
	for i := range weight {
		weight[i] = meanWeight
		if newton {
			weight[i] = 1
		}
	}
	if probes := r.cfg.Probes; probes > 0 && !newton {
		if stage.Prior.tested() {
			probes = 1 // averages over regions scatter less
		}
		light, err := illumination(r.ctx, data, vel, r.p.NX, probes)
		if err != nil {
			return err
		}
		weight = stepWeights(light, r.cfg.Power)
	}
	if r.cfg.Mute > 0 {
		solver, err := wave.New[float32](r.p.Survey, r.p.NZ, r.p.NX)
		if err != nil {
			return err
		}
		for _, src := range solver.Config().Sources {
			for i := range weight {
				d := math.Hypot(float64(i/r.p.NX-src.Row), float64(i%r.p.NX-src.Col)) / r.cfg.Mute
				weight[i] *= 1 - math.Exp(-d*d) + mutedWeight
			}
		}
	}
	r.state.weight = weight
	return nil
}

const (
	meanWeight  = 0.5  // of the unknowns: a unit step of one changes a velocity by half of half the range
	mutedWeight = 1e-3 // of a source's own cell, which keeps the map of unknowns to cells invertible
)

// regularise sets the weights of the regularisation of a map to the fractions of its misfit that the stage says.
func (r *run) regularise(o *objective, stage Stage, u []float64, misfit float64) {
	scratch := make([]float64, len(u))
	if r.newton(stage) {
		misfit = o.excess(misfit)
	}
	if stage.Variation > 0 {
		least := leastRise
		if stage.Prior == Blocks {
			o.edges = edgeWeights(u, r.p.NX, edgeStep)
			least = edgeStep // what an edge counts for
		}
		now := variation(u, scratch, o.edges, r.p.NX, edgeWidth, 1)
		share := stage.Variation
		if stage.LowPass > 0 && !r.curved(stage) {
			share = min(share, gentleVariation)
		}
		o.tv = share * misfit / max(now, least/float64(r.p.NZ))
	}
	if stage.Tikhonov > 0 {
		if now := tikhonov(u, scratch, r.p.NX, 1); now > 0 {
			o.smooth = stage.Tikhonov * misfit / now
		}
	}
}

// Heights of steps in a map, in units of 0.575 times the range of the bounds.
const (
	edgeWidth = 0.01 // total variation is rounded off below it
	edgeStep  = 0.02 // edges of at least this height are spared by Blocks
	// gentleVariation is as strong as total variation may be for bands without curvature: from L-BFGS alone it keeps the long waves of a map.
	gentleVariation = 0.1
	leastRise       = 0.5 // from top to bottom: total variation of a flatter map counts as that much, so that it may become less flat
)
