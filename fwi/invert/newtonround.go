package invert

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// newtonCells is up to how many unknowns steps of Gauss-Newton are taken: the curvature and its decomposition are matrices of that many rows and
// columns, and the spectra of all shots are held at once.
const newtonCells = 6000

// newton reports whether the rounds of a stage are newtonRounds.
func (r *run) newton(stage Stage) bool {
	return stage.Newton && r.curved(stage) && (stage.Prior == Cells || stage.Prior == Blocks)
}

// curved reports whether a stage can have the curvature of its misfit.
func (r *run) curved(stage Stage) bool {
	side := block(stage)
	return stage.Misfit == L2 && !stage.Adam && r.p.NZ*r.p.NX <= newtonCells*side*side
}

// block returns how many cells an unknown of a stage has along each side.
func block(stage Stage) int {
	if stage.Coarse {
		return 2
	}
	return 1
}

// newtonRound minimises o, whose last evaluation was the misfit of the map that the round begins with, with the curvature H = J'J of that map: by a
// step of Gauss-Newton, and then by L-BFGS that H preconditions. Gradients cost little beside H. Further steps with the same H lead nowhere:
// where the data say little they are long, and H changes on the way; L-BFGS learns how far it may go. A map whose rows are constant, because the
// data allowed it, stays so until that does not lower a misfit that is more than noise. It returns the x of o that is best.
func (r *run) newtonRound(o *objective, stage Stage, misfit float64, w *watcher) ([]float64, error) {
	s := &r.state
	rows := s.Stratified && stratified(s.u, r.p.NX)
	down, across := block(stage), block(stage)
	if rows {
		down, across = 1, r.p.NX
	}
	c := newUnknowns(s.u, s.weight, r.p.NX, down, across)
	h, err := o.data.curvature(r.ctx, r.velocities(), c.label, c.n)
	if err != nil {
		return nil, err
	}
	damping := s.Damping
	if s.Round == 0 || damping == 0 {
		damping = firstDamping
	}
	c.spare(o.edges)
	d, found, damping, err := r.step(o, c, h, damping, misfit, c.sums(o.gu))
	if err != nil {
		return nil, err
	}
	if d != nil {
		floats.Add(c.u, d)
	}
	w.misfit, w.noise = found, 0 // the total variation keeps it from fitting noise
	o.start = c.cells(c.u)
	r.regularise(o, stage, o.start, found)
	c.spare(o.edges)
	q := r.quadratic(c, h, learningDamping)
	q.touch(c.u, c.edges, o.tv, o.smooth)
	x := make([]float64, o.basis.size())
	if q.decompose() {
		o.precondition(c, q)
		if x, err = lbfgs(o, stage.Iterations, r.cfg.Pairs, w); err != nil {
			return nil, err
		}
	}
	s.Damping = damping
	switch {
	case rows && w.misfit > rowsProgress*misfit && w.misfit > max(rowsNoise*o.noise, regionsFloor):
		s.Stratified, s.Damping = false, firstDamping
	case o.excess(w.misfit) >= roundProgress*o.excess(misfit):
		s.Round = stage.Rounds - 1 // as good as it gets
	}
	return x, nil
}

// quadratic returns a model of the misfit around c.u with curvature H + mu D, D the diagonal of H over the square of the cell's weight: where the data
// say little the damping is weak and leaves the map to the total variation.
func (r *run) quadratic(c *unknowns, h []float32, mu float64) *quadratic {
	r.factor = slices.Grow(r.factor[:0], c.n*c.n)[:c.n*c.n]
	q := &quadratic{nx: c.nx, h: h, slope: make([]float64, c.n), diag: make([]float64, c.n), factor: r.factor}
	mean := 0.0
	for i, u := range c.u {
		_, q.slope[i] = r.bounds.velocity(u)
		q.diag[i] = float64(h[i*c.n+i]) * q.slope[i] * q.slope[i]
		mean += q.diag[i] / float64(c.n)
	}
	for i, w := range c.weight {
		q.diag[i] = mu * (q.diag[i] + dampingFloor*mean) / (w * w)
	}
	return q
}

// step returns the change of a step of Gauss-Newton from c.u, which has a misfit with gradient g: what minimises
//
//	misfit + g'd + 1/2 d'(H + mu D) d + variation(u + d) + tikhonov(u + d)
//
// by quadratics that touch the total variation from above, or half or a quarter of it. mu falls after a whole step that lowers the objective, and
// rises while no part of one does (Levenberg 1944; Marquardt, J. SIAM 11, 1963). It returns the misfit behind the step and the next mu,
// too, and no change where none lowers the objective.
func (r *run) step(o *objective, c *unknowns, h []float32, mu, misfit float64, g []float64) (d []float64, found, next float64, err error) {
	scratch, u := make([]float64, c.n), make([]float64, c.n)
	value := func(misfit float64, u []float64) float64 {
		return misfit + variation(u, scratch, c.edges, c.nx, edgeWidth, o.tv) + tikhonov(u, scratch, c.nx, o.smooth)
	}
	for range stepTries {
		d, ok := c.touching(o, r.quadratic(c, h, mu), g)
		for part := 1.0; ok && part >= leastPart; part /= 2 {
			for i, v := range d {
				u[i] = c.u[i] + part*v
			}
			if found, err = o.data.misfit(r.ctx, r.bounds.velocities(c.cells(u))); err != nil {
				return nil, 0, 0, err
			}
			if value(found, u) >= value(misfit, c.u) {
				continue
			}
			for i := range d {
				d[i] *= part
			}
			if part == 1 {
				mu = max(mu/dampingFactor, leastDamping)
			}
			return d, found, mu, nil
		}
		mu *= dampingFactor
	}
	return nil, misfit, mu, nil
}

// touching minimises the quadratic with the regularisation of o.
func (c *unknowns) touching(o *objective, q *quadratic, grad []float64) ([]float64, bool) {
	d, b, at := make([]float64, c.n), make([]float64, c.n), make([]float64, c.n)
	for range reweightings {
		for i, v := range d {
			at[i] = c.u[i] + v
		}
		q.touch(at, c.edges, o.tv, o.smooth)
		copy(b, grad)
		q.eachLink(func(i, j int, w float64) { // their descent at u
			slope := w * (c.u[j] - c.u[i])
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
	leastDamping  = 1e-7
	stepTries     = 2    // with more and more damping; then L-BFGS goes on from where the round began
	roundProgress = 0.98 // what a round leaves of the misfit that is not noise at most, to be worth another
	// learningDamping makes the model of L-BFGS stiff where H says that the data say little, so that its first steps are not too long.
	learningDamping = 1e-2
	dampingFloor    = 1e-6 // of D, as a fraction of its mean
	reweightings    = 5    // of the total variation in a step
	leastPart       = 0.2  // of a step
	rowsProgress    = 0.8  // what a round of rows leaves of the misfit at most, to be worth another
	rowsNoise       = 1.05 // times the misfit of the noise is as good as that
	longestStep     = 0.5  // of a cell's unknown, about 860 m/s
	settled         = 1e-3 // a change that is not worth another reweighting
)
