package spectral

import "github.com/spamoe/spamoe/autograd"

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
	x = autograd.Reshape(x, append(append(make([]int, 0, 8), 2, x.Shape[0]/2), x.Shape[1:]...)...)
	return rotate(x, 1)
}

// planesToBatch is the reverse of batchToPlanes.
func planesToBatch(x *autograd.Value) *autograd.Value {
	x = rotate(x, x.Rank()-1)
	return autograd.Reshape(x, append(append(make([]int, 0, 8), 2*x.Shape[1]), x.Shape[2:]...)...)
}

// rotate puts the first n axes of x behind the others.
func rotate(x *autograd.Value, n int) *autograd.Value {
	axes := make([]int, 0, 8)
	for i := range x.Rank() {
		axes = append(axes, (i+n)%x.Rank())
	}
	return autograd.Permute(x, axes...)
}
