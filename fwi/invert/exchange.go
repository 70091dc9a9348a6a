package invert

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// exchange is a quadratic model of the misfit of a map of few regions, in which cells move from one region to another beside it and the regions
// get new values. Its variables are squared slownesses 1/v^2: a cell is so much smaller than a wavelength that the acceleration in it hardly
// depends on its own velocity, and what it scatters is then linear in its squared slowness, even from 1750 to 3900 m/s; a model linear in
// velocities is of no use there (docs/inversion.md).
type exchange struct {
	nx    int
	label []int       // the region of every cell
	s     []float64   // squared slowness of every region
	g     []float64   // gradient of the misfit with respect to the cells
	h     []float32   // its curvature H, cells x cells
	hb    [][]float64 // H B, B from regions to cells: for every region, the sum of the columns of its cells
}

// slownessUnit makes squared slownesses numbers of about one, where v is in m/s.
const slownessUnit = 1e7

// slownessSlope returns dv/ds at s = slownessUnit/v^2.
func slownessSlope(v float64) float64 { return -v * v * v / (2 * slownessUnit) }

// newExchange returns the model around a map of n regions, from gradient and curvature with respect to squared slownesses.
func newExchange(vel []float32, label []int, n, nx int, g []float64, h []float32) *exchange {
	e := &exchange{nx: nx, label: slices.Clone(label), s: make([]float64, n), g: slices.Clone(g), h: h, hb: make([][]float64, n)}
	for l := range e.hb {
		e.hb[l] = make([]float64, len(g))
	}
	for i, l := range label {
		v := float64(vel[i])
		e.s[l] = slownessUnit / (v * v)
		for k, x := range e.column(i) {
			e.hb[l][k] += float64(x)
		}
	}
	return e
}

// column returns that of H which belongs to cell i.
func (e *exchange) column(i int) []float32 { return e.h[i*len(e.label):][:len(e.label)] }

// inverse returns (B'HB)^-1 of the regions of at least so many cells, and zeros for others; false where that cannot be had.
func (e *exchange) inverse(cells int) (*mat.SymDense, bool) {
	n := len(e.s)
	size, full := make([]int, n), make([]float64, n*n)
	for i, l := range e.label {
		size[l]++
		for m := range n {
			full[m*n+l] += e.hb[m][i]
		}
	}
	var some []int
	mean := 0.0
	for l, k := range size {
		if k >= cells {
			some = append(some, l)
			mean += full[l*n+l]
		}
	}
	out := mat.NewSymDense(n, nil)
	if len(some) == 0 {
		return out, true
	}
	mean /= float64(len(some))
	a, inverse := mat.NewSymDense(len(some), nil), mat.NewSymDense(len(some), nil)
	for i, l := range some {
		for j, m := range some[:i] {
			a.SetSym(i, j, full[l*n+m])
		}
		a.SetSym(i, i, full[l*n+l]*(1+settleDamping)+settleRidge*mean)
	}
	var c mat.Cholesky
	if !c.Factorize(a) || c.InverseTo(inverse) != nil {
		return nil, false
	}
	for i, l := range some {
		for j, m := range some[:i+1] {
			out.SetSym(l, m, inverse.At(i, j))
		}
	}
	return out, true
}

// settle gives the regions the values that are best.
func (e *exchange) settle() bool {
	inverse, ok := e.inverse(1)
	if !ok {
		return false
	}
	n := len(e.s)
	d := mat.NewVecDense(n, nil)
	d.MulVec(inverse, mat.NewVecDense(n, e.ofRegions(e.g)))
	for l := range n {
		change := min(max(-d.AtVec(l), -longestSettle*e.s[l]), longestSettle*e.s[l])
		e.s[l] += change
		for i, v := range e.hb[l] {
			e.g[i] += change * v
		}
	}
	return true
}

// ofRegions returns the sums of cells over regions.
func (e *exchange) ofRegions(cells []float64) []float64 {
	sums := make([]float64, len(e.s))
	for i, l := range e.label {
		sums[l] += cells[i]
	}
	return sums
}

// candidate is a cell that may move to a region beside it, which changes its squared slowness by d.
type candidate struct {
	cell, to int
	d        float64
}

// candidates returns all.
func (e *exchange) candidates() (all []candidate) {
	for i, l := range e.label {
		first := len(all)
		around(i, e.nx, len(e.label), func(k int) {
			m := e.label[k]
			if m != l && !slices.ContainsFunc(all[first:], func(c candidate) bool { return c.to == m }) {
				all = append(all, candidate{i, m, e.s[m] - e.s[l]})
			}
		})
	}
	return all
}

// move moves a candidate.
func (e *exchange) move(c candidate) {
	from, h := e.label[c.cell], e.column(c.cell)
	for k, v := range h {
		e.g[k] += c.d * float64(v)
		e.hb[from][k] -= float64(v)
		e.hb[c.to][k] += float64(v)
	}
	e.label[c.cell] = c.to
}

// metric returns d_i S_ij d_j of candidates, with the curvature S = H - HB (B'HB)^-1 B'H of what is left once the regions have the values that
// are best. Small regions keep theirs: they may be about to vanish, and then do not take up what their cells change.
func (e *exchange) metric(all []candidate) ([]float64, bool) {
	inverse, ok := e.inverse(smallRegion)
	if !ok {
		return nil, false
	}
	k, n := len(all), len(e.s)
	w := mat.NewDense(k, n, nil)
	for i, c := range all {
		for l := range n {
			w.Set(i, l, e.hb[l][c.cell]*c.d)
		}
	}
	var half, taken mat.Dense
	half.Mul(w, inverse)
	taken.Mul(&half, w.T())
	out := make([]float64, k*k)
	for i, c := range all {
		h := e.column(c.cell)
		for j, o := range all {
			out[i*k+j] = float64(h[o.cell])*c.d*o.d - taken.At(i, j)
		}
		out[i*k+i] = max(out[i*k+i], leastStiffness*float64(h[c.cell])*c.d*c.d)
	}
	return out, true
}

// run moves cells where that lowers the misfit, a price for every cell that moves and one for every side of cells between two regions, and
// settles. Prices are fractions of scale.
func (e *exchange) run(scale, perCell, perSide float64) {
	for range exchangePasses {
		if !e.settle() {
			return
		}
		all := e.candidates()
		if len(all) == 0 || len(all) > mostCandidates {
			return
		}
		s, ok := e.metric(all)
		if !ok {
			return
		}
		moved := false
		for i, moves := range newAnnealing(e.label, e.nx, all, e.g, s, scale*perCell, scale*perSide).run(scale * modelPrecision) {
			if moves {
				e.move(all[i])
				moved = true
			}
		}
		if !moved {
			return
		}
	}
	e.settle()
}

// velocities returns the map of the regions.
func (e *exchange) velocities(b bounds) []float64 {
	u := make([]float64, len(e.label))
	for i, l := range e.label {
		u[i] = b.inverse(math.Sqrt(slownessUnit / e.s[l]))
	}
	return u
}

const (
	settleDamping  = 1e-3 // of B'HB, as a fraction of its diagonal
	settleRidge    = 1e-6 // of B'HB, as a fraction of the mean of its diagonal
	longestSettle  = 0.3  // of a squared slowness, at once
	smallRegion    = 40   // cells
	leastStiffness = 0.01 // of the curvature of a cell, at least for a candidate
	modelPrecision = 1e-4 // of scale
	exchangePasses = 3    // each moves cells that lie at a boundary when it begins
	mostCandidates = 2000 // more take long
)
