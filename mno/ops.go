package mno

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
)

// Decompose joins the cells of x pairwise along each axis: x is nb x 2 n1 .. x 2 nd x nc P, s is nb x n1 .. nd x nc P and d is
// nb x n1 .. nd x nc Kinds P. See Bank.
func Decompose(b *Bank[float32], x *autograd.Value) (s, d *autograd.Value) {
	nb, n, nc := b.coarse("Decompose", x)
	t := x.Tape()
	// Both results lie in one tensor, as an operation has one.
	size := x.Len() >> b.Dim
	out := t.Alloc(size * (1 + b.Kinds))
	b.Decompose(out.Data[:size], out.Data[size:], x.Data, nb, n, nc)
	y := autograd.Record("mno.Decompose", out, []*autograd.Value{x}, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		gx, acc := g.Buffer(x)
		b.decomposeGrad(gx, gy[:size], gy[size:], nb, n, nc, acc)
	}))
	shape := append(append([]int{nb}, n...), -1)
	s = autograd.Reshape(autograd.Narrow(y, 0, 0, size), shape...)
	return s, autograd.Reshape(autograd.Narrow(y, 0, size, size*b.Kinds), shape...)
}

// Reconstruct is the inverse of Decompose.
func Reconstruct(b *Bank[float32], s, d *autograd.Value) *autograd.Value {
	p := power(b.K, b.Dim)
	if s.Rank() != b.Dim+2 || s.Dim(-1)%p != 0 || d.Len() != s.Len()*b.Kinds {
		panic(fmt.Sprintf("mno: Reconstruct: coefficients %v and details %v; want batch, %d axes and multiples of %d and %d", s.Shape, d.Shape, b.Dim, p, p*b.Kinds))
	}
	nb, n, nc := s.Shape[0], append([]int{}, s.Shape[1:1+b.Dim]...), s.Dim(-1)/p
	shape := []int{nb}
	for _, m := range n {
		shape = append(shape, 2*m)
	}
	out := s.Tape().Alloc(append(shape, s.Dim(-1))...)
	b.Reconstruct(out.Data, s.Data, d.Data, nb, n, nc)
	return autograd.Record("mno.Reconstruct", out, []*autograd.Value{s, d}, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		var gs, gd []float32
		var accS, accD bool
		if s.NeedsGrad() {
			gs, accS = g.Buffer(s)
		}
		if d.NeedsGrad() {
			gd, accD = g.Buffer(d)
		}
		b.reconstructGrad(gs, gd, gy, nb, n, nc, accS, accD)
	}))
}

// coarse returns the batch, the coarse grid and the number of functions of x.
func (b *Bank[T]) coarse(op string, x *autograd.Value) (nb int, n []int, nc int) {
	p := power(b.K, b.Dim)
	ok := x.Rank() == b.Dim+2 && x.Dim(-1)%p == 0
	if ok {
		for _, m := range x.Shape[1 : 1+b.Dim] {
			ok = ok && m%2 == 0
			n = append(n, m/2)
		}
	}
	if !ok {
		panic(fmt.Sprintf("mno: %s: shape %v; want batch, %d even sides and a multiple of %d coefficients", op, x.Shape, b.Dim, p))
	}
	return x.Shape[0], n, x.Dim(-1) / p
}
