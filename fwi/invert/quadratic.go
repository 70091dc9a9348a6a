package invert

import (
	"math"

	"github.com/spamoe/spamoe/internal/kernel"
)

// quadratic is a model of an objective in the change d of a map u,
//
//	b'd + 1/2 d'(S H S + D + L) d,
//
// with the curvature H with respect to velocities, S the derivative of velocities with respect to u, a diagonal D, and the links L of cells
// to their neighbours, d'Ld = sum w (d_i - d_j)^2.
type quadratic struct {
	nx          int
	h           []float32
	slope, diag []float64
	right, down []float64 // w of the links of every cell; 0 at the edges

	factor []float32 // of a Cholesky decomposition; nil, or room for it
	scale  []float64 // of the unknowns in it
}

// touch sets the links to those of the quadratic that touches variation at the map at from above, and adds tikhonov: minimising it again and
// again leads to the minimum (iteratively reweighted least squares).
func (q *quadratic) touch(at, edges []float64, tv, smooth float64) {
	n := len(at)
	if q.right == nil {
		q.right, q.down = make([]float64, n), make([]float64, n)
	}
	for i, v := range at {
		right, below := (i+1)%q.nx != 0, i+q.nx < n
		var dx, dz float64
		if right {
			dx = at[i+1] - v
		}
		if below {
			dz = at[i+q.nx] - v
		}
		w := tv
		if edges != nil {
			w *= edges[i]
		}
		w = (w/math.Sqrt(dx*dx+dz*dz+edgeWidth*edgeWidth) + smooth) / float64(n)
		q.right[i], q.down[i] = 0, 0
		if right {
			q.right[i] = w
		}
		if below {
			q.down[i] = w
		}
	}
}

// eachLink calls f for the cells and the weight of every link.
func (q *quadratic) eachLink(f func(i, j int, w float64)) {
	for i, w := range q.right {
		if w != 0 {
			f(i, i+1, w)
		}
	}
	for i, w := range q.down {
		if w != 0 {
			f(i, i+q.nx, w)
		}
	}
}

// apply stores (S H S + D + L) x in y.
func (q *quadratic) apply(y, x []float64) {
	n := len(x)
	scaled := make([]float32, n)
	for i, v := range x {
		scaled[i] = float32(v * q.slope[i])
	}
	kernel.Parallel(n, 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			y[i] = kernel.Dot(q.h[i*n:][:n], scaled)*q.slope[i] + q.diag[i]*x[i]
		}
	})
	q.eachLink(func(i, j int, w float64) {
		d := w * (x[j] - x[i])
		y[i] -= d
		y[j] += d
	})
}

// decompose factors the matrix, scaled to a diagonal of one and a little more, so that single precision is enough.
func (q *quadratic) decompose() bool {
	n := len(q.diag)
	if q.factor == nil {
		q.factor = make([]float32, n*n)
	}
	q.scale = make([]float64, n)
	for i, d := range q.diag {
		q.scale[i] = d + float64(q.h[i*n+i])*q.slope[i]*q.slope[i]
	}
	q.eachLink(func(i, j int, w float64) {
		q.scale[i] += w
		q.scale[j] += w
	})
	both := make([]float32, n)
	for i, d := range q.scale {
		q.scale[i] = 1 / math.Sqrt(d)
		both[i] = float32(q.slope[i] * q.scale[i])
	}
	kernel.Parallel(n, 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row, dst, own := q.h[i*n:][:i], q.factor[i*n:][:i+1], both[i]
			for j, v := range row {
				dst[j] = v * own * both[j]
			}
			dst[i] = 1 + singleRidge
		}
	})
	q.eachLink(func(i, j int, w float64) { q.factor[j*n+i] -= float32(w * q.scale[i] * q.scale[j]) })
	return kernel.Cholesky(q.factor, n)
}

const (
	singleRidge  = 3e-6  // what a diagonal of one needs for a decomposition in single precision
	solveSteps   = 10    // of conjugate gradients behind it
	solvePrecise = 1e-10 // of the squared residual, to stop at
)

// minimise returns the d that minimises the quadratic of b, by conjugate gradients that are preconditioned with the decomposition of the
// matrix in single precision; false where the matrix is not positive definite.
func (q *quadratic) minimise(b []float64) ([]float64, bool) {
	if !q.decompose() {
		return nil, false
	}
	n := len(b)
	d, r, z, p, ap := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i, v := range b {
		r[i] = -v
	}
	single := make([]float32, n)
	product := func(x, y []float64) (sum float64) {
		for i, v := range x {
			sum += v * y[i]
		}
		return sum
	}
	precondition := func() float64 {
		for i, v := range r {
			single[i] = float32(v * q.scale[i])
		}
		kernel.CholeskySolve(q.factor, n, single)
		for i, v := range single {
			z[i] = float64(v) * q.scale[i]
		}
		return product(r, z)
	}
	rz := precondition()
	copy(p, z)
	for end, k := solvePrecise*rz, 0; k < solveSteps && rz > end; k++ {
		q.apply(ap, p)
		a := rz / product(p, ap)
		for i, v := range p {
			d[i] += a * v
			r[i] -= a * ap[i]
		}
		before := rz
		rz = precondition()
		for i, v := range z {
			p[i] = v + rz/before*p[i]
		}
	}
	return d, true
}
