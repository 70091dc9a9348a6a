package mno

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Bank holds the filters of a multiwavelet transform on grids of Dim axes as matrices, and applies one level of it to plain slices.
//
// A grid carries at each point the P = K^Dim coefficients of a polynomial on the cell around it, nc times. One level joins
// the C = 2^Dim cells x that share a coarse cell, ordered by the last axis first, to the coarse polynomial s and the details d, and back:
//
//	s = [x_1 .. x_C] S,   d = [x_1 .. x_C] D,   x_c = [s d] R_c.
//
// In two dimensions the polynomials are products and S stacks the Kronecker products of (H_a)' and (H_b)'; there are three
// kinds of details, from HG, GH and GG in this order.
//
// A Bank may be used by many goroutines at once.
type Bank[T float32 | float64] struct {
	Dim, K int
	Kinds  int   // of details: 2^Dim - 1, or 1 where the mixed ones are left out
	S      []T   // C P x P
	D      []T   // C P x Kinds P
	R      [][]T // for each of the C cells: (1 + Kinds) P x P

	work kernel.Scratch[T]
}

// NewBank returns the matrices for grids of dim axes, 1 or 2. With diagonal, two-dimensional details are those of GG only; what HG and GH
// would hold is then lost and a function is not reconstructed.
func NewBank[T float32 | float64](f *Filters, dim int, diagonal bool) *Bank[T] {
	b := emptyBank[T](dim, f.K, diagonal)
	p, kinds := power(f.K, dim), b.Kinds
	analysis, synthesis := [2][2]*mat.Dense{{f.H0, f.H1}, {f.G0, f.G1}}, [2][2]*mat.Dense{}
	for kind, row := range analysis {
		for half, phi := range []*mat.Dense{f.PHI0, f.PHI1} {
			var m mat.Dense
			m.Mul(row[half], phi)
			synthesis[kind][half] = &m
		}
	}
	for c := range 1 << dim {
		put(b.S[c*p*p:], p, p, tensor(analysis, dim, 0, c), true)
		put(b.R[c], p, p, tensor(synthesis, dim, 0, c), false)
		for i := range kinds {
			kind := i + 1
			if diagonal {
				kind = 1<<dim - 1
			}
			put(b.D[c*p*kinds*p+i*p:], kinds*p, p, tensor(analysis, dim, kind, c), true)
			put(b.R[c][(1+i)*p*p:], p, p, tensor(synthesis, dim, kind, c), false)
		}
	}
	return b
}

// emptyBank returns a bank of zeros.
func emptyBank[T float32 | float64](dim, k int, diagonal bool) *Bank[T] {
	if dim != 1 && dim != 2 {
		panic(fmt.Sprintf("mno: Bank: %d axes; want 1 or 2", dim))
	}
	b := &Bank[T]{Dim: dim, K: k, Kinds: 1<<dim - 1}
	if diagonal {
		b.Kinds = 1
	}
	p := power(k, dim)
	b.S, b.D = make([]T, p*p<<dim), make([]T, p*b.Kinds*p<<dim)
	for range 1 << dim {
		b.R = append(b.R, make([]T, (1+b.Kinds)*p*p))
	}
	return b
}

// tensor returns the Kronecker product over the axes of the filters of a kind, whose bits say G, for a cell, whose bits say right half.
// The first axis has the highest bit.
func tensor(filters [2][2]*mat.Dense, dim, kind, cell int) *mat.Dense {
	m := filters[kind>>(dim-1)&1][cell>>(dim-1)&1]
	for a := dim - 2; a >= 0; a-- {
		var k mat.Dense
		k.Kronecker(m, filters[kind>>a&1][cell>>a&1])
		m = &k
	}
	return m
}

// put stores m, or its transpose, as the first p columns of rows of ld elements.
func put[T float32 | float64](dst []T, ld, p int, m *mat.Dense, transposed bool) {
	for i := range p {
		for j := range p {
			if transposed {
				dst[i*ld+j] = T(m.At(j, i))
			} else {
				dst[i*ld+j] = T(m.At(i, j))
			}
		}
	}
}

func power(k, dim int) int {
	if dim == 2 {
		return k * k
	}
	return k
}

// level is the size of one step between a fine grid and the coarse one of half its sides.
type level struct {
	nb, n1, n2, nc int // batch, coarse sides (n1 is 1 on a line), functions
	cells, p       int // cells per coarse cell; coefficients of a cell
	coarse         int // coarse cells times functions
}

// level checks slices against a coarse grid n; details may be absent.
func (b *Bank[T]) level(op string, nb int, n []int, nc, x, s, d int) level {
	l := level{nb: nb, n1: 1, nc: nc, cells: 1 << b.Dim, p: power(b.K, b.Dim)}
	if len(n) != b.Dim {
		panic(fmt.Sprintf("mno: %s: a coarse grid %v for a bank of %d axes", op, slices.Clone(n), b.Dim))
	}
	l.n2 = n[b.Dim-1]
	if b.Dim == 2 {
		l.n1 = n[0]
	}
	l.coarse = nb * l.n1 * l.n2 * nc
	if want := l.coarse * l.p; x != want*l.cells || s != want || d != want*b.Kinds {
		panic(fmt.Sprintf("mno: %s: slices of %d, %d and %d elements for a batch of %d, the coarse grid %v and %d functions; want %d, %d and %d",
			op, x, s, d, nb, slices.Clone(n), nc, want*l.cells, want, want*b.Kinds))
	}
	return l
}

// Decompose writes the coarse coefficients s and the details d of x. n is the coarse grid, n1 .. nd. x is nb x 2 n1 .. x 2 nd x nc x P,
// s is nb x n1 .. nd x nc x P and d is nb x n1 .. nd x nc x Kinds P.
func (b *Bank[T]) Decompose(s, d, x []T, nb int, n []int, nc int) {
	l := b.level("Decompose", nb, n, nc, len(x), len(s), len(d))
	b.decompose(&l, s, d, x)
}

func (b *Bank[T]) decompose(l *level, s, d, x []T) {
	work := b.work.Get(len(x))
	defer b.work.Put(work)
	gather(l, work, x)
	kernel.Gemm(false, false, l.coarse, l.p, l.cells*l.p, work, l.cells*l.p, b.S, l.p, s, l.p, false)
	kernel.Gemm(false, false, l.coarse, b.Kinds*l.p, l.cells*l.p, work, l.cells*l.p, b.D, b.Kinds*l.p, d, b.Kinds*l.p, false)
}

// decomposeGrad is the adjoint of Decompose: gx = gs S' + gd D', or += if acc.
func (b *Bank[T]) decomposeGrad(l *level, gx, gs, gd []T, acc bool) {
	work := b.work.Get(len(gx))
	defer b.work.Put(work)
	kernel.Gemm(false, true, l.coarse, l.cells*l.p, l.p, gs, l.p, b.S, l.p, work, l.cells*l.p, false)
	kernel.Gemm(false, true, l.coarse, l.cells*l.p, b.Kinds*l.p, gd, b.Kinds*l.p, b.D, b.Kinds*l.p, work, l.cells*l.p, true)
	scatter(l, gx, work, acc)
}

// Reconstruct writes x, of the sizes that Decompose says, from s and d.
func (b *Bank[T]) Reconstruct(x, s, d []T, nb int, n []int, nc int) {
	l := b.level("Reconstruct", nb, n, nc, len(x), len(s), len(d))
	b.reconstruct(&l, x, s, d)
}

func (b *Bank[T]) reconstruct(l *level, x, s, d []T) {
	if l.coarse == 0 {
		return
	}
	work := b.work.Get(len(x))
	defer b.work.Put(work)
	for c, r := range b.R {
		y, ld := work[c*l.p:], l.cells*l.p
		kernel.Gemm(false, false, l.coarse, l.p, l.p, s, l.p, r, l.p, y, ld, false)
		kernel.Gemm(false, false, l.coarse, l.p, b.Kinds*l.p, d, b.Kinds*l.p, r[l.p*l.p:], l.p, y, ld, true)
	}
	scatter(l, x, work, false)
}

// reconstructGrad is the adjoint of Reconstruct: gs, gd = gx_c R_c' summed over cells. Each of gs and gd may be nil; accS and accD add.
func (b *Bank[T]) reconstructGrad(l *level, gs, gd, gx []T, accS, accD bool) {
	if l.coarse == 0 {
		return
	}
	work := b.work.Get(len(gx))
	defer b.work.Put(work)
	gather(l, work, gx)
	for c, r := range b.R {
		y, ld := work[c*l.p:], l.cells*l.p
		if gs != nil {
			kernel.Gemm(false, true, l.coarse, l.p, l.p, y, ld, r, l.p, gs, l.p, accS || c > 0)
		}
		if gd != nil {
			kernel.Gemm(false, true, l.coarse, b.Kinds*l.p, l.p, y, ld, r[l.p*l.p:], l.p, gd, b.Kinds*l.p, accD || c > 0)
		}
	}
}
