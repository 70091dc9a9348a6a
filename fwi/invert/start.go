package invert

import (
	"math"

	"github.com/spamoe/spamoe/fwi/wave"
)

// startLevels are the velocities, as fractions of the range, that a start is tried with at the top and at the bottom.
var startLevels = []float64{0.1, 0.3, 0.5, 0.7, 0.9}

// startGain is how much smaller than that of the usual start a misfit must be to begin elsewhere.
const startGain = 0.5

// searchStart returns the map to begin with: velocity that grows linearly with depth over the middle 80 % of the range, or, where
// its gathers fit much better in the band of the first stage, another map that is linear between velocities of startLevels. It costs
// 25 simulations, and saves the inversion from beginning on the wrong side of the first local minimum where the earth is unlike
// the average one: of a shallow part that is fast, for the most part.
func (r *run) searchStart() ([]float32, error) {
	survey, stage := r.p.Survey, r.cfg.Stages[0]
	solver, err := wave.New[float32](survey, r.p.NZ, r.p.NX)
	if err != nil {
		return nil, err
	}
	shots, nt, nr := solver.Shape()
	dt := solver.Config().Dt
	compare := newComparison(stage.Misfit, newLowPass(stage.LowPass, dt), r.p.Data, shots, nt, nr, int(math.Round(stage.Window/dt)), stage.Gain)
	gathers, scratch := make([]float32, shots*nt*nr), make([]float32, nt*nr)
	misfit := func(vel []float32) (sum float64, err error) {
		err = solver.Forward(r.ctx, gathers, vel)
		for s := range shots {
			sum += compare.measure(s, scratch, gathers[s*nt*nr:][:nt*nr])
		}
		return sum, err
	}
	best := r.linear(startLevels[0], startLevels[len(startLevels)-1])
	least, err := misfit(best)
	if err != nil {
		return nil, err
	}
	least *= startGain
	for _, top := range startLevels {
		for _, bottom := range startLevels {
			vel := r.linear(top, bottom)
			m, err := misfit(vel)
			if err != nil {
				return nil, err
			}
			if m < least {
				least, best = m, vel
			}
		}
	}
	return best, nil
}

// linear returns a map that goes linearly from the first row to the last, between fractions of the range of velocities.
func (r *run) linear(top, bottom float64) []float32 {
	vel := make([]float32, r.p.NZ*r.p.NX)
	for i := range vel {
		depth := float64(i/r.p.NX) / float64(max(1, r.p.NZ-1))
		vel[i] = float32(r.cfg.Min + (r.cfg.Max-r.cfg.Min)*(top+(bottom-top)*depth))
	}
	return vel
}
