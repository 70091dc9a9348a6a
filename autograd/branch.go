package autograd

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// LinearBranch ends a branch of a residual network: it returns skip + scale * Linear(x, w, b), with skip of the result's shape and a
// factor for every channel ("layer scale", Touvron et al., arXiv 2103.17239). b may be nil.
func LinearBranch(x, w, b, scale, skip *Value) *Value {
	t := on("LinearBranch", x, w, b, scale, skip)
	l := newBranch("LinearBranch", x.Shape, w, b, scale, skip)
	out := t.Alloc(skip.Shape...)
	l.forward(out.Data, x.Data, skip.Data)
	return Record("LinearBranch", out, []*Value{x, w, b, scale, skip}, linearBranchGrad{l, x, skip})
}

type linearBranchGrad struct {
	branch
	x, skip *Value
}

func (o *linearBranchGrad) Backward(g *Grads, gy []float32) {
	if o.x.grad {
		gx, acc := g.Buffer(o.x)
		o.input(g, gx, gy, acc, nil)
	}
	o.parameters(g, gy, o.x.Data)
	g.Give(o.skip, gy)
}

// PerceptronBranch returns LinearBranch(LinearGELU(x, w1, b1), w2, b2, scale, skip), the branch of a transformer's block that maps
// every token. The hidden values do not outlive the pass: with z = w1 x + b1, which does, backward computes h = GELU(z) again, and
// gz = gh GELU'(z) as gh leaves the product.
func PerceptronBranch(x, w1, b1, w2, b2, scale, skip *Value) *Value {
	in := [...]*Value{x, w1, b1, w2, b2, scale, skip}
	t := on("PerceptronBranch", in[:]...)
	checkLinear("PerceptronBranch", x.Shape, w1, b1)
	nh, ni := w1.Shape[0], w1.Shape[1]
	rows := sizeOf(x.Shape[:x.Rank()-1])
	l := newBranch("PerceptronBranch", []int{rows, nh}, w2, b2, scale, skip)
	var pre []float32
	if slices.ContainsFunc(in[:], (*Value).NeedsGrad) {
		pre = t.Scratch(rows * nh)
	}
	h := t.memory.get(rows * nh)
	out := t.Alloc(skip.Shape...)
	t.gemm(false, true, rows, nh, ni, x.Data, ni, w1.Data, ni, h, nh, false, &kernel.Epilogue[float32]{ColBias: dataOf(b1), GELU: true, Pre: pre})
	l.forward(out.Data, h, skip.Data)
	t.memory.put(h)
	return Record("PerceptronBranch", out, in[:], perceptronBranchGrad{l, x, w1, b1, skip, pre})
}

type perceptronBranchGrad struct {
	branch
	x, w1, b1, skip *Value
	pre             []float32
}

func (o *perceptronBranchGrad) Backward(g *Grads, gy []float32) {
	b := g.Scratch(len(o.pre))
	kernel.GELU(b, o.pre)
	o.parameters(g, gy, b)
	if o.x.grad || o.w1.grad || o.b1.NeedsGrad() {
		o.input(g, b, gy, false, o.pre)
		g.linear(b, o.x, o.w1, o.b1)
	}
	g.Free(b)
	g.Give(o.skip, gy)
}

// branch is y = skip + scale (w x + b), for rows of ni channels that become no. It is computed as y = skip + w' x + b' with
// w' = diag(scale) w and b' = scale b.
type branch struct {
	tape         *Tape
	w, b, scale  *Value
	rows, ni, no int
}

// newBranch is that of an x of the given shape.
func newBranch(op string, x []int, w, b, scale, skip *Value) branch {
	checkLinear(op, x, w, b)
	l := branch{tape: w.tape, w: w, b: b, scale: scale, rows: sizeOf(x[:len(x)-1]), ni: w.Shape[1], no: w.Shape[0]}
	if skip.Len() != l.rows*l.no || scale.Len() != l.no {
		panic(fmt.Sprintf("autograd: %s: skip %v and scale %v do not fit x %v and weight %v", op, skip.Shape, scale.Shape, slices.Clone(x), w.Shape))
	}
	return l
}

// scaled writes w'.
func (l *branch) scaled(dst []float32) {
	kernel.ScaleShiftRows(dst, l.w.Data, l.scale.Data, nil, l.no, l.ni, false)
}

func (l *branch) forward(y, x, skip []float32) {
	w, bias := l.tape.memory.get(l.no*l.ni), l.tape.memory.get(l.no)
	ep := kernel.Epilogue[float32]{Add: skip}
	l.scaled(w)
	if l.b != nil {
		kernel.Mul(bias, l.b.Data, l.scale.Data)
		ep.ColBias = bias
	}
	l.tape.gemm(false, true, l.rows, l.no, l.ni, x, l.ni, w, l.ni, y, l.no, false, &ep)
	l.tape.memory.put(w)
	l.tape.memory.put(bias)
}

// input computes gx = gy w', or adds it, or, for a z that is not nil, gx = (gy w') GELU'(z).
func (l *branch) input(g *Grads, gx, gy []float32, acc bool, z []float32) {
	w := g.Scratch(l.no * l.ni)
	l.scaled(w)
	l.tape.gemm(false, false, l.rows, l.ni, l.no, gy, l.no, w, l.ni, gx, l.ni, acc, &kernel.Epilogue[float32]{GELUGrad: z})
	g.Free(w)
}

// parameters computes the gradients of w, b and scale. With m = gy' x and s the sums of gy,
//
//	gw = diag(scale) m,   gb = scale s,   gscale[o] = sum over i of w[o,i] m[o,i] + b[o] s[o].
func (l *branch) parameters(g *Grads, gy, x []float32) {
	w, b, scale := l.w, l.b, l.scale
	m, s := g.Scratch(l.no*l.ni), g.Scratch(l.no)
	if w.grad || scale.grad {
		l.tape.gemm(true, false, l.no, l.ni, l.rows, gy, l.no, x, l.ni, m, l.ni, false, nil)
	}
	if b != nil && (b.grad || scale.grad) {
		kernel.ColSum(s, gy, l.rows, l.no, false)
	}
	if scale.grad {
		gs, acc := g.Buffer(scale)
		kernel.RowDot(gs, m, w.Data, l.no, l.ni, acc)
		if b != nil {
			kernel.MulAdd(gs, s, b.Data)
		}
	}
	if w.grad {
		gw, acc := g.Buffer(w)
		kernel.ScaleShiftRows(gw, m, scale.Data, nil, l.no, l.ni, acc)
	}
	if b.NeedsGrad() {
		if gb, acc := g.Buffer(b); acc {
			kernel.MulAdd(gb, s, scale.Data)
		} else {
			kernel.Mul(gb, s, scale.Data)
		}
	}
	g.Free(m)
	g.Free(s)
}
