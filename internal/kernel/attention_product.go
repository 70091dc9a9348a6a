package kernel

import "unsafe"

// operand is one side of a product in attention. As the left one, element (i, p) lies at data[i*row + p*step], in words that hold
// one number or a pair along p. As the right one, element (p, j): at data[p*row + j] if it is plain, at data[j*row + p] if it is
// transposed, and in panels of panel numbers for every 32 columns, 32 to each p, if panel is not 0.
type operand struct {
	data       []float32
	row, step  int
	transposed bool
	panel      int
}

// from is a left operand from row i on.
func (o operand) from(i int) operand {
	o.data = o.data[i*o.row:]
	return o
}

// columnsFrom is a transposed right operand, or one in panels, from column j on, a multiple of 32.
func (o operand) columnsFrom(j int) operand {
	if o.panel != 0 {
		o.data = o.data[j/32*o.panel:]
	} else {
		o.data = o.data[j*o.row:]
	}
	return o
}

// multiplier runs the products of one task of attention, on one goroutine.
type multiplier struct {
	e    *engine // with masks, or nil: then blocks of Gemm do the work
	bf16 bool    // operands are rounded; with an engine, they are pairs
	tile tile
	blk  block[float32]
	prod product[float32]
}

// words is how many words a row of k numbers has.
func (u *multiplier) words(k int) int {
	if u.e != nil {
		return u.e.words(k)
	}
	return k
}

// mul computes c = a b, m x n over k, or adds it.
func (u *multiplier) mul(c []float32, ldc int, a, b operand, m, n, k int, acc bool) {
	if u.e == nil {
		u.prod = product[float32]{batch: 1, m: m, n: n, k: k, a: a.data, b: b.data, c: c, lda: a.row, ldb: b.row, ldc: ldc, acc: acc, transB: b.transposed}
		if a.step != 1 {
			u.prod.transA, u.prod.lda = true, a.step
		}
		u.prod.check()
		u.blk = block[float32]{product: &u.prod, m1: m, n1: n, k1: k, c: c, ldc: ldc, acc: acc, last: true}
		u.blk.do()
		return
	}
	t, e := &u.tile, u.e
	t.k = e.words(k)
	t.aRow, t.aStep = uintptr(a.row)*4, uintptr(a.step)*4
	t.cRow, t.initRow = uintptr(ldc)*4, uintptr(ldc)*4
	t.bStep, t.bNext = uintptr(b.row)*4, uintptr(e.columns)*4
	if b.panel != 0 {
		t.bStep, t.bNext = uintptr(e.columns)*4, uintptr(b.panel)*4
	}
	t.cNext, t.initNext = uintptr(e.columns)*4, uintptr(e.columns)*4
	t.ahead = 16 * t.bStep
	t.mode = modeZero
	if acc {
		t.mode = modeLoad
	}
	strips := (m + e.rows - 1) / e.rows
	whole, rest := n/e.columns, n%e.columns
	mask := uint32(1)<<rest - 1
	t.mask = [2]uint32{mask & 0xffff, mask >> 16}
	for s := range strips {
		i0, i1 := m*s/strips, m*(s+1)/strips
		t.a = unsafe.Pointer(&a.data[i0*a.row])
		if whole > 0 {
			t.b, t.c = unsafe.Pointer(&b.data[0]), unsafe.Pointer(&c[i0*ldc])
			t.init, t.kind, t.more = t.c, e.kind(i1-i0, e.columns), whole-1
			e.run(t)
		}
		if rest > 0 {
			at := whole * e.columns
			if b.panel != 0 {
				at = whole * b.panel
			}
			t.b, t.c = unsafe.Pointer(&b.data[at]), unsafe.Pointer(&c[i0*ldc+whole*e.columns])
			t.init, t.kind, t.more = t.c, e.kind(i1-i0, rest), 0
			e.run(t)
		}
	}
}

// release lets go of the operands.
func (u *multiplier) release() {
	u.tile, u.blk, u.prod = tile{}, block[float32]{}, product[float32]{}
}

// left prepares x, rows x cols and contiguous, as a left operand, in dst where words are pairs: rows*words(cols) words.
func (u *multiplier) left(dst, x []float32, rows, cols int) operand {
	if u.e == nil || !u.e.pairs() {
		u.round(x)
		return operand{data: x, row: cols, step: 1}
	}
	if rows > 0 { // cols is even: no pair spans two rows
		u.e.pairRow(unsafe.Pointer(&dst[0]), unsafe.Pointer(&x[0]), rows*cols)
	}
	return operand{data: dst, row: cols / 2, step: 1}
}

// leftRows is a left operand of rows ld apart that leftRow fills, in dst where words are pairs, otherwise x itself.
func (u *multiplier) leftRows(dst, x []float32, ld int) operand {
	if u.e == nil || !u.e.pairs() {
		dst = x
	}
	return operand{data: dst, row: ld, step: 1}
}

// leftRow prepares a row of leftRows.
func (u *multiplier) leftRow(dst, x []float32) {
	if u.e == nil || !u.e.pairs() {
		u.round(x)
	} else {
		u.e.pairRow(unsafe.Pointer(&dst[0]), unsafe.Pointer(&x[0]), len(x))
	}
}

// rightFrom is a plain right operand from number p of k on, which is even.
func (u *multiplier) rightFrom(o operand, p int) operand {
	o.data = o.data[u.words(p)*o.row:]
	return o
}

// round rounds x where words are not pairs, but ought to be.
func (u *multiplier) round(x []float32) {
	if u.bf16 && (u.e == nil || !u.e.pairs()) {
		for i, v := range x {
			x[i] = RoundBF16(v)
		}
	}
}

// right prepares x, k x cols with rows ld apart, as a right operand, in dst where words are pairs: words(k)*cols words. Elsewhere
// x must have been rounded.
func (u *multiplier) right(p *pairPieces, dst, x []float32, k, cols, ld int) operand {
	if u.e == nil || !u.e.pairs() {
		return operand{data: x, row: ld}
	}
	u.interleave(p, dst, x, k, cols, ld)
	return operand{data: dst, row: cols}
}

// across prepares x', for x rows x k, as a left operand that is stored as right is.
func (u *multiplier) across(p *pairPieces, dst, x []float32, rows, k, ld int) operand {
	if u.e == nil || !u.e.pairs() {
		return operand{data: x, row: 1, step: ld}
	}
	u.interleave(p, dst, x, rows, k, ld)
	return operand{data: dst, row: 1, step: k}
}

func (u *multiplier) interleave(p *pairPieces, dst, x []float32, k, cols, ld int) {
	for j := 0; j < cols; j += 32 * len(p.at) {
		n := min(32*len(p.at), cols-j)
		pieces := (n + 31) / 32
		for i := range pieces {
			p.at[i] = place{dst: 128 * i, src: 128 * i}
		}
		p.interleave(u.e, dst[j:], x[j:], k, ld, cols, pieces, 32, n-32*(pieces-1))
	}
}

// panels prepares x', for a left operand x of rows x cols, as a right operand of rows columns: in dst, with an engine, whose panels
// take rows in whole thirty-twos.
func (u *multiplier) panels(dst []float32, x operand, rows int) operand {
	if u.e == nil {
		return operand{data: x.data, row: x.row, transposed: true}
	}
	columns, words := u.e.columns, x.row
	for j := 0; j < rows; j += columns {
		transposeWords(u.e, dst[j*words:], columns, x.data[j*x.row:], x.row, words, min(columns, rows-j))
	}
	return operand{data: dst, panel: words * columns}
}
