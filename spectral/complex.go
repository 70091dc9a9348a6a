package spectral

import (
	"slices"

	"github.com/spamoe/spamoe/autograd"
)

// ComplexPair makes a complex layer of two real ones (Trabelsi et al., arXiv 1705.09792),
//
//	y = (P(re) - Q(im)) + i (P(im) + Q(re)),
//
// on a batch of 2 nb that holds all real parts, then all imaginary ones.
type ComplexPair struct {
	Re Layer `param:"fr"` // P
	Im Layer `param:"fi"` // Q
}

// Forward applies the pair.
func (p *ComplexPair) Forward(x *autograd.Value) *autograd.Value {
	return combine(p.Re.Forward(x), p.Im.Forward(x))
}

// combine returns (p_re - q_im, p_im + q_re) for p and q of both parts.
func combine(p, q *autograd.Value) *autograd.Value {
	nb := p.Shape[0] / 2
	re := autograd.Sub(autograd.Narrow(p, 0, 0, nb), autograd.Narrow(q, 0, nb, nb))
	im := autograd.Add(autograd.Narrow(p, 0, nb, nb), autograd.Narrow(q, 0, 0, nb))
	return autograd.Concat(0, re, im)
}

// complexPair returns what newLayer returns, twice if the data are complex.
func complexPair(complex bool, newLayer func() Layer) Layer {
	l := newLayer()
	if !complex || l == nil {
		return l
	}
	if _, ok := l.(Identity); ok {
		return l
	}
	return &ComplexPair{l, newLayer()}
}

// batchToPlanes turns 2 nb x n1 .. x nc, real parts first, into nb x n1 .. x nc x 2.
func batchToPlanes(x *autograd.Value) *autograd.Value {
	x = autograd.Reshape(x, append([]int{2, x.Shape[0] / 2}, x.Shape[1:]...)...)
	axes := make([]int, x.Rank())
	for i := range axes {
		axes[i] = (i + 1) % len(axes)
	}
	return autograd.Permute(x, axes...)
}

// planesToBatch is the reverse of batchToPlanes.
func planesToBatch(x *autograd.Value) *autograd.Value {
	axes := make([]int, x.Rank())
	for i := range axes {
		axes[i] = (i + len(axes) - 1) % len(axes)
	}
	x = autograd.Permute(x, axes...)
	return autograd.Reshape(x, append([]int{2 * x.Shape[1]}, slices.Clone(x.Shape[2:])...)...)
}
