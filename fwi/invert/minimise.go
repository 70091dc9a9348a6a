package invert

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/optimize"
)

// errStalled ends a search that gets nowhere.
var errStalled = errors.New("stalled")

// watcher is told of the iterations of a search, and ends it where they stop to pay.
type watcher struct {
	o      *objective
	stall  float64
	noise  float64 // misfit at which to stop; zero: none
	misfit float64 // of the last iteration
	watch  func(x []float64, e evaluation) error
	over   bool // set by watch: it is enough
	err    error
	past   []float64
	tried  int // evaluations since the last iteration
}

const (
	stallIterations = 10 // how far back the progress of a search is measured
	longestSearch   = 8  // evaluations of a line search that has not found anything: it has come as far as the precision of simulations goes
)

func (w *watcher) iteration(x []float64, e evaluation) error {
	w.misfit, w.tried = e.misfit, 0
	if w.err = w.watch(x, e); w.err != nil {
		return w.err
	}
	if w.over || e.misfit <= w.noise {
		return errStalled
	}
	w.past = append(w.past, e.f)
	if n := len(w.past); n > stallIterations && w.past[n-1-stallIterations]-e.f < w.stall*e.f {
		return errStalled
	}
	return nil
}

// Init and Record make a watcher a recorder of gonum's optimisers.
func (w *watcher) Init() error { return nil }

func (w *watcher) Record(loc *optimize.Location, op optimize.Operation, _ *optimize.Stats) error {
	if op&optimize.MajorIteration == 0 {
		return nil
	}
	return w.iteration(loc.X, w.o.evaluate(loc.X))
}

// lbfgs minimises the objective from x = 0 in at most iterations steps and returns the best x. An iteration is mostly one
// evaluation.
func lbfgs(o *objective, iterations, pairs int, w *watcher) ([]float64, error) {
	problem := optimize.Problem{
		Func: func(x []float64) float64 {
			w.tried++
			return o.evaluate(x).f
		},
		Grad: func(grad, x []float64) { copy(grad, o.evaluate(x).grad) },
		Status: func() (optimize.Status, error) {
			if o.err != nil {
				return optimize.Failure, o.err
			}
			if w.tried > longestSearch {
				return optimize.StepConvergence, nil
			}
			return optimize.NotTerminated, nil
		},
	}
	settings := &optimize.Settings{MajorIterations: iterations, Recorder: w, Converger: optimize.NeverTerminate{}}
	method := &optimize.LBFGS{Linesearcher: &optimize.MoreThuente{DecreaseFactor: 1e-4}, Store: pairs, GradStopThreshold: math.NaN()}
	result, err := optimize.Minimize(problem, make([]float64, o.basis.size()), settings, method)
	switch {
	case o.err != nil:
		return nil, o.err
	case w.err != nil:
		return nil, w.err
	case result == nil:
		return nil, err
	}
	// Other errors are those of a line search that finds nothing better: it has come as far as the precision goes.
	return result.X, nil
}

// adam takes iterations steps of Adam (Kingma and Ba, ICLR 2015) from x = 0 and returns the best x that it met,
//
//	m = 0.9 m + 0.1 g,  s = 0.999 s + 0.001 g^2,  x -= rate (m / (1 - 0.9^t)) / (sqrt(s / (1 - 0.999^t)) + tiny).
func adam(o *objective, iterations int, rate float64, w *watcher) ([]float64, error) {
	const keepMean, keepSquare, tiny = 0.9, 0.999, 1e-12
	n := o.basis.size()
	x, m, s, best := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	least := math.Inf(1)
	for t := 1; t <= iterations+1; t++ {
		e := o.evaluate(x)
		if o.err != nil {
			return nil, o.err
		}
		if e.f < least {
			least = e.f
			copy(best, x)
		}
		if t > 1 {
			if err := w.iteration(x, e); err == errStalled {
				break
			} else if err != nil {
				return nil, err
			}
		}
		for i, g := range e.grad {
			m[i] = keepMean*m[i] + (1-keepMean)*g
			s[i] = keepSquare*s[i] + (1-keepSquare)*g*g
			x[i] -= rate * m[i] / (1 - math.Pow(keepMean, float64(t))) / (math.Sqrt(s[i]/(1-math.Pow(keepSquare, float64(t)))) + tiny)
		}
	}
	return best, nil
}
