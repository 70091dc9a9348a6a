package invert

import "slices"

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
	misfit = r.accept(stage, found, misfit, o.noise)
	if !stage.Prior.tested() && s.Round == stage.Rounds-1 {
		r.settle(stage, misfit, o.noise)
	}
	return r.close(stage, first.misfit, it, misfit)
}

// accept makes what a round found, a map u, that of the state, unless it is a cut and explains the data too much worse than the cells do. It returns the
// misfit of the map of the state.
func (r *run) accept(stage Stage, u []float64, misfit, noise float64) float64 {
	s := &r.state
	cut := stage.Prior.tested()
	s.Refused = 0
	if cut && !explains(misfit, r.before, noise, stage.Loss) {
		if stage.Prior == Regions {
			s.Refused, s.RefusedLoss = r.before, stage.Loss
		}
		return r.before
	}
	if cut && stage.Loss > strictLoss && stage.LowPass == 0 {
		s.uncut, s.Uncut = slices.Clone(s.u), r.before
	}
	if !r.newton(stage) {
		s.Stratified = cut
	}
	copy(s.u, u)
	return misfit
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
