package autograd

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
)

// LinearBranch ends a branch of a residual network: it returns skip + scale * Linear(x, w, b), with skip of the result's shape and a
// factor for every channel ("layer scale", Touvron et al., arXiv 2103.17239). b may be nil.
//
// It computes y = skip + x w1' + b1 with w1 = diag(scale) w and b1 = scale b in one pass, and the gradient of scale from that of w1:
// with M = gy' x and s the sums of gy, gw = diag(scale) M, gb = scale s, and gscale[o] = sum over i of w[o,i] M[o,i] + b[o] s[o].
func LinearBranch(x, w, b, scale, skip *Value) *Value {
	checkLinear("LinearBranch", x.Shape, w, b)
	no, ni := w.Shape[0], w.Shape[1]
	rows := sizeOf(x.Shape[:x.Rank()-1])
	if skip.Len() != rows*no || scale.Len() != no {
		panic(fmt.Sprintf("autograd: LinearBranch: skip %v and scale %v do not fit x %v and weight %v", skip.Shape, scale.Shape, x.Shape, w.Shape))
	}
	in := present(x, w, scale, skip, b)
	t := x.tape
	out := t.Alloc(skip.Shape...)
	scaled := t.memory.get(no * ni)
	bias := t.memory.get(no)
	ep := kernel.Epilogue[float32]{Add: skip.Data}
	kernel.ScaleShiftRows(scaled, w.Data, scale.Data, nil, no, ni, false)
	if b != nil {
		kernel.Mul(bias, b.Data, scale.Data)
		ep.ColBias = bias
	}
	t.gemm(false, true, rows, no, ni, x.Data, ni, scaled, ni, out.Data, no, false, &ep)
	t.memory.put(scaled)
	t.memory.put(bias)
	return Record("LinearBranch", out, in, func(g *Grads, gy []float32) {
		m, s := g.Scratch(no*ni), g.Scratch(no)
		if x.grad {
			kernel.ScaleShiftRows(m, w.Data, scale.Data, nil, no, ni, false)
			gx, acc := g.Buffer(x)
			t.gemm(false, false, rows, ni, no, gy, no, m, ni, gx, ni, acc, nil)
		}
		if w.grad || scale.grad {
			t.gemm(true, false, no, ni, rows, gy, no, x.Data, ni, m, ni, false, nil)
		}
		if b != nil && (b.grad || scale.grad) {
			kernel.ColSum(s, gy, rows, no, false)
		}
		if scale.grad {
			gs, acc := g.Buffer(scale)
			kernel.RowDot(gs, m, w.Data, no, ni, acc)
			if b != nil {
				kernel.MulAdd(gs, s, b.Data)
			}
		}
		if w.grad {
			gw, acc := g.Buffer(w)
			kernel.ScaleShiftRows(gw, m, scale.Data, nil, no, ni, acc)
		}
		if b != nil && b.grad {
			if gb, acc := g.Buffer(b); acc {
				kernel.MulAdd(gb, s, scale.Data)
			} else {
				kernel.Mul(gb, s, scale.Data)
			}
		}
		g.Free(m)
		g.Free(s)
		g.Give(skip, gy)
	})
}
