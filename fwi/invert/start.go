package invert

// startLevels are the velocities, as fractions of the range, that a start is tried with at the top and at the bottom.
var startLevels = []float64{0.1, 0.3, 0.5, 0.7, 0.9}

// startGain is how much smaller than that of the usual start a misfit must be to begin elsewhere.
const startGain = 0.5

// searchStart returns the map to begin with: velocity that grows linearly with depth over the middle 80 % of the range, or, where
// its gathers fit much better in a low band, another map that is linear between velocities of startLevels. It costs
// 26 simulations, and saves the inversion from beginning on the wrong side of the first local minimum where the earth is unlike
// the average one: of a shallow part that is fast, for the most part.
func (r *run) searchStart() ([]float32, error) {
	data, err := r.simulations(r.p.Survey, r.startStage())
	if err != nil {
		return nil, err
	}
	best := r.linear(startLevels[0], startLevels[len(startLevels)-1])
	least, err := data.misfit(r.ctx, best)
	if err != nil {
		return nil, err
	}
	least *= startGain
	for _, top := range startLevels {
		for _, bottom := range startLevels {
			vel := r.linear(top, bottom)
			m, err := data.misfit(r.ctx, vel)
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

// startStage is the stage whose band starts are tried in: the first one of at least a fifth of the wavelet's frequency, below which
// a recording says little about where its energy comes from.
func (r *run) startStage() Stage {
	freq := r.p.Survey.Freq
	setDefault(&freq, 15)
	for _, s := range r.cfg.Stages {
		if s.LowPass >= 0.2*freq {
			return s
		}
	}
	return r.cfg.Stages[0]
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
