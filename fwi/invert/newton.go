package invert

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Up to how many unknowns gaussNewton is used, in all and on fine cells: its derivatives cost a simulation for each.
const (
	fewUnknowns     = 100
	fewFineUnknowns = 40
)

// suitsGaussNewton reports whether gaussNewton can minimise o, for a stage that regularise has seen, and is worth it.
func (o *objective) suitsGaussNewton(stage Stage) bool {
	n := o.basis.size()
	few := n <= fewFineUnknowns || n <= fewUnknowns && o.data[0].thin != nil
	return few && stage.Prior.tested() && stage.Misfit == L2 && !stage.Adam && o.tv == 0 && o.smooth == 0
}

// gaussNewton minimises the misfit |r(x)|^2 / 2 over few unknowns, from x = 0, by steps
//
//	(J'J + mu D) dx = -J'r,  D the diagonal of J'J,
//
// with J, the derivative of r, from differences, and mu smaller after each step that lowers the misfit and larger after each that does not
// (Levenberg 1944; Marquardt, J. SIAM 11, 1963). It returns the best x.
func gaussNewton(o *objective, iterations int, w *watcher) ([]float64, error) {
	n := o.basis.size()
	x := make([]float64, n)
	r, err := o.residuals(x)
	if err != nil {
		return nil, err
	}
	m := len(r)
	f := halfSquare(r)
	step := o.differences()
	jacobian, product := make([]float32, n*m), make([]float32, n*n)
	mu := firstDamping
	for range iterations {
		for k := range n {
			moved := append([]float64(nil), x...)
			moved[k] += step[k]
			rk, err := o.residuals(moved)
			if err != nil {
				return nil, err
			}
			for i, v := range rk {
				jacobian[k*m+i] = float32((float64(v) - float64(r[i])) / step[k])
			}
		}
		kernel.Gemm(false, true, n, n, m, jacobian, m, jacobian, m, product, n, false)
		right := make([]float64, n)
		for k := range n {
			for i, v := range r {
				right[k] -= float64(jacobian[k*m+i]) * float64(v)
			}
		}
		before := f
		for range dampingTries {
			dx, ok := solveDamped(product, right, mu)
			if !ok {
				mu *= dampingFactor
				continue
			}
			moved := append([]float64(nil), x...)
			for k, d := range dx {
				moved[k] += d
			}
			rk, err := o.residuals(moved)
			if err != nil {
				return nil, err
			}
			if fk := halfSquare(rk); fk < f {
				x, r, f = moved, rk, fk
				mu /= dampingFactor
				break
			}
			mu *= dampingFactor
		}
		if f >= before*gaussNewtonStall {
			break
		}
		if err := w.iteration(x, evaluation{f: f, misfit: f}); err == errStalled {
			break
		} else if err != nil {
			return nil, err
		}
	}
	return x, nil
}

const (
	gaussNewtonSteps = 6 // it converges within a few, or not at all
	firstDamping     = 1e-3
	dampingFactor    = 10
	dampingTries     = 5
	gaussNewtonStall = 0.99 // a step that leaves more of the misfit is the last
	differenceStep   = 4.0  // m/s
)

// solveDamped returns the solution of (A + mu diag A) x = b, and whether that matrix is positive definite.
func solveDamped(a []float32, b []float64, mu float64) ([]float64, bool) {
	n := len(b)
	s := mat.NewSymDense(n, nil)
	largest := 0.0
	for i := range n {
		largest = max(largest, float64(a[i*n+i]))
	}
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (float64(a[i*n+j])+float64(a[j*n+i]))/2)
		}
		s.SetSym(i, i, float64(a[i*n+i])*(1+mu)+1e-9*largest)
	}
	var factor mat.Cholesky
	if !factor.Factorize(s) {
		return nil, false
	}
	var x mat.VecDense
	if factor.SolveVecTo(&x, mat.NewVecDense(n, b)) != nil {
		return nil, false
	}
	return x.RawVector().Data, true
}

// differences returns, for each unknown, the change that moves no velocity by more than about differenceStep.
func (o *objective) differences() []float64 {
	o.prepare()
	step, unit := make([]float64, o.basis.size()), make([]float64, o.basis.size())
	for k := range step {
		unit[k] = 1
		o.basis.apply(o.u, unit)
		unit[k] = 0
		most := 0.0
		for _, u := range o.u {
			most = max(most, math.Abs(u))
		}
		step[k] = differenceStep / o.bounds.half / max(most, 1e-12)
	}
	return step
}

// residuals returns r at x: the filtered and weighted differences of simulated and recorded gathers, scaled so that |r|^2 / 2 is the
// misfit, which must be L2.
func (o *objective) residuals(x []float64) ([]float32, error) {
	o.prepare()
	o.velocity(o.vel, x)
	return o.data.residuals(o.ctx, o.vel)
}

func halfSquare(r []float32) (sum float64) {
	for _, v := range r {
		sum += float64(v) * float64(v)
	}
	return sum / 2
}
