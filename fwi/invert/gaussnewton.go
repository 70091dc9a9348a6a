package invert

// fewUnknowns reports whether gaussNewton can minimise o, which regularise has seen.
func (r *run) fewUnknowns(o *objective, stage Stage) bool {
	return r.curved(stage) && stage.Prior.tested() && o.tv == 0 && o.smooth == 0
}

// gaussNewton minimises the misfit over the velocities of regions, from x = 0, by steps
//
//	(J'J + mu D) dx = -g,  D the diagonal of J'J,
//
// with the gradient g and mu smaller after each step that lowers the misfit and larger after each that does not (Levenberg 1944; Marquardt, J. SIAM
// 11, 1963). It returns the best x.
func gaussNewton(o *objective, b *regions, iterations int, w *watcher) ([]float64, error) {
	n := b.size()
	x := make([]float64, n)
	e := o.evaluate(x)
	mu := firstDamping
	for range iterations {
		if o.err != nil {
			return nil, o.err
		}
		o.velocity(o.vel, x)
		q := &quadratic{slope: make([]float64, n), diag: make([]float64, n)}
		for i, l := range b.label {
			_, slope := o.bounds.velocity(o.u[i])
			q.slope[l] = slope * b.weight[l]
		}
		var err error
		if q.h, err = o.data.curvature(o.ctx, o.vel, b.label, n); err != nil {
			return nil, err
		}
		before, d, largest := e.misfit, make([]float64, n), 0.0
		for i := range d {
			d[i] = float64(q.h[i*n+i]) * q.slope[i] * q.slope[i]
			largest = max(largest, d[i])
		}
		for range dampingTries {
			for i, v := range d {
				q.diag[i] = mu*v + regionsRidge*largest
			}
			if dx, ok := q.minimise(e.grad); ok {
				moved := append([]float64(nil), x...)
				for k, d := range dx {
					moved[k] += d
				}
				next := o.evaluate(moved)
				if o.err != nil {
					return nil, o.err
				}
				if next.misfit < e.misfit {
					x, e = moved, next
					mu /= dampingFactor
					break
				}
			}
			mu *= dampingFactor
		}
		if e.misfit >= before*gaussNewtonStall {
			break
		}
		if err := w.iteration(x, e); err == errStalled {
			break
		} else if err != nil {
			return nil, err
		}
	}
	return x, nil
}

const (
	gaussNewtonSteps = 6 // it converges within a few, or not at all
	movedSteps       = 2 // the same where moveCells follows
	firstDamping     = 1e-3
	dampingFactor    = 10
	dampingTries     = 5
	regionsRidge     = 1e-9 // of D: what regions that the data do not see are held by
	gaussNewtonStall = 0.99 // a step that leaves more of the misfit is the last
)
