package nn

import (
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
)

// Linear maps the last axis: y[.., o] = sum over i of W[o, i] x[.., i] + b[o].
type Linear struct {
	Weight *autograd.Param // out x in, or out x in x 1 .. for a pointwise convolution's weight
	Bias   *autograd.Param // out, or nil
}

// NewLinear returns a layer from in to out channels; bias says whether it has one. Weight and bias are uniform within
// 1/sqrt(in), as PyTorch's nn.Linear; a nil rng leaves zeros.
func NewLinear(in, out int, bias bool, rng *rand.Rand) *Linear {
	return NewPointwise(in, out, 0, bias, rng)
}

// NewPointwise returns a Linear whose weight has the shape that a convolution with a window of one element has in PyTorch:
// out x in followed by window ones, one per axis of that convolution. It is applied to the last axis all the same.
func NewPointwise(in, out, window int, bias bool, rng *rand.Rand) *Linear {
	positive("Linear", "the number of input channels", in)
	positive("Linear", "the number of output channels", out)
	shape := []int{out, in}
	for range window {
		shape = append(shape, 1)
	}
	w, b := newWeight(out, bias, rng, shape...)
	return &Linear{Weight: w, Bias: b}
}

// Forward maps x, .. x in, to .. x out.
func (l *Linear) Forward(x *autograd.Value) *autograd.Value {
	t := x.Tape()
	return autograd.Linear(x, t.Param(l.Weight), t.Param(l.Bias))
}

// ForwardGELU is GELU(Forward(x)) in one pass over the output.
func (l *Linear) ForwardGELU(x *autograd.Value) *autograd.Value {
	t := x.Tape()
	return autograd.LinearGELU(x, t.Param(l.Weight), t.Param(l.Bias))
}

// ForwardBranch is skip + scale * Forward(x) in one pass: see autograd.LinearBranch.
func (l *Linear) ForwardBranch(x *autograd.Value, scale *autograd.Param, skip *autograd.Value) *autograd.Value {
	t := x.Tape()
	return autograd.LinearBranch(x, t.Param(l.Weight), t.Param(l.Bias), t.Param(scale), skip)
}

// PerceptronBranch is skip + scale * l2(GELU(l1(x))) in one pass: see autograd.PerceptronBranch.
func PerceptronBranch(l1, l2 *Linear, x *autograd.Value, scale *autograd.Param, skip *autograd.Value) *autograd.Value {
	t := x.Tape()
	return autograd.PerceptronBranch(x, t.Param(l1.Weight), t.Param(l1.Bias), t.Param(l2.Weight), t.Param(l2.Bias), t.Param(scale), skip)
}
