package invert

import (
	"math"
	"slices"
)

// newtonCells is up to how many cells of a map steps of Gauss-Newton are taken: the curvature and its decomposition are matrices of cells x cells,
// and the spectra of all shots are held at once.
const newtonCells = 6000

// newton reports whether the rounds of a stage are steps of Gauss-Newton over all cells.
func (r *run) newton(stage Stage) bool {
	return stage.Newton && stage.Misfit == L2 && (stage.Prior == Cells || stage.Prior == Blocks) && r.p.NZ*r.p.NX <= newtonCells
}

// cellRound is a round of one step of Gauss-Newton over all cells. It returns the misfit before and behind it.
func (r *run) cellRound(o *objective, stage Stage) (before, after float64, err error) {
	s := &r.state
	first := o.evaluate(make([]float64, o.basis.size()))
	if o.err != nil {
		return 0, 0, o.err
	}
	grad := slices.Clone(o.gu) // that of the misfit alone
	r.regularise(o, stage, first.misfit)
	if s.Round == 0 || s.Damping == 0 {
		s.Damping = firstDamping
	}
	d, misfit, damping, err := r.cellStep(o, first.misfit, grad)
	if err != nil {
		return 0, 0, err
	}
	if d == nil { // as good as it gets
		s.Round = stage.Rounds - 1
		return first.misfit, first.misfit, nil
	}
	x := make([]float64, len(d))
	for i, v := range d {
		x[i] = v / s.weight[i]
	}
	if err := r.iteration(o, x, evaluation{f: first.misfit, misfit: misfit}, stage.Iterations); err != nil {
		return 0, 0, err
	}
	for i, v := range d {
		s.u[i] += v
	}
	s.Damping = damping
	return first.misfit, misfit, nil
}

// cellStep returns the change of a step of Gauss-Newton from the map of the state, with its misfit and the gradient g of that with respect to u:
// what minimises
//
//	misfit + g'd + 1/2 d'(J'J + mu D) d + variation(u + d) + tikhonov(u + d),
//
// by quadratics that touch the total variation from above, or half or a quarter of it. D is the diagonal of J'J over the square of the cell's weight:
// where the data say little the damping is weak and leaves the map to the total variation. mu falls after a whole step that lowers the objective,
// and rises while no part of one does (Levenberg 1944; Marquardt, J. SIAM 11, 1963). It returns the misfit behind the step and the next damping,
// too, and no change where none lowers the objective.
func (r *run) cellStep(o *objective, misfit float64, g []float64) (d []float64, found, damping float64, err error) {
	s := &r.state
	n := len(s.u)
	h, err := o.data.curvature(r.ctx, r.velocities(), each(n), n)
	if err != nil {
		return nil, 0, 0, err
	}
	q := &quadratic{nx: r.p.NX, h: h, slope: make([]float64, n), diag: make([]float64, n)}
	mean := 0.0
	for i, u := range s.u {
		_, q.slope[i] = r.bounds.velocity(u)
		mean += float64(h[i*n+i]) * q.slope[i] * q.slope[i] / float64(n)
	}
	scratch, u := make([]float64, n), make([]float64, n)
	value := func(misfit float64, u []float64) float64 {
		return misfit + variation(u, scratch, o.edges, r.p.NX, edgeWidth, o.tv) + tikhonov(u, scratch, r.p.NX, o.smooth)
	}
	damping = s.Damping
	for range dampingTries {
		for i, w := range s.weight {
			q.diag[i] = damping * (float64(h[i*n+i])*q.slope[i]*q.slope[i] + dampingFloor*mean) / (w * w)
		}
		d, ok := r.touching(o, q, g)
		for part := 1.0; ok && part >= leastPart; part /= 2 {
			for i, v := range d {
				u[i] = s.u[i] + part*v
			}
			if found, err = o.data.misfit(r.ctx, r.bounds.velocities(u)); err != nil {
				return nil, 0, 0, err
			}
			if value(found, u) >= value(misfit, s.u) {
				continue
			}
			for i := range d {
				d[i] *= part
			}
			if part == 1 {
				damping = max(damping/dampingFactor, leastDamping)
			}
			return d, found, damping, nil
		}
		damping *= dampingFactor
	}
	return nil, misfit, damping, nil
}

// touching minimises the quadratic with the regularisation of o.
func (r *run) touching(o *objective, q *quadratic, grad []float64) ([]float64, bool) {
	n := len(grad)
	d, b := make([]float64, n), make([]float64, n)
	at := make([]float64, n)
	for range reweightings {
		for i, v := range d {
			at[i] = r.state.u[i] + v
		}
		q.touch(at, o.edges, o.tv, o.smooth)
		copy(b, grad)
		q.eachLink(func(i, j int, w float64) { // their descent at u
			slope := w * (r.state.u[j] - r.state.u[i])
			b[i] -= slope
			b[j] += slope
		})
		next, ok := q.minimise(b)
		if !ok {
			return nil, false
		}
		change := 0.0
		for i, v := range next {
			v = min(max(v, -longestStep), longestStep)
			change = max(change, math.Abs(v-d[i]))
			d[i] = v
		}
		if o.tv == 0 || change < settled {
			break
		}
	}
	return d, true
}

const (
	leastDamping = 1e-7
	dampingFloor = 1e-6 // of D, as a fraction of its mean
	reweightings = 5    // of the total variation in a step
	leastPart    = 0.2  // of a step
	longestStep  = 0.5  // of a cell's unknown, about 860 m/s
	settled      = 1e-3 // a change that is not worth another reweighting
)
