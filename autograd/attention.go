package autograd

import (
	"fmt"
	"math"
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// attentionChunk bounds, in floats, the weights that Attention holds at once on a tape that records nothing.
const attentionChunk = 1 << 20

// Attention returns softmax(q k' / sqrt(d)) v over the last two axes: q is [.., n, d], k [.., m, d], v [.., m, e], the result
// [.., n, e] (Vaswani et al., arXiv 1706.03762, equation 1). The axes before them, batch and heads, agree.
func Attention(q, k, v *Value) *Value {
	r := q.Rank()
	if r < 2 || k.Rank() != r || v.Rank() != r || q.Shape[r-1] != k.Shape[r-1] || k.Shape[r-2] != v.Shape[r-2] ||
		!slices.Equal(q.Shape[:r-2], k.Shape[:r-2]) || !slices.Equal(q.Shape[:r-2], v.Shape[:r-2]) {
		panic(fmt.Sprintf("autograd: Attention: shapes %v, %v and %v do not fit", q.Shape, k.Shape, v.Shape))
	}
	batch, n, m, d, e := sizeOf(q.Shape[:r-2]), q.Shape[r-2], k.Shape[r-2], q.Shape[r-1], v.Shape[r-1]
	in := []*Value{q, k, v}
	t := q.tape
	out := t.allocWith(q.Shape, r-1, e)
	scale := float32(1 / math.Sqrt(float64(d)))
	chunk := batch
	if !anyGrad(in) {
		chunk = min(batch, max(1, attentionChunk/max(n*m, 1)))
	}
	p := t.pool.get(chunk * n * m)
	for i := 0; i < batch; i += chunk {
		c := min(chunk, batch-i)
		w := p[:c*n*m]
		kernel.GemmBatch(false, true, c, n, m, d, q.Data[i*n*d:], d, n*d, k.Data[i*m*d:], d, m*d, w, m, n*m, false)
		kernel.Scale(w, w, scale)
		kernel.Softmax(w, w, c*n, m)
		kernel.GemmBatch(false, false, c, n, e, m, w, m, n*m, v.Data[i*m*e:], e, m*e, out.Data[i*n*e:], e, n*e, false)
	}
	if anyGrad(in) {
		t.live = append(t.live, p)
	} else {
		t.pool.put(p)
	}
	return Record("Attention", out, in, func(g *Grads, gy []float32) {
		if v.grad {
			gv, acc := g.Buffer(v)
			kernel.GemmBatch(true, false, batch, m, e, n, p, m, n*m, gy, e, n*e, gv, e, m*e, acc)
		}
		if !q.grad && !k.grad {
			return
		}
		s := g.Scratch(len(p)) // the gradient of q k'
		kernel.GemmBatch(false, true, batch, n, m, e, gy, e, n*e, v.Data, e, m*e, s, m, n*m, false)
		kernel.SoftmaxGrad(s, s, p, batch*n, m, false)
		kernel.Scale(s, s, scale)
		if q.grad {
			gq, acc := g.Buffer(q)
			kernel.GemmBatch(false, false, batch, n, d, m, s, m, n*m, k.Data, d, m*d, gq, d, n*d, acc)
		}
		if k.grad {
			gk, acc := g.Buffer(k)
			kernel.GemmBatch(true, false, batch, m, d, n, s, m, n*m, q.Data, d, n*d, gk, d, m*d, acc)
		}
		g.Free(s)
	})
}
