package mno

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
)

// Decompose joins the cells of x pairwise along each axis: x is nb x 2 n1 .. x 2 nd x nc P, s is nb x n1 .. nd x nc P and d is
// nb x n1 .. nd x nc Kinds P. See Bank.
func Decompose(b *Bank[float32], x *autograd.Value) (s, d *autograd.Value) {
	nb, n, nc := b.coarse("Decompose", x)
	// Both results lie in one tensor, as an operation has one.
	size := x.Len() >> b.Dim
	l := b.level("Decompose", nb, n[:b.Dim], nc, x.Len(), size, size*b.Kinds)
	out := x.Tape().Alloc(size * (1 + b.Kinds))
	b.decompose(&l, out.Data[:size], out.Data[size:], x.Data)
	y := autograd.Record("mno.Decompose", out, []*autograd.Value{x}, decomposing{b, l, x})
	shape := append(append(append(make([]int, 0, 4), nb), n[:b.Dim]...), x.Dim(-1))
	s = autograd.Reshape(autograd.Narrow(y, 0, 0, size), shape...)
	shape[1+b.Dim] *= b.Kinds
	return s, autograd.Reshape(autograd.Narrow(y, 0, size, size*b.Kinds), shape...)
}

type decomposing struct {
	bank  *Bank[float32]
	level level
	x     *autograd.Value
}

func (o *decomposing) Backward(g *autograd.Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	size := o.x.Len() >> o.bank.Dim
	o.bank.decomposeGrad(&o.level, gx, gy[:size], gy[size:], acc)
}

// Reconstruct is the inverse of Decompose.
func Reconstruct(b *Bank[float32], s, d *autograd.Value) *autograd.Value {
	p := power(b.K, b.Dim)
	if s.Rank() != b.Dim+2 || s.Dim(-1)%p != 0 || d.Len() != s.Len()*b.Kinds {
		panic(fmt.Sprintf("mno: Reconstruct: coefficients %v and details %v; want batch, %d axes and multiples of %d and %d", s.Shape, d.Shape, b.Dim, p, p*b.Kinds))
	}
	shape := append(make([]int, 0, 4), s.Shape...)
	for a := range b.Dim {
		shape[1+a] *= 2
	}
	out := s.Tape().Alloc(shape...)
	l := b.level("Reconstruct", s.Shape[0], s.Shape[1:1+b.Dim], s.Dim(-1)/p, out.Len(), s.Len(), d.Len())
	b.reconstruct(&l, out.Data, s.Data, d.Data)
	return autograd.Record("mno.Reconstruct", out, []*autograd.Value{s, d}, reconstructing{b, l, s, d})
}

type reconstructing struct {
	bank  *Bank[float32]
	level level
	s, d  *autograd.Value
}

func (o *reconstructing) Backward(g *autograd.Grads, gy []float32) {
	var gs, gd []float32
	var accS, accD bool
	if o.s.NeedsGrad() {
		gs, accS = g.Buffer(o.s)
	}
	if o.d.NeedsGrad() {
		gd, accD = g.Buffer(o.d)
	}
	o.bank.reconstructGrad(&o.level, gs, gd, gy, accS, accD)
}

// coarse returns the batch, the coarse grid and the number of functions of x.
func (b *Bank[T]) coarse(op string, x *autograd.Value) (nb int, n [2]int, nc int) {
	p := power(b.K, b.Dim)
	ok := x.Rank() == b.Dim+2 && x.Dim(-1)%p == 0
	if ok {
		for a, m := range x.Shape[1 : 1+b.Dim] {
			ok = ok && m%2 == 0
			n[a] = m / 2
		}
	}
	if !ok {
		panic(fmt.Sprintf("mno: %s: shape %v; want batch, %d even sides and a multiple of %d coefficients", op, x.Shape, b.Dim, p))
	}
	return x.Shape[0], n, x.Dim(-1) / p
}
