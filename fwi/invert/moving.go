package invert

import "math"

// movable reports whether moveCells follows gaussNewton.
func (r *run) movable(o *objective, stage Stage) bool {
	return r.fewUnknowns(o, stage) && stage.Prior == Regions && o.data[0].thin == nil
}

// moveCells lowers the misfit of a map u of few regions by moving cells between them: see exchange. It returns the map and its misfit; report is told of
// every map on the way.
func (r *run) moveCells(o *objective, u []float64, misfit float64, report func(u []float64, misfit float64) error) ([]float64, float64, error) {
	label, n := connected(u, r.p.NX)
	if n < 2 || n > mostRegions {
		return u, misfit, nil
	}
	for round := 0; round < movingRounds && math.Sqrt(2*misfit) >= r.cfg.Target; round++ {
		before, from := misfit, label
		vel := r.bounds.velocities(u)
		g, h, err := r.slownessModel(o.data, vel)
		if err != nil {
			return nil, 0, err
		}
		scale := o.excess(misfit)
		for _, price := range sidePrices {
			e := newExchange(vel, from, n, r.p.NX, g, h)
			e.run(scale, cellPrice, price)
			next := e.velocities(r.bounds)
			found, err := o.data.misfit(r.ctx, r.bounds.velocities(next))
			if err != nil {
				return nil, 0, err
			}
			if found < misfit {
				u, misfit, label = next, found, e.label
			}
		}
		if err := report(u, misfit); err != nil {
			return nil, 0, err
		}
		if o.excess(misfit) > movingProgress*o.excess(before) {
			break
		}
	}
	return u, misfit, nil
}

// slownessModel returns gradient and curvature of the misfit with respect to the squared slownesses of the cells.
func (r *run) slownessModel(data simulations, vel []float32) ([]float64, []float32, error) {
	n := len(vel)
	single := make([]float32, n)
	if _, err := data.gradient(r.ctx, single, vel, false, compared); err != nil {
		return nil, nil, err
	}
	h, err := data.curvature(r.ctx, vel, each(n), n)
	if err != nil {
		return nil, nil, err
	}
	g, slope := make([]float64, n), make([]float32, n)
	for i, v := range vel {
		s := slownessSlope(float64(v))
		g[i], slope[i] = float64(single[i])*s, float32(s)
	}
	for i, own := range slope {
		row := h[i*n:][:n]
		for k, s := range slope {
			row[k] *= own * s
		}
	}
	return g, h, nil
}

const (
	mostRegions    = 200 // more take long
	movingRounds   = 8
	movingProgress = 0.9  // what a round leaves of the misfit that is not noise at most, to be worth another
	cellPrice      = 1e-4 // of a cell that moves, as a fraction of the misfit that is not noise
)

// sidePrices are those of a side of cells between regions, as fractions of the misfit that is not noise. High ones straighten what is jagged, low ones
// find tips. Which is best is up to the simulation.
var sidePrices = []float64{0.03, 0.01, 0.003, 0.001}
