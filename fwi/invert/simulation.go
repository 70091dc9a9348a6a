package invert

import (
	"context"

	"github.com/spamoe/spamoe/fwi/wave"
)

// simulation is a survey, or a part of it at half the resolution, and what its gathers are compared with.
type simulation struct {
	solver  *wave.Solver[float32]
	compare *comparison
	data    []float32
	thin    *thinning // nil: every cell
	share   float64   // of the misfit
	nz      int       // rows of the model
}

// simulations are those of one stage.
type simulations []simulation

// simulations sets up what a stage simulates and compares.
func (r *run) simulations(survey wave.Config, stage Stage) (simulations, error) {
	plain, err := wave.New[float32](survey, r.p.NZ, r.p.NX)
	if err != nil {
		return nil, err
	}
	full := plain.Config()
	shots, nt, nr := plain.Shape()
	part := func(thin *thinning, survey wave.Config, data []float32, nz, nx int) (simulation, error) {
		window := int(stage.Window/survey.Dt + 0.5)
		if window > 0 && window < survey.Steps {
			survey.Steps = window
		}
		solver, err := wave.New[float32](survey, nz, nx)
		if err != nil {
			return simulation{}, err
		}
		n, samples, traces := solver.Shape()
		compare := newComparison(stage.Misfit, newLowPass(stage.LowPass, survey.Dt), data, n, samples, traces, window, stage.Gain)
		return simulation{solver, compare, data, thin, float64(n) / float64(shots), nz}, nil
	}
	if stage.Coarse {
		if all := r.thinned(full, nt, nr, part); all != nil {
			return all, nil
		}
	}
	s, err := part(nil, full, r.p.Data, r.p.NZ, r.p.NX)
	return simulations{s}, err
}

// thinned are the simulations of a survey at half the resolution, nil where it cannot be had: see thinOut. Two time steps at once must be
// stable, too.
func (r *run) thinned(full wave.Config, nt, nr int, part func(*thinning, wave.Config, []float32, int, int) (simulation, error)) simulations {
	var all simulations
	for _, t := range thinOut(full, r.p.NZ, r.p.NX) {
		nz, nx := t.size()
		s, err := part(&t.thinning, t.survey, t.data(r.p.Data, nt, nr), nz, nx)
		if err != nil {
			return nil
		}
		if !stable(s.solver, nz*nx, float32(r.bounds.mid+r.bounds.half)) {
			return nil
		}
		all = append(all, s)
	}
	return all
}

// adjointSource is a wave.Misfit of one of several simulations.
type adjointSource func(s *simulation, shot int, adjoint, gather []float32) float64

// compared measures what stages minimise.
func compared(s *simulation, shot int, adjoint, gather []float32) float64 {
	return s.compare.measure(shot, adjoint, gather)
}

// gradient adds up the values of source, and stores the derivative with respect to vel in g.
func (all simulations) gradient(ctx context.Context, g, vel []float32, damping bool, source adjointSource) (value float64, err error) {
	clear(g)
	for i := range all {
		s := &all[i]
		at := s.model(vel)
		found := wave.Gradient[float32]{DampingVMin: damping}
		v, err := s.solver.Gradient(ctx, &found, at, func(shot int, adjoint, gather []float32) float64 {
			return source(s, shot, adjoint, gather)
		})
		if err != nil {
			return 0, err
		}
		value += s.share * v
		for k := range found.Vel {
			found.Vel[k] *= float32(s.share)
		}
		if s.thin != nil {
			s.thin.adjoint(g, found.Vel, vel, at)
			continue
		}
		for k, d := range found.Vel {
			g[k] += d
		}
	}
	return value, nil
}

// misfit returns that of a map.
func (all simulations) misfit(ctx context.Context, vel []float32) (sum float64, err error) {
	var scratch []float32
	err = all.each(ctx, vel, func(s *simulation, shot int, gather []float32) {
		scratch = append(scratch[:0], gather...)
		sum += s.share * s.compare.measure(shot, scratch, gather)
	})
	return sum, err
}

// each simulates a map and calls f for every gather.
func (all simulations) each(ctx context.Context, vel []float32, f func(s *simulation, shot int, gather []float32)) error {
	for i := range all {
		s := &all[i]
		shots, nt, nr := s.solver.Shape()
		gathers := make([]float32, shots*nt*nr)
		if err := s.solver.Forward(ctx, gathers, s.model(vel)); err != nil {
			return err
		}
		for shot := range shots {
			f(s, shot, gathers[shot*nt*nr:][:nt*nr])
		}
	}
	return nil
}

// model returns the map that s simulates.
func (s *simulation) model(vel []float32) []float32 {
	if s.thin == nil {
		return vel
	}
	nz, nx := s.thin.size()
	thin := make([]float32, nz*nx)
	s.thin.apply(thin, vel)
	return thin
}

// expected returns the misfit that noise of a standard deviation leaves: see comparison.expected.
func (all simulations) expected(sigma float64) (sum float64) {
	for i := range all {
		sum += all[i].share * all[i].compare.expected(all[i].data, sigma)
	}
	return sum
}
