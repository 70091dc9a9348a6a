package autograd

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Attention returns softmax(q k' / sqrt(d)) v over the last two axes: q is [.., n, d], k [.., m, d], v [.., m, e], the result
// [.., n, e] (Vaswani et al., arXiv 1706.03762, equation 1). The axes before them, batch and heads, agree.
//
// The weights, n x m for every head, are never stored as a whole: blocks of rows are computed, used while they are in cache,
// and computed again in the backward pass (as Dao et al., arXiv 2205.14135, do).
func Attention(q, k, v *Value) *Value {
	r := q.Rank()
	if r < 2 || k.Rank() != r || v.Rank() != r || q.Shape[r-1] != k.Shape[r-1] || k.Shape[r-2] != v.Shape[r-2] ||
		!slices.Equal(q.Shape[:r-2], k.Shape[:r-2]) || !slices.Equal(q.Shape[:r-2], v.Shape[:r-2]) {
		panic(fmt.Sprintf("autograd: Attention: shapes %v, %v and %v do not fit", q.Shape, k.Shape, v.Shape))
	}
	heads := sizeOf(q.Shape[:r-2])
	h := head{n: q.Shape[r-2], m: k.Shape[r-2], d: q.Shape[r-1], e: v.Shape[r-1]}
	if h.m == 0 {
		panic(fmt.Sprintf("autograd: Attention: shape %v has no keys", k.Shape))
	}
	t := q.tape
	out := t.allocWith(q.Shape, r-1, h.e)
	// The factor goes to q, which is smaller than the weights.
	scaled := t.Scratch(q.Len())
	kernel.Scale(scaled, q.Data, float32(1/math.Sqrt(float64(h.d))))
	h.each(heads, func(i, row, rows int, p, _ []float32) {
		h.weights(p, scaled[(i*h.n+row)*h.d:], k.Data[i*h.m*h.d:], rows)
		kernel.Gemm(false, false, rows, h.e, h.m, p, h.m, v.Data[i*h.m*h.e:], h.e, out.Data[(i*h.n+row)*h.e:], h.e, false)
	})
	return Record("Attention", out, []*Value{q, k, v}, func(g *Grads, gy []float32) {
		// Three buffers, as two of the inputs may be the same value.
		gq, gk, gv := g.Scratch(q.Len()), g.Scratch(k.Len()), g.Scratch(v.Len())
		h.eachHead(heads, func(i, row, rows int, p, s []float32) {
			at, keys, vals, acc := (i*h.n+row)*h.d, i*h.m*h.d, i*h.m*h.e, row > 0
			dy := gy[(i*h.n+row)*h.e:]
			h.weights(p, scaled[at:], k.Data[keys:], rows)
			if v.grad {
				kernel.Gemm(true, false, h.m, h.e, rows, p, h.m, dy, h.e, gv[vals:], h.e, acc)
			}
			if !q.grad && !k.grad {
				return
			}
			kernel.Gemm(false, true, rows, h.m, h.e, dy, h.e, v.Data[vals:], h.e, s, h.m, false)
			kernel.SoftmaxGrad(s, s, p, rows, h.m, false)
			kernel.Gemm(false, false, rows, h.d, h.m, s, h.m, k.Data[keys:], h.d, gq[at:], h.d, false)
			kernel.Gemm(true, false, h.m, h.d, rows, s, h.m, scaled[at:], h.d, gk[keys:], h.d, acc)
		})
		kernel.Scale(gq, gq, float32(1/math.Sqrt(float64(h.d))))
		g.Give(q, gq)
		g.Give(k, gk)
		g.Give(v, gv)
		g.Free(gq)
		g.Free(gk)
		g.Free(gv)
	})
}

// head holds the sizes of one head: n queries and m keys of length d, values of length e.
type head struct{ n, m, d, e int }

// weights computes rows of softmax(q k').
func (h head) weights(p, q, k []float32, rows int) {
	kernel.Gemm(false, true, rows, h.m, h.d, q, h.d, k, h.d, p, h.m, false)
	kernel.Softmax(p, p, rows, h.m)
}

// attentionBlock is the number of weights in a block: half a megabyte stays in a second-level cache.
const attentionBlock = 1 << 17

var attentionScratch = sync.Pool{New: func() any { return new([]float32) }}

// block is the number of rows in a block, a multiple of 16 for the matrix product where there are as many.
func (h head) block() int { return min(h.n, max(16, attentionBlock/h.m&^15)) }

// each calls f for all blocks of rows of all heads, in parallel, with scratch for two blocks of weights.
func (h head) each(heads int, f func(i, row, rows int, p, s []float32)) {
	rows := h.block()
	blocks := (h.n + rows - 1) / max(rows, 1)
	h.parallel(heads*blocks, rows, func(j int, p, s []float32) {
		row := j % blocks * rows
		r := min(rows, h.n-row)
		f(j/blocks, row, r, p[:r*h.m], s[:r*h.m])
	})
}

// eachHead is each with the blocks of a head one after the other, for sums over rows.
func (h head) eachHead(heads int, f func(i, row, rows int, p, s []float32)) {
	rows := h.block()
	h.parallel(heads, rows, func(i int, p, s []float32) {
		for row := 0; row < h.n; row += rows {
			r := min(rows, h.n-row)
			f(i, row, r, p[:r*h.m], s[:r*h.m])
		}
	})
}

func (h head) parallel(n, rows int, f func(i int, p, s []float32)) {
	kernel.Parallel(n, max(1, 1<<12/max(1, rows*h.m)), func(lo, hi int) {
		b := attentionScratch.Get().(*[]float32)
		defer attentionScratch.Put(b)
		size := rows * h.m
		if len(*b) < 2*size {
			*b = make([]float32, 2*size)
		}
		for i := lo; i < hi; i++ {
			f(i, (*b)[:size], (*b)[size:2*size])
		}
	})
}
