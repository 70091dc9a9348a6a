package invert

import (
	"gonum.org/v1/gonum/floats"

	"github.com/spamoe/spamoe/internal/kernel"
)

// preconditioned is the basis of unknowns in which a quadratic model A = L L' of the objective is a sphere: du = s L'^-1 x. L-BFGS in x begins with
// the step that minimises the model and learns in which directions the objective curves otherwise.
type preconditioned struct {
	*unknowns
	q      *quadratic
	length float64   // s
	single []float32 // room for n
}

// precondition makes the minimum of q, which has been decomposed, the first step of L-BFGS from o.start, where it evaluates o.
func (o *objective) precondition(c *unknowns, q *quadratic) {
	p := &preconditioned{c, q, 1, make([]float32, c.n)}
	o.basis, o.at = p, nil
	e := o.evaluate(make([]float64, c.n))
	if length := floats.Norm(e.grad, 2); length > 0 { // of the first step, which optimisers expect to be one
		p.length = length
		floats.Scale(length, e.grad)
	}
}

func (p *preconditioned) size() int { return p.n }

func (p *preconditioned) apply(u, x []float64) {
	for i, v := range x {
		p.single[i] = float32(v)
	}
	kernel.CholeskyBackward(p.q.factor, p.n, p.single)
	for i, l := range p.label {
		u[i] = float64(p.single[l]) * p.q.scale[l] * p.length
	}
}

func (p *preconditioned) adjoint(gx, gu []float64) {
	for i, v := range p.sums(gu) {
		p.single[i] = float32(v * p.q.scale[i] * p.length)
	}
	kernel.CholeskyForward(p.q.factor, p.n, p.single)
	for i, v := range p.single {
		gx[i] = float64(v)
	}
}
