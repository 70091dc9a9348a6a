package optim

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// Sum adds up the gradients of several passes: of micro-batches one after the other, or of tapes that ran side by side. It adds
// in the order of the calls, so the result depends on how a batch is cut, and on nothing else.
type Sum struct {
	params []*autograd.Param
	grads  map[*autograd.Param]*summand
}

type summand struct {
	*autograd.Tensor
	set bool // since the last Reset
}

// NewSum returns an empty sum over the parameters of model.
func NewSum(model any) *Sum {
	s := &Sum{grads: map[*autograd.Param]*summand{}}
	for _, p := range autograd.Params(model) {
		s.params = append(s.params, p)
	}
	return s
}

// Add adds weight times the gradients of one pass. For the gradient of a mean over a batch cut in n equal parts the weight is
// 1/n.
func (s *Sum) Add(grads Gradients, weight float32) {
	for _, p := range s.params {
		g := grads.Of(p)
		if g == nil {
			continue
		}
		sum := s.grads[p]
		if sum == nil {
			sum = &summand{Tensor: autograd.New(p.Shape...)}
			s.grads[p] = sum
		}
		if sum.set {
			kernel.Axpy(sum.Data, weight, g.Data)
		} else {
			kernel.Scale(sum.Data, g.Data, weight)
			sum.set = true
		}
	}
}

// Of returns the sum of the gradients of p since the last Reset, or nil where none was added.
func (s *Sum) Of(p *autograd.Param) *autograd.Tensor {
	if sum := s.grads[p]; sum != nil && sum.set {
		return sum.Tensor
	}
	return nil
}

// Reset empties the sum and keeps its memory.
func (s *Sum) Reset() {
	for _, sum := range s.grads {
		sum.set = false
	}
}
