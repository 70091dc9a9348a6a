package autograd

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Attention returns softmax(q k' / sqrt(d)) v over the last two axes: q is [.., n, d], k [.., m, d], v [.., m, e], the result
// [.., n, e] (Vaswani et al., arXiv 1706.03762, equation 1). The axes before them, batch and heads, agree.
//
// The weights, n x m for every head, are never stored as a whole: rows are computed, used while they are in cache, and computed
// again in the backward pass from the sums that normalise them (Dao, arXiv 2307.08691).
func Attention(q, k, v *Value) *Value {
	in := []*Value{q, k, v}
	t := on("Attention", in...)
	r := q.Rank()
	if r < 2 || k.Rank() != r || v.Rank() != r || q.Shape[r-1] != k.Shape[r-1] || k.Shape[r-2] != v.Shape[r-2] ||
		!slices.Equal(q.Shape[:r-2], k.Shape[:r-2]) || !slices.Equal(q.Shape[:r-2], v.Shape[:r-2]) {
		panic(fmt.Sprintf("autograd: Attention: shapes %v, %v and %v do not fit", q.Shape, k.Shape, v.Shape))
	}
	n, m, d, e := q.Shape[r-2], k.Shape[r-2], q.Shape[r-1], v.Shape[r-1]
	if m == 0 {
		panic(fmt.Sprintf("autograd: Attention: shape %v has no keys", k.Shape))
	}
	a := kernel.Attention{Batch: sizeOf(q.Shape[:r-2]), Heads: 1, Queries: n, Keys: m, Dim: d, Out: e, BF16: t.BFloat16,
		Q: kernel.Span{Batch: n * d, Row: d}, K: kernel.Span{Batch: m * d, Row: d}, V: kernel.Span{Batch: m * e, Row: e}, Y: kernel.Span{Batch: n * e, Row: e}}
	out := t.allocWith(q.Shape, r-1, e)
	lse := t.sumsFor(in, a.Batch*n)
	a.Forward(out.Data, lse, q.Data, k.Data, v.Data)
	return Record("Attention", out, in, attentionGrad{a, q, k, v, out, lse})
}

type attentionGrad struct {
	kernel.Attention
	q, k, v *Value
	out     *Tensor
	lse     []float32
}

func (o *attentionGrad) Backward(g *Grads, gy []float32) {
	// Three buffers, as two of the inputs may be the same value.
	gq, gk, gv := g.Scratch(o.q.Len()), g.Scratch(o.k.Len()), g.Scratch(o.v.Len())
	o.Attention.Backward(gq, gk, gv, gy, o.out.Data, o.lse, o.q.Data, o.k.Data, o.v.Data)
	g.Give(o.q, gq)
	g.Give(o.k, gk)
	g.Give(o.v, gv)
	g.Free(gq)
	g.Free(gk)
	g.Free(gv)
}

// Rotation turns queries and keys by their place before they meet (Su et al., arXiv 2104.09864): those of tokens First, First+1, ..
// by the angles whose sines and cosines the rows of Sin and Cos hold, d/2 numbers for every token. Channels c and c + d/2 are the
// coordinates of a point of the plane that angle c turns.
type Rotation struct {
	First    int
	Sin, Cos []float32
}

// SelfAttention is the attention of tokens to each other: x is [batch, n, 3 heads d], with the queries, the keys and the values of all
// heads side by side, and the result [batch, n, heads d]. A nil r turns nothing; the queries and keys of every head turn alike.
func SelfAttention(x *Value, heads int, r *Rotation) *Value {
	in := []*Value{x}
	t := on("SelfAttention", in...)
	if x.Rank() != 3 || heads < 1 || x.Shape[2]%(3*heads) != 0 || x.Len() == 0 {
		panic(fmt.Sprintf("autograd: SelfAttention: shape %v for %d heads; want [batch, tokens, 3 x heads x channels]", x.Shape, heads))
	}
	n, row := x.Shape[1], x.Shape[2]
	w := row / 3
	s := kernel.Span{Batch: n * row, Head: w / heads, Row: row}
	a := kernel.Attention{Batch: x.Shape[0], Heads: heads, Queries: n, Keys: n, Dim: w / heads, Out: w / heads, BF16: t.BFloat16,
		Q: s, K: s, V: s, Y: kernel.Span{Batch: n * w, Head: w / heads, Row: w}, Rotation: (*kernel.Rotation)(r)}
	out := t.allocWith(x.Shape, 2, w)
	lse := t.sumsFor(in, a.Batch*heads*n)
	a.Forward(out.Data, lse, x.Data, x.Data[w:], x.Data[2*w:])
	return Record("SelfAttention", out, in, selfAttentionGrad{a, x, out, lse})
}

type selfAttentionGrad struct {
	kernel.Attention
	x   *Value
	out *Tensor
	lse []float32
}

func (o *selfAttentionGrad) Backward(g *Grads, gy []float32) {
	w, x := o.Heads*o.Dim, o.x.Data
	gx, acc := g.Buffer(o.x)
	dst := gx
	if acc {
		dst = g.Scratch(len(gx))
	}
	o.Attention.Backward(dst, dst[w:], dst[2*w:], gy, o.out.Data, o.lse, x, x[w:], x[2*w:])
	if acc {
		kernel.Add(gx, gx, dst)
		g.Free(dst)
	}
}

// sumsFor returns room for the n sums that the backward pass of an attention to in needs, nil where there is none.
func (t *Tape) sumsFor(in []*Value, n int) []float32 {
	if !slices.ContainsFunc(in, (*Value).NeedsGrad) {
		return nil
	}
	return t.Scratch(n)
}
