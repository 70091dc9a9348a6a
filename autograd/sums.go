package autograd

import (
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// RowSummer is a pointer to arguments of SumOver, which describe rows and know how to add up what a group of them gives. Rows goes through
// the rows lo to hi: parts[i], zeros at first, is where it adds to the gradient of values[i], nil where there is none to be computed.
// Several goroutines call it at once, with parts of their own.
type RowSummer[A any] interface {
	*A
	Rows(lo, hi int, parts [][]float32)
}

// SumOver adds up the gradients of values, of which any may be nil, for an operation that goes through rows of its data once and meets
// the same parameters in all of them. It calls Rows of a copy of args for groups of at least least rows that do not depend on the number of
// threads, and then adds the groups' parts in order.
func SumOver[A any, P RowSummer[A]](g *Grads, rows, least int, values []*Value, args A) {
	n := len(values)
	width := 0
	for _, v := range values {
		if v.NeedsGrad() {
			width += v.Len()
		}
	}
	size, count := kernel.Groups(rows, least)
	all := g.Scratch(count * width)
	g.parts = slices.Grow(g.parts[:0], count*n)[:count*n]
	for k := range count {
		at := k * width
		for i, v := range values {
			g.parts[k*n+i] = nil
			if v.NeedsGrad() {
				g.parts[k*n+i] = all[at:][:v.Len()]
				at += v.Len()
			}
		}
	}
	kernel.ParallelWith(count, 1, summation[A, P]{args, all, g.parts, n, width, rows, size})
	at := 0
	for _, v := range values {
		if v.NeedsGrad() {
			dst, acc := g.Buffer(v)
			kernel.SumGroups(dst, all[at:], count, width, acc)
			at += v.Len()
		}
	}
	g.Free(all)
}

// summation is one call of SumOver.
type summation[A any, P RowSummer[A]] struct {
	args     A
	all      []float32   // width of every group
	parts    [][]float32 // n of every group
	n, width int
	rows     int
	size     int // rows of a group
}

func (s *summation[A, P]) Chunk(lo, hi int) {
	for k := lo; k < hi; k++ {
		clear(s.all[k*s.width:][:s.width])
		P(&s.args).Rows(k*s.size, min((k+1)*s.size, s.rows), s.parts[k*s.n:][:s.n])
	}
}
