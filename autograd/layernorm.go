package autograd

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
)

// LayerNorm normalises x over its last axis to mean 0 and variance 1, then scales by w and shifts by b (Ba, Kiros and Hinton,
// arXiv 1607.06450): y = (x - mean) / sqrt(var + eps) w + b, with the biased variance. w and b have the size of the last axis;
// both may be nil.
func LayerNorm(x, w, b *Value, eps float32) *Value {
	t := on("LayerNorm", x, w, b)
	n := x.Dim(-1)
	rows := sizeOf(x.Shape[:x.Rank()-1])
	wd, bd := affine("LayerNorm", x, w, b, n)
	out := t.Alloc(x.Shape...)
	mean, rstd := t.Scratch(rows), t.Scratch(rows)
	kernel.LayerNorm(out.Data, mean, rstd, x.Data, wd, bd, rows, n, float64(eps))
	return Record("LayerNorm", out, []*Value{x, w, b}, layerNormGrad{x, w, b, mean, rstd})
}

type layerNormGrad struct {
	x, w, b    *Value
	mean, rstd []float32
}

func (o *layerNormGrad) Backward(g *Grads, gy []float32) {
	x, w, rows, n := o.x.Data, dataOf(o.w), len(o.mean), o.x.Dim(-1)
	if gw, gb := g.affine(o.w, o.b); gw != nil || gb != nil {
		kernel.LayerNormGrad(nil, gw, gb, gy, x, w, o.mean, o.rstd, rows, n, false, true)
	}
	if o.x.grad {
		gx, acc := g.Buffer(o.x)
		kernel.LayerNormGrad(gx, nil, nil, gy, x, w, o.mean, o.rstd, rows, n, acc, false)
	}
}

// affine returns the data of the weight and the bias of a normalisation of x, which are both there or both nil.
func affine(op string, x, w, b *Value, n int) (wd, bd []float32) {
	if w == nil && b == nil {
		return nil, nil
	}
	if w == nil || b == nil || w.Len() != n || b.Len() != n {
		panic(fmt.Sprintf("autograd: %s: weight and bias do not both have %d elements, for x %v", op, n, x.Shape))
	}
	return w.Data, b.Data
}

// affine returns where the gradients of a weight and a bias are added, nil where none is needed.
func (g *Grads) affine(w, b *Value) (gw, gb []float32) {
	if w.NeedsGrad() {
		gw = g.Zeroed(w)
	}
	if b.NeedsGrad() {
		gb = g.Zeroed(b)
	}
	return gw, gb
}
