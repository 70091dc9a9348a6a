package kernel

import (
	"sync"
	"unsafe"
)

// tile is one call of an inner kernel: rows x columns elements of C, all k of one block,
//
//	C[i,j] = start + sum over p < k of a[i*aRow + p*aStep] b[p*bStep + j],
//
// where start is 0, init[i*initRow + j], or init[i], by mode. Strides are in bytes. The assembly knows the offsets.
type tile struct {
	a, b, c, init, next               unsafe.Pointer // next: the A of the rows to come, which is fetched, or nil
	aRow, aStep, bStep, cRow, initRow uintptr
	k, kind                           int       // kind: which kernel, see engine.kind
	mask                              [2]uint32 // columns in use, 16 bits each, of a masked kernel
	mode                              int
}

const (
	modeZero = iota
	modeLoad
	modeRow
)

// engine is a family of inner kernels of 1 to rows rows.
type engine struct {
	name          string
	rows, columns int
	masks         bool // has kernels with masked columns; others write whole tiles and need B padded
	run           func(t *tile)
}

// gemmEngine is what float32 products run on, nil for the generic body.
var gemmEngine = func() *engine {
	if e := gemmEngines(); len(e) > 0 {
		return e[0]
	}
	return nil
}()

// kind numbers the kernels: whole ones by rows, then those with up to 32 masked columns, then with up to 16.
func (e *engine) kind(rows, columns int) int {
	switch {
	case columns == e.columns || !e.masks:
		return rows - 1
	case columns > 16:
		return e.rows + rows - 1
	}
	return 2*e.rows + rows - 1
}

const (
	blockN  = 512 // columns of B packed at a time: with blockK rows, 512 KB
	packM   = 48  // rows of C beyond which packing B pays
	aliased = 512 // matrix rows a multiple of this apart share few cache sets
)

// strips is the scratch of one task.
type strips struct {
	block[float32]
	e            *engine
	tile         tile
	packedA      []float32
	packedB      []float32
	edge         []float32 // a whole tile, for engines that cannot mask
	out          []float32 // what tiles are written to: C, or Pre
	finishRows   bool      // whether there is more to do than the tiles do
	direct       bool      // B is read where it lies
	copyA        bool
	j0, j1       int // columns, at most blockN
	k0, k1       int // at most blockK
	bPanel       int // elements from panel to panel
	first, final bool
}

var stripsPool = sync.Pool{New: func() any { return new(strips) }}

// runTiles computes block b with the inner kernels of e. B is packed in panels of e.columns columns, each when it is first
// used; a strip of A, at most e.rows high, meets all panels while it is in the first cache.
func runTiles(b *block[float32], e *engine) {
	s := stripsPool.Get().(*strips)
	s.block, s.e = *b, e
	s.out = b.c
	if b.last && b.ep.Pre != nil {
		s.out = b.ep.Pre[b.batch*b.strideC:]
	}
	ep := &b.ep
	s.finishRows = b.last && (ep.GELU || ep.Pre != nil || (b.acc || ep.ColBias != nil) && ep.RowBias != nil || b.acc && ep.ColBias != nil)
	s.direct = !b.transB && b.m1-b.m0 <= packM
	for s.j0 = b.n0; s.j0 < b.n1; s.j0 = s.j1 {
		s.j1 = min(s.j0+blockN, b.n1)
		for s.k0 = b.k0; s.k0 < b.k1 || s.k0 == b.k0; s.k0 += blockK {
			s.k1 = min(s.k0+blockK, b.k1)
			s.first, s.final = s.k0 == b.k0, s.k1 == b.k1
			s.run()
		}
	}
	s.block, s.out = block[float32]{}, nil
	stripsPool.Put(s)
}

// run does all strips for one block of k and of columns.
func (s *strips) run() {
	rows, width, k := s.m1-s.m0, s.j1-s.j0, s.k1-s.k0
	count := (rows + s.e.rows - 1) / s.e.rows
	panels := (width + s.e.columns - 1) / s.e.columns
	s.bPanel = k * s.e.columns
	s.packedB = grow(s.packedB, panels*s.bPanel)
	if !s.e.masks {
		s.edge = grow(s.edge, s.e.rows*s.e.columns)
	}
	s.copyA = panels > 1 && (s.transA || s.lda%aliased == 0)
	i0 := s.m0
	for n := range count {
		i1 := s.m0 + rows*(n+1)/count
		s.strip(i0, i1, n == 0)
		i0 = i1
	}
}

// strip does rows i0 to i1, of which there are at most e.rows; the first strip packs B.
func (s *strips) strip(i0, i1 int, packB bool) {
	t := &s.tile
	k := s.k1 - s.k0
	t.k = k
	s.placeA(i0, i1)
	var next unsafe.Pointer
	if !s.copyA && !s.transA && i1 < s.m1 && k > 0 {
		next = unsafe.Pointer(&s.a[s.batch*s.strideA+i1*s.lda+s.k0])
	}
	for j := s.j0; j < s.j1; j += s.e.columns {
		columns := min(s.e.columns, s.j1-j)
		s.placeB(j, columns, packB)
		t.next = nil
		if j+s.e.columns >= s.j1 {
			t.next = next
		}
		s.start(i0, j)
		t.c, t.cRow = unsafe.Pointer(&s.out[i0*s.ldc+j]), uintptr(s.ldc)*4
		t.kind = s.e.kind(i1-i0, columns)
		if columns < s.e.columns {
			if s.e.masks {
				m := uint32(1)<<columns - 1
				t.mask = [2]uint32{m & 0xffff, m >> 16}
			} else {
				s.runEdge(i0, i1, j, columns)
				continue
			}
		}
		s.e.run(t)
	}
	if s.final && s.finishRows {
		s.finishStrip(i0, i1)
	}
}

// placeA points the tile at rows i0 to i1 of A, copied if they lie badly.
func (s *strips) placeA(i0, i1 int) {
	t, k := &s.tile, s.k1-s.k0
	if k == 0 {
		return
	}
	rows := i1 - i0
	if !s.transA {
		a := s.a[s.batch*s.strideA+i0*s.lda+s.k0:]
		t.a, t.aRow, t.aStep = unsafe.Pointer(&a[0]), uintptr(s.lda)*4, 4
		if s.copyA {
			ld := k + 16
			s.packedA = grow(s.packedA, s.e.rows*(blockK+16))
			for i := range rows {
				copy(s.packedA[i*ld:], a[i*s.lda:][:k])
			}
			t.a, t.aRow = unsafe.Pointer(&s.packedA[0]), uintptr(ld)*4
		}
		return
	}
	a := s.a[s.batch*s.strideA+s.k0*s.lda+i0:]
	t.a, t.aRow, t.aStep = unsafe.Pointer(&a[0]), 4, uintptr(s.lda)*4
	if !s.copyA {
		return
	}
	s.packedA = grow(s.packedA, 16*blockK)
	p := 0
	for ; p*s.lda+16 <= len(a) && p < k; p++ {
		*(*[16]float32)(s.packedA[p*16:]) = *(*[16]float32)(a[p*s.lda:])
	}
	for ; p < k; p++ {
		copy(s.packedA[p*16:], a[p*s.lda:][:rows])
	}
	t.a, t.aStep = unsafe.Pointer(&s.packedA[0]), 64
}

// placeB points the tile at columns of B from column j on, packing them if asked to and needed.
func (s *strips) placeB(j, columns int, pack bool) {
	t, k := &s.tile, s.k1-s.k0
	if k == 0 {
		return
	}
	if s.direct && (columns == s.e.columns || s.e.masks) {
		t.b, t.bStep = unsafe.Pointer(&s.b[s.batch*s.strideB+s.k0*s.ldb+j]), uintptr(s.ldb)*4
		return
	}
	panel := s.packedB[(j-s.j0)/s.e.columns*s.bPanel:][:s.bPanel]
	if pack {
		if s.transB {
			packTransposed(panel, s.b[s.batch*s.strideB+j*s.ldb+s.k0:], s.ldb, k, columns, s.e.columns)
		} else {
			packRows(panel, s.b[s.batch*s.strideB+s.k0*s.ldb+j:], s.ldb, k, columns, s.e.columns)
		}
	}
	t.b, t.bStep = unsafe.Pointer(&panel[0]), uintptr(s.e.columns)*4
}

// start sets what the tile at i0, j begins from: what C holds already, a bias, or nothing.
func (s *strips) start(i0, j int) {
	t := &s.tile
	ep := &s.ep
	switch {
	case !s.first:
		t.mode, t.init, t.initRow = modeLoad, unsafe.Pointer(&s.out[i0*s.ldc+j]), uintptr(s.ldc)*4
	case s.acc:
		t.mode, t.init, t.initRow = modeLoad, unsafe.Pointer(&s.c[i0*s.ldc+j]), uintptr(s.ldc)*4
	case s.last && ep.ColBias != nil:
		t.mode, t.init, t.initRow = modeLoad, unsafe.Pointer(&ep.ColBias[j]), 0
	case s.last && ep.RowBias != nil:
		t.mode, t.init = modeRow, unsafe.Pointer(&ep.RowBias[i0])
	default:
		t.mode = modeZero
	}
}

// runEdge runs the tile by way of s.edge, of which only some columns are wanted.
func (s *strips) runEdge(i0, i1, j, columns int) {
	t := &s.tile
	width := s.e.columns
	if t.mode == modeLoad {
		for i := range i1 - i0 {
			copy(s.edge[i*width:][:columns], unsafe.Slice((*float32)(unsafe.Add(t.init, uintptr(i)*t.initRow)), columns))
		}
		t.init, t.initRow = unsafe.Pointer(&s.edge[0]), uintptr(width)*4
	}
	t.c, t.cRow = unsafe.Pointer(&s.edge[0]), uintptr(width)*4
	s.e.run(t)
	for i := range i1 - i0 {
		copy(s.out[(i0+i)*s.ldc+j:][:columns], s.edge[i*width:])
	}
}

// finishStrip does for rows i0 to i1 what the tiles did not.
func (s *strips) finishStrip(i0, i1 int) {
	ep := &s.ep
	for i := i0; i < i1; i++ {
		z, c := s.out[i*s.ldc+s.j0:i*s.ldc+s.j1], s.c[i*s.ldc+s.j0:i*s.ldc+s.j1]
		if ep.RowBias != nil && (s.acc || ep.ColBias != nil) {
			AddScalar(z, z, ep.RowBias[i])
		}
		if ep.ColBias != nil && s.acc {
			Add(z, z, ep.ColBias[s.j0:s.j1])
		}
		if ep.GELU {
			GELU(c, z)
		} else if ep.Pre != nil {
			copy(c, z)
		}
	}
}

// packRows copies k rows of columns elements, ldb apart, to rows width apart, and fills up with zeros.
func packRows(dst, b []float32, ldb, k, columns, width int) {
	if columns < width {
		for p := range k {
			row := dst[p*width:][:width]
			clear(row[copy(row, b[p*ldb:][:columns]):])
		}
		return
	}
	if width == 32 {
		for p := range k {
			*(*[32]float32)(dst[p*32:]) = *(*[32]float32)(b[p*ldb:])
		}
		return
	}
	for p := range k {
		*(*[16]float32)(dst[p*16:]) = *(*[16]float32)(b[p*ldb:])
	}
}

// packTransposed copies the transpose of columns rows of k elements, ldb apart, to rows width apart, and fills up with
// zeros.
func packTransposed(dst, b []float32, ldb, k, columns, width int) {
	if columns < width {
		clear(dst)
	}
	j := 0
	for ; j+4 <= columns; j += 4 {
		b0, b1, b2, b3 := b[j*ldb:][:k], b[(j+1)*ldb:][:k], b[(j+2)*ldb:][:k], b[(j+3)*ldb:][:k]
		for p := range b0 {
			*(*[4]float32)(dst[p*width+j:]) = [4]float32{b0[p], b1[p], b2[p], b3[p]}
		}
	}
	for ; j < columns; j++ {
		for p, v := range b[j*ldb:][:k] {
			dst[p*width+j] = v
		}
	}
}
