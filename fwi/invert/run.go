package invert

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/spamoe/spamoe/fwi/wave"
)

// Progress is the state of an inversion after an iteration.
type Progress struct {
	Stage, Round, Iteration int
	// Done and Total count iterations over all stages; those that a round left out because it stalled count as done.
	Done, Total int
	// Misfit is that of the stage's recording and filter: for L2 the relative error |d - o| / |o|, for others the misfit itself.
	Misfit    float64
	Objective float64   // misfit and regularisation
	Vel       []float32 // the map, nz x nx, the callback's to keep
	Replayed  bool      // it was computed before the inversion was stopped
}

// Result is what an inversion found.
type Result struct {
	Vel     []float32 // the map, nz x nx, inside the bounds
	Start   []float32 // the map that the inversion began with: that of the problem, or the one it chose
	Misfit  float64   // |d - o| / |o| of the gathers d of Vel and those recorded, o, over what was recorded
	Wavelet []float64 // that was estimated, one value per time step; nil: none was
	History []Point   // one entry per round
	Resumed bool      // it went on from a state file, or found the result there
}

// Run inverts the data of p. It fails where sizes, settings or data make no sense, where the survey cannot be simulated, or not with
// all velocities up to Max, with the error of Watch, and with ctx's error soon after ctx is done; the state file, if there is one, then
// holds the last iteration.
func Run(ctx context.Context, p Problem, cfg Config) (*Result, error) {
	cfg, err := cfg.complete(&p)
	if err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	solver, err := wave.New[float32](p.Survey, p.NZ, p.NX)
	if err != nil {
		return nil, err
	}
	r := &run{ctx: ctx, p: p, cfg: cfg}
	if r.bounds, err = stableBounds(cfg.Min, cfg.Max, solver, p.NZ*p.NX); err != nil {
		return nil, err
	}
	shots, nt, nr := solver.Shape()
	r.noise = noiseLevel(p.Data, shots, nt, nr, p.Survey.Steps)
	resumed, err := r.begin()
	if err != nil {
		return nil, err
	}
	for !r.state.Finished {
		if err := r.round(); err != nil {
			return nil, err
		}
	}
	vel := r.velocities()
	for i, v := range vel {
		vel[i] = float32(min(max(float64(v), cfg.Min), cfg.Max))
	}
	data, err := r.simulations(r.survey(), Stage{})
	if err != nil {
		return nil, err
	}
	misfit, err := data.misfit(ctx, vel)
	if err != nil {
		return nil, err
	}
	return &Result{
		Vel: vel, Start: r.state.start, Misfit: L2.shown(misfit), Wavelet: r.state.wavelet, History: r.state.History, Resumed: resumed,
	}, nil
}

// run is an inversion at work.
type run struct {
	ctx    context.Context
	p      Problem
	cfg    Config
	bounds bounds
	state  state
	noise  float64   // standard deviation of the noise in the data
	before float64   // misfit of the map that a round with regions begins with
	factor []float32 // scratch of quadratic

	identity string
	saved    time.Time
}

// begin takes up the state file, or begins anew.
func (r *run) begin() (resumed bool, err error) {
	r.saved = time.Now()
	if r.cfg.State != "" {
		if r.identity, err = identity(&r.p, &r.cfg); err != nil {
			return false, err
		}
		if found, err := r.state.load(r.cfg.State, r.identity); found || err != nil {
			return found, err
		}
	}
	start := r.p.Start
	if start == nil {
		if start, err = r.searchStart(); err != nil {
			return false, err
		}
	}
	r.state.start = slices.Clone(start)
	r.state.u = make([]float64, len(start))
	for i, v := range start {
		r.state.u[i] = r.bounds.inverse(float64(v))
	}
	return false, nil
}

// save writes the state file.
func (r *run) save() error {
	if r.cfg.State == "" {
		return nil
	}
	r.saved = time.Now()
	return r.state.save(r.cfg.State, r.identity)
}

// velocities returns the map of the state.
func (r *run) velocities() []float32 { return r.bounds.velocities(r.state.u) }

// iteration reports an iteration.
func (r *run) iteration(o *objective, x []float64, e evaluation, it int) error {
	s := &r.state
	replayed := s.journal.next < len(s.journal.misfit)
	vel := make([]float32, len(s.u))
	o.velocity(vel, x)
	return r.report(e, vel, it, replayed)
}

// report tells Watch of a map, and saves the state now and then.
func (r *run) report(e evaluation, vel []float32, it int, replayed bool) error {
	s := &r.state
	if r.cfg.Watch != nil {
		stage := r.cfg.Stages[s.Stage]
		p := Progress{Stage: s.Stage, Round: s.Round, Iteration: it, Misfit: stage.Misfit.shown(e.misfit), Objective: e.f, Replayed: replayed, Vel: vel}
		for i, st := range r.cfg.Stages {
			p.Total += st.Rounds * st.Iterations
			if i < s.Stage {
				p.Done = p.Total
			}
		}
		p.Done += s.Round*stage.Iterations + it
		if err := r.cfg.Watch(p); err != nil {
			return err
		}
	}
	if !replayed && time.Since(r.saved) >= r.cfg.Every {
		return r.save()
	}
	return nil
}

// shown returns a misfit as it is reported.
func (m Misfit) shown(v float64) float64 {
	if m == L2 {
		return math.Sqrt(2 * v)
	}
	return v
}
