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

// round runs the round that the state is in and moves the state to the next.
func (r *run) round() error {
	s, stage := &r.state, r.cfg.Stages[r.state.Stage]
	o, err := r.objective(stage)
	if err != nil {
		return err
	}
	if o == nil {
		return r.close(stage, r.before, 0, r.before)
	}
	s.journal.next = 0
	o.journal = &s.journal
	first := o.evaluate(make([]float64, o.basis.size()))
	if o.err != nil {
		return o.err
	}
	if stage.Prior == Blocks && first.misfit <= (1+noiseShare)*o.noise {
		s.Round = stage.Rounds - 1 // what is left is noise, by which sparing edges would only smooth the rest
		r.settle(stage, first.misfit, o.noise)
		return r.close(stage, first.misfit, 0, first.misfit)
	}
	r.regularise(o, stage, s.u, first.misfit)
	it, hope := 0, hopefulIterations
	if r.fewUnknowns(o, stage) {
		hope = hopefulSteps
	}
	w := &watcher{o: o, stall: r.cfg.Stall, noise: o.noise, misfit: first.misfit}
	w.watch = func(x []float64, e evaluation) error {
		it++
		w.over = stage.Prior.tested() && it >= hope && e.misfit > hopefulLoss*stage.Loss*max(r.before, regionsFloor)
		return r.iteration(o, x, e, it)
	}
	x, err := r.search(o, stage, first.misfit, w)
	if err != nil {
		return r.interrupted(err)
	}
	misfit := w.misfit
	o.velocity(make([]float32, len(s.u)), x)
	found := slices.Clone(o.u)
	if r.movable(o, stage) {
		found, misfit, err = r.moveCells(o, found, misfit, func(u []float64, misfit float64) error {
			it++
			return r.report(evaluation{f: misfit, misfit: misfit}, r.bounds.velocities(u), it, false)
		})
		if err != nil {
			return r.interrupted(err)
		}
	}
	s.Refused = 0
	if stage.Prior.tested() && !explains(misfit, r.before, o.noise, stage.Loss) {
		misfit = r.before // the cells explain the data too much better
		if stage.Prior == Regions {
			s.Refused, s.RefusedLoss = misfit, stage.Loss
		}
	} else {
		if stage.Prior.tested() && stage.Loss > strictLoss && stage.LowPass == 0 {
			s.uncut, s.Uncut = slices.Clone(s.u), r.before
		}
		if !r.newton(stage) {
			s.Stratified = stage.Prior.tested()
		}
		copy(s.u, found)
	}
	if !stage.Prior.tested() && s.Round == stage.Rounds-1 {
		r.settle(stage, misfit, o.noise)
	}
	return r.close(stage, first.misfit, it, misfit)
}

// search minimises o, of which only the misfit of the map that the round begins with has been evaluated, and returns the best x.
func (r *run) search(o *objective, stage Stage, misfit float64, w *watcher) ([]float64, error) {
	if r.newton(stage) {
		return r.newtonRound(o, stage, misfit, w)
	}
	o.at = nil // regularisation has changed the objective, but not the simulation: the journal has it
	r.state.journal.next = 0
	switch {
	case stage.Adam:
		return adam(o, stage.Iterations, stage.Rate, w)
	case r.fewUnknowns(o, stage):
		steps := gaussNewtonSteps
		if r.movable(o, stage) {
			steps = movedSteps
		}
		return gaussNewton(o, o.basis.(*regions), steps, w)
	}
	return lbfgs(o, stage.Iterations, r.cfg.Pairs, w)
}

// interrupted keeps what is known where err is that of an interruption.
func (r *run) interrupted(err error) error {
	if r.ctx.Err() != nil {
		_ = r.save() // the interruption is the error to report
	}
	return err
}

// close ends a round.
func (r *run) close(stage Stage, before float64, iterations int, after float64) error {
	s := &r.state
	s.History = append(s.History, Point{s.Stage, s.Round, iterations, stage.Misfit.shown(before), stage.Misfit.shown(after)})
	s.weight, s.journal = nil, journal{}
	r.next(stage, after)
	return r.save()
}

// next moves the state to the next round.
func (r *run) next(stage Stage, misfit float64) {
	s := &r.state
	s.Round++
	if s.Round >= stage.Rounds || stage.Misfit.shown(misfit) < stage.Enough {
		s.Stage, s.Round = s.Stage+1, 0
	}
	exact := stage.LowPass == 0 && stage.Window == 0 && stage.Misfit == L2 && stage.Misfit.shown(misfit) < r.cfg.Target
	if exact { // what is left is to make regions of the map, if that is as good
		s.Stage, s.Round = len(r.cfg.Stages), 0
		if last := len(r.cfg.Stages) - 1; stage.Prior != Regions && r.cfg.Stages[last].Prior == Regions {
			s.Stage = last
		}
	}
	s.Finished = s.Stage >= len(r.cfg.Stages)
}

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

// The share of noise that counts for the weight of the regularisation: low bands need more of it, all frequencies tell more apart.
const (
	noiseShare     = 0.01
	bandNoiseShare = 0.1
)

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
