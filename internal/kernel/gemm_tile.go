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
	ahead                             uintptr // how far ahead of b to fetch
	// more tiles to the right, for engines with masks: b, c and init move on by the distances. It is left at -1.
	more                   int
	bNext, cNext, initNext uintptr
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
	masks         bool // has kernels with masked columns; others read and write whole tiles
	run           func(t *tile)
	// transpose8 writes dst[p*dstRow + j] = src[j*srcRow + p] for j < 8 and p < 4n, n > 0; rows are in bytes.
	transpose8 func(dst, src unsafe.Pointer, dstRow, srcRow uintptr, n int)
	copyPieces func(p *pieces) // these two may be nil
	// pairRow and pairPieces, if not nil, say that the kernels take A and B as words of two bfloat16 each, neighbours along k, and
	// that k counts words: see gemm_bf16.go.
	pairRow    func(dst, src unsafe.Pointer, n int)
	pairPieces func(p *pairPieces)
}

// pairs tells whether the kernels take words of two elements.
func (e *engine) pairs() bool { return e.pairRow != nil }

// depth is how many elements of k a block has.
func (e *engine) depth() int {
	if e.pairs() {
		return 2 * blockK
	}
	return blockK
}

// words is how many words of A and B hold k elements.
func (e *engine) words(k int) int {
	if e.pairs() {
		return (k + 1) / 2
	}
	return k
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
	blockN     = 512 // columns of B packed at a time: with blockK rows, 768 KB
	blockPairs = 768 // columns of a B of pairs that is packed already, for the rounding of A that each block repeats
	packM      = 48  // rows of C beyond which packing B pays
	aliased    = 512 // matrix rows a multiple of this apart share few cache sets
	fetchAhead = 512 // rows of C times rows of B by which a B that is read in place is fetched ahead: time for memory to answer
	stripGroup = 8   // strips of A copied at a time
	stripLine  = 16  // elements per k of a copied strip of a transposed A
	stripRow   = blockK + 16
	stripSize  = stripLine * stripRow
)

// strips is the scratch of one task.
type strips struct {
	block[float32]
	e            *engine
	tile         tile
	pieces       pieces
	pairPieces   pairPieces
	packedA      []float32
	packedB      []float32
	paired       [8 * stripRow]float32 // rows of B on their way to packedB, for words of two
	edge         []float32             // a whole tile, for engines that cannot mask
	out          []float32             // what tiles are written to: C, or Pre
	begun        bool                  // tiles start from a matrix, and leave biases to finishStrip
	finishRows   bool                  // whether there is more to do than the tiles do
	direct       bool                  // B is read where it lies
	copyA        bool
	j0, j1       int // columns, at most blockN
	k0, k1       int // at most blockK words
	bPanel       int // elements from panel to panel
	first, final bool
}

var stripsPool = sync.Pool{New: func() any { return new(strips) }}

// runTiles computes block b with the inner kernels of e. B is packed in panels of e.columns columns; a strip of A, at most
// e.rows high, meets all panels while it is in the first cache.
func runTiles(b *block[float32], e *engine) {
	s := stripsPool.Get().(*strips)
	s.block, s.e = *b, e
	s.out = b.c
	if b.last && b.ep.Pre != nil {
		s.out = b.ep.Pre[b.batch*b.strideC:]
	}
	ep := &b.ep
	s.begun = b.acc || ep.Add != nil
	s.finishRows = b.last && (ep.GELU || ep.Pre != nil || ep.GELUGrad != nil || (s.begun || ep.ColBias != nil) && ep.RowBias != nil || s.begun && ep.ColBias != nil || b.acc && ep.Add != nil)
	s.direct = !b.transB && b.image == nil && b.panels == nil && b.m1-b.m0 <= packM && !e.pairs()
	depth, columns := e.depth(), blockN
	if b.panels != nil && e.pairs() {
		columns = blockPairs
	}
	for s.j0 = b.n0; s.j0 < b.n1; s.j0 = s.j1 {
		s.j1 = min(s.j0+columns, b.n1)
		for s.k0 = b.k0; s.k0 < b.k1 || s.k0 == b.k0; s.k0 += depth {
			s.k1 = min(s.k0+depth, b.k1)
			s.first, s.final = s.k0 == b.k0, s.k1 == b.k1
			s.run()
		}
	}
	s.block, s.out, s.tile = block[float32]{}, nil, tile{} // hold on to no operand
	stripsPool.Put(s)
}

// run does all strips for one block of k and of columns.
func (s *strips) run() {
	rows, width, k := s.m1-s.m0, s.j1-s.j0, s.k1-s.k0
	count := (rows + s.e.rows - 1) / s.e.rows
	panels := (width + s.e.columns - 1) / s.e.columns
	if !s.e.masks {
		s.edge = grow(s.edge, s.e.rows*s.e.columns)
	}
	if s.panels == nil {
		s.packB(panels)
	}
	s.tile.k = s.e.words(k)
	s.copyA = k > 0 && (s.e.pairs() || panels > 1 && (s.transA || s.lda%aliased == 0))
	for n := 0; n < count; n += stripGroup {
		var at [stripGroup + 1]int // first rows of the strips of this group
		group := min(stripGroup, count-n)
		for i := range group + 1 {
			at[i] = s.m0 + rows*(n+i)/count
		}
		if s.copyA {
			s.packA(at[:group+1])
		}
		for i := range group {
			s.strip(i, at[i], at[i+1])
		}
	}
}

// strip does rows i0 to i1, of which there are at most e.rows; it is number n of its group.
func (s *strips) strip(n, i0, i1 int) {
	t := &s.tile
	var next unsafe.Pointer
	switch {
	case s.copyA && s.transA:
		t.a, t.aRow, t.aStep = unsafe.Pointer(&s.packedA[n*stripSize]), 4, stripLine*4
	case s.copyA:
		t.a, t.aRow, t.aStep = unsafe.Pointer(&s.packedA[n*stripSize]), stripRow*4, 4
	case t.k == 0:
	case s.transA:
		t.a, t.aRow, t.aStep = unsafe.Pointer(&s.a[s.batch*s.strideA+s.k0*s.lda+i0]), 4, uintptr(s.lda)*4
	default:
		t.a, t.aRow, t.aStep = unsafe.Pointer(&s.a[s.batch*s.strideA+i0*s.lda+s.k0]), uintptr(s.lda)*4, 4
		if i1 < s.m1 {
			next = unsafe.Pointer(&s.a[s.batch*s.strideA+i1*s.lda+s.k0])
		}
	}
	for j, tiles := s.j0, 1; j < s.j1; j += tiles * s.e.columns {
		columns := min(s.e.columns, s.j1-j)
		s.placeB(j, columns, i1-i0)
		t.next, tiles = next, 1
		if left := (s.j1 - j - 1) / s.e.columns; left > 0 { // whole tiles ahead of the last one
			t.next = nil
			if s.e.masks {
				tiles = left
			}
		}
		t.more, t.cNext, t.initNext = tiles-1, uintptr(s.e.columns)*4, uintptr(s.e.columns)*4
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

// placeB points the tile at columns of B from column j on.
func (s *strips) placeB(j, columns, rows int) {
	t := &s.tile
	if t.k == 0 {
		return
	}
	if s.direct && (columns == s.e.columns || s.e.masks) {
		t.b, t.bStep = unsafe.Pointer(&s.b[s.batch*s.strideB+s.k0*s.ldb+j]), uintptr(s.ldb)*4
		t.ahead, t.bNext = uintptr(fetchAhead/rows)*t.bStep, uintptr(s.e.columns)*4
		return
	}
	t.b, t.bStep, t.bNext = nil, uintptr(s.e.columns)*4, uintptr(t.k*s.e.columns)*4
	if p := s.panels; p != nil {
		t.b = unsafe.Pointer(&p.data[p.at(s.k0, s.k1, j)])
	} else {
		t.b = unsafe.Pointer(&s.packedB[(j-s.j0)/s.e.columns*s.bPanel])
	}
	t.ahead = 16 * t.bStep
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
	case s.last && ep.Add != nil:
		t.mode, t.init, t.initRow = modeLoad, unsafe.Pointer(&ep.Add[s.batch*s.strideC+i0*s.ldc+j]), uintptr(s.ldc)*4
	case s.last && ep.ColBias != nil:
		t.mode, t.init, t.initRow = modeLoad, unsafe.Pointer(&ep.ColBias[j]), 0
	case s.last && ep.RowBias != nil:
		t.mode, t.init, t.initNext = modeRow, unsafe.Pointer(&ep.RowBias[i0]), 0
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

// finishStrip does for rows i0 to i1 what the tiles did not, while they are in the first cache; rows that lie behind each other
// are one long row to what goes element by element.
func (s *strips) finishStrip(i0, i1 int) {
	ep := &s.ep
	rows, width := i1-i0, s.j1-s.j0
	if ep.RowBias != nil && (s.begun || ep.ColBias != nil) {
		for i := i0; i < i1; i++ {
			z := s.out[i*s.ldc+s.j0:][:width]
			AddScalar(z, z, ep.RowBias[i])
		}
	}
	if ep.ColBias != nil && s.begun {
		for i := i0; i < i1; i++ {
			z := s.out[i*s.ldc+s.j0:][:width]
			Add(z, z, ep.ColBias[s.j0:s.j1])
		}
	}
	if ep.Add != nil && s.acc {
		for i := i0; i < i1; i++ {
			z := s.out[i*s.ldc+s.j0:][:width]
			Add(z, z, ep.Add[s.batch*s.strideC+i*s.ldc+s.j0:][:width])
		}
	}
	if !ep.GELU && ep.Pre == nil && ep.GELUGrad == nil {
		return
	}
	if width == s.ldc {
		rows, width = 1, rows*width
	}
	for r := range rows {
		at := (i0+r)*s.ldc + s.j0
		z, c := s.out[at:][:width], s.c[at:][:width]
		switch {
		case ep.GELU:
			GELU(c, z)
		case ep.Pre != nil:
			copy(c, z)
		default:
			GELUGrad(c, z, ep.GELUGrad[s.batch*s.strideC+at:][:width], false)
		}
	}
}
