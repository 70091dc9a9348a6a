package invert

import (
	"context"
	"math"
	"slices"
)

// objective is what the optimiser minimises,
//
//	f(x) = J(v(u)) + variation(u) + tikhonov(u),  u = u0 + B x,
//
// with the misfit J of the simulation, the bounds v(u), and the basis B.
type objective struct {
	ctx     context.Context
	data    simulations
	nx      int
	bounds  bounds
	basis   basis
	start   []float64 // u0
	tv      float64   // weight of the total variation
	edges   []float64 // its weights of cells; nil: one
	smooth  float64   // weight of tikhonov
	damping bool      // include the derivative through the damping
	noise   float64   // what of the misfit is expected to be noise
	share   float64   // of it that regularisation may add to the misfit
	journal *journal

	at   []float64 // x of the last evaluation
	last evaluation
	err  error

	u, gu     []float64
	vel, gvel []float32
}

// evaluation is the value of an objective and its parts at one x.
type evaluation struct {
	f, misfit float64
	grad      []float64
}

// excess returns what of a misfit is not noise, at least a share of the noise. Rounds with curvature weigh the regularisation by it: weighed by the whole
// misfit it would smooth away what changes the misfit by less than the noise does.
func (o *objective) excess(misfit float64) float64 { return max(misfit-o.noise, o.share*o.noise) }

// evaluate returns value and gradient at x. After a failure, which err keeps, everything is infinite.
func (o *objective) evaluate(x []float64) evaluation {
	if o.at != nil && slices.Equal(x, o.at) {
		return o.last
	}
	o.prepare()
	o.velocity(o.vel, x)
	e := evaluation{grad: make([]float64, len(x))}
	o.at, o.last = slices.Clone(x), e
	misfit, grad, err := o.journal.simulate(func() (float64, []float32, error) {
		value, err := o.data.gradient(o.ctx, o.gvel, o.vel, o.damping, compared)
		return value, o.gvel, err
	})
	if err != nil {
		o.err = err
		o.last.f = math.Inf(1)
		return o.last
	}
	for i, g := range grad {
		_, slope := o.bounds.velocity(o.u[i])
		o.gu[i] = float64(g) * slope
	}
	e.f, e.misfit = misfit, misfit
	if o.tv > 0 {
		e.f += variation(o.u, o.gu, o.edges, o.nx, edgeWidth, o.tv)
	}
	if o.smooth > 0 {
		e.f += tikhonov(o.u, o.gu, o.nx, o.smooth)
	}
	o.basis.adjoint(e.grad, o.gu)
	o.last = e
	return e
}

// velocity stores the map at x in vel and leaves u behind.
func (o *objective) velocity(vel []float32, x []float64) {
	o.prepare()
	o.basis.apply(o.u, x)
	for i, u := range o.start {
		o.u[i] += u
		v, _ := o.bounds.velocity(o.u[i])
		vel[i] = float32(v)
	}
}

// prepare makes room for maps.
func (o *objective) prepare() {
	if o.u == nil {
		n := len(o.start)
		o.u, o.gu, o.vel, o.gvel = make([]float64, n), make([]float64, n), make([]float32, n), make([]float32, n)
	}
}
