package autograd

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Linear returns y = x w' + b over the last axis: y[.., o] = sum over i of w[o, i] x[.., i] + b[o]. x is [.., in], w [out, in],
// possibly followed by axes of size 1 as the weight of a 1x1 convolution has them; b is [out] or nil.
func Linear(x, w, b *Value) *Value { return linear("Linear", x, w, b, false) }

// LinearGELU returns GELU(Linear(x, w, b)) in one pass.
func LinearGELU(x, w, b *Value) *Value { return linear("LinearGELU", x, w, b, true) }

func linear(name string, x, w, b *Value, gelu bool) *Value {
	in := [...]*Value{x, w, b}
	t := on(name, in[:]...)
	checkLinear(name, x.Shape, w, b)
	rank, no, ni := x.Rank(), w.Shape[0], w.Shape[1]
	ep := kernel.Epilogue[float32]{GELU: gelu, ColBias: dataOf(b)}
	rows := sizeOf(x.Shape[:rank-1])
	out := t.allocWith(x.Shape, rank-1, no)
	if gelu && slices.ContainsFunc(in[:], (*Value).NeedsGrad) {
		ep.Pre = t.Scratch(rows * no)
	}
	t.gemm(false, true, rows, no, ni, x.Data, ni, w.Data, ni, out.Data, no, false, &ep)
	if gelu {
		return Record(name, out, in[:], linearGELUGrad{linearGrad{x, w, b}, ep.Pre})
	}
	return Record(name, out, in[:], linearGrad{x, w, b})
}

type linearGrad struct{ x, w, b *Value }

func (o *linearGrad) Backward(g *Grads, gy []float32) { g.linear(gy, o.x, o.w, o.b) }

// linearGELUGrad is the way back from GELU(pre).
type linearGELUGrad struct {
	linearGrad
	pre []float32
}

func (o *linearGELUGrad) Backward(g *Grads, gy []float32) {
	gz := g.Scratch(len(gy))
	kernel.GELUGrad(gz, gy, o.pre, false)
	o.linearGrad.Backward(g, gz)
	g.Free(gz)
}

// linear computes the gradients of x, w and b from that of z = w x + b.
func (g *Grads) linear(gz []float32, x, w, b *Value) {
	t := g.tape
	no, ni := w.Shape[0], w.Shape[1]
	rows := len(gz) / no
	if x.grad {
		gx, acc := g.Buffer(x)
		t.gemm(false, false, rows, ni, no, gz, no, w.Data, ni, gx, ni, acc, nil)
	}
	if w.grad {
		gw, acc := g.Buffer(w)
		t.gemm(true, false, no, ni, rows, gz, no, x.Data, ni, gw, ni, acc, nil)
	}
	if b.NeedsGrad() {
		gb, acc := g.Buffer(b)
		kernel.ColSum(gb, gz, rows, no, acc)
	}
}

// gemm is kernel.GemmEpilogue in the precision of the tape.
func (t *Tape) gemm(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, acc bool, ep *kernel.Epilogue[float32]) {
	if t.BFloat16 {
		kernel.GemmBF16(transA, transB, m, n, k, a, lda, b, ldb, c, ldc, acc, ep)
	} else {
		kernel.GemmEpilogue(transA, transB, m, n, k, a, lda, b, ldb, c, ldc, acc, ep)
	}
}

// checkLinear panics unless weight and bias, which may be nil, map the last axis of x.
func checkLinear(op string, x []int, w, b *Value) {
	if len(x) < 1 || w.Rank() < 2 || w.Len() != w.Shape[0]*w.Shape[1] || x[len(x)-1] != w.Shape[1] {
		panic(fmt.Sprintf("autograd: %s: weight %v does not fit x %v: want [out, in] and [.., in]", op, w.Shape, slices.Clone(x)))
	}
	if b != nil && b.Len() != w.Shape[0] {
		panic(fmt.Sprintf("autograd: %s: bias %v does not fit weight %v", op, b.Shape, w.Shape))
	}
}
