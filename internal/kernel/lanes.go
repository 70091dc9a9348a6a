package kernel

import (
	"fmt"
	"unsafe"
)

// Lanes is an array of complex numbers, re before im, three axes of which take part in a product: rows, columns and lanes. Element
// (i, j) has its lanes behind each other, from Data[i*Row+j*Col] on.
type Lanes[T Float] struct {
	Data     []T
	Row, Col int
	Conj     bool // of the operands: takes part as its complex conjugate
}

// MulLanes computes, for every lane l < n, a product of complex matrices, rows x inner by inner x cols:
//
//	y[i,j,l] = sum over k of x[i,k,l] w[k,j,l],     or y += that if acc.
//
// At most one operand may be conjugated; y overlaps neither. Lanes stay where they lie, so a weight whose lanes come last is read once,
// in the order in which it lies.
func MulLanes[T Float](y, x, w Lanes[T], rows, cols, inner, n int, acc bool) {
	y.check("y", rows, cols, n)
	x.check("x", rows, inner, n)
	w.check("w", inner, cols, n)
	if x.Conj && w.Conj || y.Conj {
		panic("kernel: MulLanes: more than one conjugate")
	}
	if rows == 0 || cols == 0 || n == 0 {
		return
	}
	p := laneProduct[T]{y, x, w, rows, cols, inner, n, acc}
	if rows > inner {
		// An outer product, nearly: y is what is large, and is written row by row.
		ParallelWith((rows+laneTiles-1)/laneTiles, 1, laneRows[T]{p})
		return
	}
	ParallelWith((cols+laneTiles-1)/laneTiles, max(1, 1<<14/(rows*inner*laneTiles*n)), laneCols[T]{p})
}

// laneRows and laneCols are a product cut along its rows and along its columns.
type (
	laneRows[T Float] struct{ laneProduct[T] }
	laneCols[T Float] struct{ laneProduct[T] }
)

func (p *laneRows[T]) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		p.run(i*laneTiles, min((i+1)*laneTiles, p.rows), 0, p.cols)
	}
}

func (p *laneCols[T]) Chunk(lo, hi int) { p.run(0, p.rows, lo*laneTiles, min(hi*laneTiles, p.cols)) }

func (a *Lanes[T]) check(name string, rows, cols, n int) {
	if rows < 0 || cols < 0 || n < 0 || a.Row < 0 || a.Col < 0 || rows > 0 && cols > 0 && (rows-1)*a.Row+(cols-1)*a.Col+2*n > len(a.Data) {
		panic(fmt.Sprintf("kernel: MulLanes: %s: %d x %d of %d lanes, %d and %d apart, in %d elements", name, rows, cols, n, a.Row, a.Col, len(a.Data)))
	}
}

const (
	laneTiles = 4  // rows and columns of a tile, at most
	laneInner = 32 // steps of the sum per tile: the x of all rows and lanes stays in the second-level cache
)

// laneProduct is one call's work.
type laneProduct[T Float] struct {
	y, x, w              Lanes[T]
	rows, cols, inner, n int
	acc                  bool
}

// run computes rows i0 to i1 of columns j0 to j1.
func (p *laneProduct[T]) run(i0, i1, j0, j1 int) {
	for k0 := 0; k0 < p.inner || k0 == 0; k0 += laneInner {
		k1 := min(k0+laneInner, p.inner)
		for j := j0; j < j1; j += laneTiles {
			p.column(i0, i1, j, min(j+laneTiles, j1), k0, k1, j1)
		}
	}
	if fastLanes {
		storeFence()
	}
}

// column does steps k0 to k1 of the sum for a block of columns; the task ends at column end.
func (p *laneProduct[T]) column(i0, i1, j0, j1, k0, k1, end int) {
	acc := p.acc || k0 > 0
	if q, ok := any(p).(*laneProduct[float32]); ok && fastLanes {
		q.tiles(i0, i1, j0, j1, k0, k1, end, acc)
		return
	}
	xs, ws := T(1), T(1) // signs of imaginary parts
	if p.x.Conj {
		xs = -1
	}
	if p.w.Conj {
		ws = -1
	}
	for i := i0; i < i1; i++ {
		for j := j0; j < j1; j++ {
			y := p.y.Data[i*p.y.Row+j*p.y.Col:][:2*p.n]
			if !acc {
				clear(y)
			}
			for k := k0; k < k1; k++ {
				x, w := p.x.Data[i*p.x.Row+k*p.x.Col:][:len(y)], p.w.Data[k*p.w.Row+j*p.w.Col:][:len(y)]
				for l := 0; l+1 < len(y); l += 2 {
					xr, xi, wr, wi := x[l], xs*x[l+1], w[l], ws*w[l+1]
					y[l] += xr*wr - xi*wi
					y[l+1] += xr*wi + xi*wr
				}
			}
		}
	}
}

// laneTile is one call of an inner kernel: one vector of lanes of rows x cols elements, 1 to laneTiles each. Distances are in bytes. The
// assembly knows the offsets.
type laneTile struct {
	x, w, y                              unsafe.Pointer
	xStep, xRow, wStep, wRow, yRow, yCol int // wRow is from column to column
	n, kind                              int
	ahead                                int // how far behind w to fetch
	mask, mode                           uint32
	flipW, flipS                         uint64 // sign bits of a pair of w, and of its swapped twin
}

const (
	laneSet = iota
	laneAdd
	laneStream // past the caches: whole, aligned vectors only
)

const laneVector = 16 // elements

// FastLanes tells whether MulLanes has inner kernels for this CPU.
func FastLanes() bool { return fastLanes }

func (p *laneProduct[T]) tiles(i0, i1, j0, j1, k0, k1, end int, acc bool) {
	const real, imag = 1 << 31, 1 << 63
	t := laneTile{
		xStep: 4 * p.x.Col, xRow: 4 * p.x.Row, wStep: 4 * p.w.Row, wRow: 4 * p.w.Col, yRow: 4 * p.y.Row, yCol: 4 * p.y.Col,
		n: k1 - k0, flipS: real,
	}
	switch {
	case p.w.Conj:
		t.flipW, t.flipS = imag, 0
	case p.x.Conj:
		t.flipS = imag
	}
	if j1 < end {
		t.ahead = 4 * laneTiles * p.w.Col
	}
	// What is written once, and is large, would only push other things out.
	stream := !acc && p.rows > p.inner && p.inner <= laneInner && uintptr(unsafe.Pointer(&p.y.Data[0]))%64 == 0 && p.y.Row%laneVector == 0 && p.y.Col%laneVector == 0
	for l := 0; l < 2*p.n; l += laneVector {
		t.mask = 1<<min(laneVector, 2*p.n-l) - 1
		switch {
		case acc:
			t.mode = laneAdd
		case stream && t.mask == 1<<laneVector-1:
			t.mode = laneStream
		default:
			t.mode = laneSet
		}
		if t.n > 0 {
			t.w = unsafe.Pointer(&p.w.Data[k0*p.w.Row+j0*p.w.Col+l])
		}
		for i := i0; i < i1; i += laneTiles {
			t.kind = (min(laneTiles, i1-i)-1)*laneTiles + j1 - j0 - 1
			if t.n > 0 {
				t.x = unsafe.Pointer(&p.x.Data[i*p.x.Row+k0*p.x.Col+l])
			}
			t.y = unsafe.Pointer(&p.y.Data[i*p.y.Row+j0*p.y.Col+l])
			t.run()
		}
	}
}
