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
	return stage.Newton && r.curved(stage) && (stage.Prior == Cells || stage.Prior == Blocks)
}

// curved reports whether a stage can have the curvature of its misfit.
func (r *run) curved(stage Stage) bool { return stage.Misfit == L2 && r.p.NZ*r.p.NX <= newtonCells }

// unknowns are the velocities that a step changes, which cells may have in common.
type unknowns struct {
	n, nx  int
	label  []int     // which of n each cell has
	u      []float64 // of each, as a map of rows of nx
	weight []float64
	edges  []float64 // weights of the total variation; nil: one
}

// unknowns returns the cells of the map, each for itself or, where only rows differ, a row together. As every row has the same total variation
// in all columns, that of a map of one column is the same.
func (r *run) unknowns(o *objective, rows bool) *unknowns {
	s := &r.state
	if !rows {
		return &unknowns{len(s.u), r.p.NX, each(len(s.u)), s.u, s.weight, o.edges}
	}
	c := &unknowns{n: r.p.NZ, nx: 1, label: make([]int, len(s.u))}
	means := rowMeans(s.weight, r.p.NX)
	for i := range c.label {
		c.label[i] = i / r.p.NX
		if i%r.p.NX == 0 {
			c.u, c.weight = append(c.u, s.u[i]), append(c.weight, means[i])
			if o.edges != nil {
				c.edges = append(c.edges, o.edges[i])
			}
		}
	}
	return c
}

// stratified reports whether all rows of a map of rows of nx are constant.
func stratified(u []float64, nx int) bool {
	for i, v := range u {
		if v != u[i/nx*nx] {
			return false
		}
	}
	return true
}

// cellRound is a round of one step of Gauss-Newton over all cells. A map whose rows are constant, because the data allowed it, stays so until
// steps of rows do not lower a misfit that is more than noise. It returns the misfit before and behind it.
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
	rows := s.Stratified && stratified(s.u, r.p.NX)
	c := r.unknowns(o, rows)
	d, misfit, damping, err := r.cellStep(o, c, first.misfit, grad)
	if err != nil {
		return 0, 0, err
	}
	if d != nil {
		x := make([]float64, len(s.u))
		for i, l := range c.label {
			x[i] = d[l] / s.weight[i]
		}
		if err := r.iteration(o, x, evaluation{f: first.misfit, misfit: misfit}, stage.Iterations); err != nil {
			return 0, 0, err
		}
		for i, l := range c.label {
			s.u[i] += d[l]
		}
		s.Damping = damping
	}
	switch {
	case rows && misfit > rowsProgress*first.misfit && misfit > max(rowsNoise*o.data.expected(r.noise), regionsFloor):
		s.Stratified, s.Damping = false, firstDamping
	case d == nil:
		s.Round = stage.Rounds - 1 // as good as it gets
	}
	return first.misfit, misfit, nil
}

// cellStep returns the change of a step of Gauss-Newton from the map of the state, with its misfit and the gradient g of that with respect to u
// of cells: what minimises
//
//	misfit + g'd + 1/2 d'(J'J + mu D) d + variation(u + d) + tikhonov(u + d),
//
// by quadratics that touch the total variation from above, or half or a quarter of it. D is the diagonal of J'J over the square of the cell's weight:
// where the data say little the damping is weak and leaves the map to the total variation. mu falls after a whole step that lowers the objective,
// and rises while no part of one does (Levenberg 1944; Marquardt, J. SIAM 11, 1963). It returns the misfit behind the step and the next damping,
// too, and no change where none lowers the objective.
func (r *run) cellStep(o *objective, c *unknowns, misfit float64, g []float64) (d []float64, found, damping float64, err error) {
	h, err := o.data.curvature(r.ctx, r.velocities(), c.label, c.n)
	if err != nil {
		return nil, 0, 0, err
	}
	q := &quadratic{nx: c.nx, h: h, slope: make([]float64, c.n), diag: make([]float64, c.n)}
	grad := make([]float64, c.n)
	for i, l := range c.label {
		grad[l] += g[i]
	}
	mean := 0.0
	for i, u := range c.u {
		_, q.slope[i] = r.bounds.velocity(u)
		mean += float64(h[i*c.n+i]) * q.slope[i] * q.slope[i] / float64(c.n)
	}
	scratch, u, cells := make([]float64, c.n), make([]float64, c.n), make([]float64, len(c.label))
	value := func(misfit float64, u []float64) float64 {
		return misfit + variation(u, scratch, c.edges, c.nx, edgeWidth, o.tv) + tikhonov(u, scratch, c.nx, o.smooth)
	}
	damping = r.state.Damping
	for range dampingTries {
		for i, w := range c.weight {
			q.diag[i] = damping * (float64(h[i*c.n+i])*q.slope[i]*q.slope[i] + dampingFloor*mean) / (w * w)
		}
		d, ok := c.touching(o, q, grad)
		for part := 1.0; ok && part >= leastPart; part /= 2 {
			for i, v := range d {
				u[i] = c.u[i] + part*v
			}
			for i, l := range c.label {
				cells[i] = u[l]
			}
			if found, err = o.data.misfit(r.ctx, r.bounds.velocities(cells)); err != nil {
				return nil, 0, 0, err
			}
			if value(found, u) >= value(misfit, c.u) {
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
	leastDamping = 1e-7
	dampingFloor = 1e-6 // of D, as a fraction of its mean
	reweightings = 5    // of the total variation in a step
	leastPart    = 0.2  // of a step
	rowsProgress = 0.8  // what a step of rows leaves of the misfit at most, to be worth another
	rowsNoise    = 1.05 // times the misfit of the noise is as good as that
	longestStep  = 0.5  // of a cell's unknown, about 860 m/s
	settled      = 1e-3 // a change that is not worth another reweighting
)
