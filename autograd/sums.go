package autograd

import (
	"slices"
	"sync"

	"github.com/spamoe/spamoe/internal/kernel"
)

// SumOver adds up the gradients of values, of which any may be nil, for an operation that goes through rows of its data once and meets
// the same parameters in all of them. It calls body, from several goroutines, for groups of at least least rows, lo to hi, that do not
// depend on the number of threads; parts[i], zeros at first, is where a group adds to the gradient of values[i], nil where there is
// none to be computed. The groups' parts are then added in order.
func (g *Grads) SumOver(rows, least int, values []*Value, body func(lo, hi int, parts [][]float32)) {
	n := len(values)
	width := 0
	for _, v := range values {
		if v != nil && v.grad {
			width += v.Len()
		}
	}
	size, count := kernel.Groups(rows, least)
	all := g.Scratch(count * width)
	parts := make([][]float32, count*n)
	for k := range count {
		at := k * width
		for i, v := range values {
			if v != nil && v.grad {
				parts[k*n+i] = all[at:][:v.Len()]
				at += v.Len()
			}
		}
	}
	kernel.Parallel(count, 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			clear(all[k*width:][:width])
			body(k*size, min((k+1)*size, rows), parts[k*n:][:n])
		}
	})
	at := 0
	for _, v := range values {
		if v != nil && v.grad {
			dst, acc := g.Buffer(v)
			kernel.SumGroups(dst, all[at:], count, width, acc)
			at += v.Len()
		}
	}
	g.Free(all)
}

// present returns the values that are not nil.
func present(values ...*Value) []*Value {
	return slices.DeleteFunc(values, func(v *Value) bool { return v == nil })
}

// chunks keeps the scratch of the chunks of rows that fused operations work on.
var chunks chunkPool

type chunkPool struct{ pool sync.Pool }

func (c *chunkPool) get(n int) *[]float32 {
	b, _ := c.pool.Get().(*[]float32)
	if b == nil || cap(*b) < n {
		s := make([]float32, n)
		b = &s
	}
	*b = (*b)[:n]
	return b
}

func (c *chunkPool) put(b *[]float32) { c.pool.Put(b) }
