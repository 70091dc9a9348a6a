package autograd

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// MatMul returns the matrix products of the last two axes, [.., m, k] and [.., k, n] to [.., m, n]. The axes before them agree,
// or one of the two has none and is shared.
func MatMul(a, b *Value) *Value { return matmul("MatMul", a, b, false) }

// MatMulT is MatMul with the second matrices transposed: [.., m, k] and [.., n, k] to [.., m, n].
func MatMulT(a, b *Value) *Value { return matmul("MatMulT", a, b, true) }

func matmul(name string, a, b *Value, transB bool) *Value {
	t := on(name, a, b)
	ra, rb := a.Rank(), b.Rank()
	if ra < 2 || rb < 2 {
		panic(fmt.Sprintf("autograd: %s: shapes %v and %v are not both matrices", name, a.Shape, b.Shape))
	}
	m, k, kb, n := a.Shape[ra-2], a.Shape[ra-1], b.Shape[rb-2], b.Shape[rb-1]
	if transB {
		kb, n = n, kb
	}
	if k != kb || ra > 2 && rb > 2 && !slices.Equal(a.Shape[:ra-2], b.Shape[:rb-2]) {
		panic(fmt.Sprintf("autograd: %s: shapes %v and %v do not fit", name, a.Shape, b.Shape))
	}
	lead := a.Shape[:ra-2]
	if ra == 2 {
		lead = b.Shape[:rb-2]
	}
	p := product{batch: sizeOf(lead), m: m, n: n, k: k, ldb: n, strideA: m * k, strideB: k * n, transB: transB}
	if transB {
		p.ldb = k
	}
	switch {
	case rb == 2: // one product of a tall matrix
		p.m, p.batch = p.m*p.batch, 1
	case ra == 2:
		p.strideA = 0
	}
	out := t.Alloc(append(append(make([]int, 0, 8), lead...), m, n)...)
	p.forward(out.Data, a.Data, b.Data)
	return Record(name, out, []*Value{a, b}, matmulGrad{p, a, b})
}

type matmulGrad struct {
	product
	a, b *Value
}

func (o *matmulGrad) Backward(g *Grads, gy []float32) {
	if o.a.grad {
		ga, acc := g.Buffer(o.a)
		o.gradA(ga, gy, o.b.Data, acc)
	}
	if o.b.grad {
		gb, acc := g.Buffer(o.b)
		o.gradB(gb, gy, o.a.Data, acc)
	}
}

// product is batch products c = a op(b), a m x k, c m x n; strideA is 0 where all share a.
type product struct {
	batch, m, n, k   int
	ldb              int
	strideA, strideB int
	transB           bool
}

func (p product) forward(c, a, b []float32) {
	kernel.GemmBatch(false, p.transB, p.batch, p.m, p.n, p.k, a, p.k, p.strideA, b, p.ldb, p.strideB, c, p.n, p.m*p.n, false)
}

// gradA adds up gc op(b)'.
func (p product) gradA(ga, gc, b []float32, acc bool) {
	if p.batch == 0 && !acc {
		clear(ga) // a shared a has elements still
		return
	}
	if p.strideA != 0 || p.batch <= 1 {
		kernel.GemmBatch(false, !p.transB, p.batch, p.m, p.k, p.n, gc, p.n, p.m*p.n, b, p.ldb, p.strideB, ga, p.k, p.m*p.k, acc)
		return
	}
	for i := range p.batch {
		kernel.Gemm(false, !p.transB, p.m, p.k, p.n, gc[i*p.m*p.n:], p.n, b[i*p.strideB:], p.ldb, ga, p.k, acc || i > 0)
	}
}

// gradB computes a' gc, or gc' a where b is transposed.
func (p product) gradB(gb, gc, a []float32, acc bool) {
	if p.transB {
		kernel.GemmBatch(true, false, p.batch, p.n, p.k, p.m, gc, p.n, p.m*p.n, a, p.k, p.strideA, gb, p.k, p.strideB, acc)
	} else {
		kernel.GemmBatch(true, false, p.batch, p.k, p.n, p.m, a, p.k, p.strideA, gc, p.n, p.m*p.n, gb, p.n, p.strideB, acc)
	}
}
