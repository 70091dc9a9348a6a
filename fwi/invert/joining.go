package invert

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// joining joins regions of a map where the data mind least, by a quadratic model of the misfit in their values,
//
//	Q(y) = least + 1/2 (y - y0)' A (y - y0),
//
// whose minimum is at y0. That two regions i and j have one value adds at least
//
//	(y_i - y_j)^2 / (2 s),  s = C_ii + C_jj - 2 C_ij,  C = A^-1,
//
// to it, by Lagrange's multiplier, and moves all values by -C (e_i - e_j) (y_i - y_j)/s; what remains free has the covariance
// C - C (e_i - e_j)(e_i - e_j)' C / s.
type joining struct {
	neighbours
	n int
	y []float64 // values
	c []float64 // C, n x n
}

// newJoining returns the n regions that label says of the cells of rows of nx.
func newJoining(label []int, n, nx int, y []float64, c mat.Symmetric) *joining {
	j := &joining{neighbours: newNeighbours(label, n, nx), n: n, y: y, c: make([]float64, n*n)}
	for i := range n {
		for k := range n {
			j.c[i*n+k] = c.At(i, k)
		}
	}
	return j
}

// variance returns s of two regions.
func (j *joining) variance(a, b int) float64 {
	return max(j.c[a*j.n+a]+j.c[b*j.n+b]-2*j.c[a*j.n+b], noVariance)
}

// run joins the two regions whose union adds least for each side that it removes, again and again, as long as all of it adds no more than
// budget, and reports how many are left.
func (j *joining) run(budget float64) (left int) {
	left = j.n
	v := make([]float64, j.n)
	for left > 1 {
		least, a, b, adds := math.Inf(1), -1, -1, 0.0
		for i, sides := range j.sides {
			for k, length := range sides {
				if k < i {
					continue
				}
				d := j.y[i] - j.y[k]
				cost := d * d / (2 * j.variance(i, k))
				if per := cost / length; per < least || per == least && (i < a || i == a && k < b) {
					least, a, b, adds = per, i, k, cost
				}
			}
		}
		if a < 0 || adds > budget {
			return left
		}
		budget -= adds
		s := j.variance(a, b)
		d := (j.y[a] - j.y[b]) / s
		for i := range v {
			v[i] = j.c[a*j.n+i] - j.c[b*j.n+i]
		}
		for i, x := range v {
			j.y[i] -= x * d
			if x == 0 || j.into[i] != i {
				continue
			}
			row, f := j.c[i*j.n:][:j.n], x/s
			for k, w := range v {
				row[k] -= f * w
			}
		}
		j.join(a, b)
		left--
	}
	return left
}

// value returns that of a region.
func (j *joining) value(i int) float64 { return j.y[j.root(i)] }

// join returns the map of the state as the regions that the data need, at a misfit of about limit, if the quadratic model is right: cut finely
// first, and then joined.
func (r *run) join(data simulations, limit float64) ([]float64, error) {
	u := slices.Clone(r.state.u)
	label, n := each(len(u)), len(u)
	for price := finePrice; n > fineRegions; price *= 2 {
		copy(u, r.state.u)
		flatten(u, r.p.NX, price)
		label, n = connected(u, r.p.NX)
	}
	vel := r.bounds.velocities(u)
	g := make([]float32, len(u))
	misfit, err := data.gradient(r.ctx, g, vel, false, compared)
	if err != nil {
		return nil, err
	}
	h, err := data.curvature(r.ctx, vel, label, n)
	if err != nil {
		return nil, err
	}
	slope, grad, y := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, l := range label {
		_, slope[l] = r.bounds.velocity(u[i])
		grad[l] += float64(g[i]) * slope[l]
		y[l] = u[i]
	}
	a, mean := mat.NewSymDense(n, nil), 0.0
	for i := range n {
		mean += float64(h[i*n+i]) * slope[i] * slope[i] / float64(n)
		for k := range i {
			a.SetSym(i, k, float64(h[i*n+k])*slope[i]*slope[k])
		}
	}
	for i := range n {
		a.SetSym(i, i, float64(h[i*n+i])*slope[i]*slope[i]*(1+joinDamping)+joinRidge*mean)
	}
	var factor mat.Cholesky
	var c mat.SymDense
	if !factor.Factorize(a) || factor.InverseTo(&c) != nil {
		return u, nil // as it is cut
	}
	least := misfit
	for i := range n {
		d := 0.0
		for k, v := range grad {
			d -= c.At(i, k) * v
		}
		y[i] += d
		least += d * grad[i] / 2
	}
	j := newJoining(label, n, r.p.NX, y, &c)
	j.run(limit - max(least, 0))
	for i, l := range label {
		u[i] = j.value(l)
	}
	return u, nil
}

const (
	noVariance  = 1e-300 // in place of none
	finePrice   = 1e-4   // of flatten, to begin with
	fineRegions = 900    // at most
	joinDamping = 1e-2   // of A, as a fraction of its diagonal
	joinRidge   = 1e-7   // of A, as a fraction of the mean of its diagonal
)
