package kernel

import (
	"math"
	"sync"
	"unsafe"
)

// bf16Engine is what products of bfloat16 run on, nil where the CPU has none: then rounded operands are multiplied as float32.
var bf16Engine = func() *engine {
	if e := bf16Engines(); len(e) > 0 {
		return e[0]
	}
	return nil
}()

// GemmBF16 is GemmEpilogue with the elements of A and B rounded to bfloat16 (8 bits of significand, to nearest, ties to even;
// numbers below 2^-126 become 0). Their products are exact in float32, in which they are added up. On CPUs with AVX512-BF16 it
// takes half the time of Gemm.
func GemmBF16(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, acc bool, ep *Epilogue[float32]) {
	p := product[float32]{transA: transA, transB: transB, batch: 1, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, c: c, ldc: ldc, acc: acc}
	if ep != nil {
		p.ep = *ep
	}
	if bf16Engine != nil {
		p.bf16 = true
		gemm(p)
		return
	}
	p.check()
	r := roundedPool.Get().(*rounded)
	p.a, p.lda = r.a.of(transA, m, k, a, lda)
	p.b, p.ldb = r.b.of(transB, k, n, b, ldb)
	gemm(p)
	roundedPool.Put(r)
}

// rounded is the scratch of a product without an engine for bfloat16.
type rounded struct{ a, b roundedMatrix }

type roundedMatrix []float32

var roundedPool = sync.Pool{New: func() any { return new(rounded) }}

// of returns the rounded copy of a matrix of rows x cols, or cols x rows if it is stored transposed, and the distance of its rows.
func (r *roundedMatrix) of(trans bool, rows, cols int, x []float32, ld int) ([]float32, int) {
	if trans {
		rows, cols = cols, rows
	}
	*r = grow(*r, rows*cols)
	ParallelWith(rows, max(1, elemGrain/max(cols, 1)), roundRows{*r, x, cols, ld})
	return *r, cols
}

type roundRows struct {
	dst, x   []float32
	cols, ld int
}

func (r *roundRows) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		for j, v := range r.x[i*r.ld:][:r.cols] {
			r.dst[i*r.cols+j] = RoundBF16(v)
		}
	}
}

// RoundBF16 rounds x as GemmBF16 rounds its operands. NaN stays NaN.
func RoundBF16(x float32) float32 {
	b := math.Float32bits(x)
	switch {
	case b&0x7fffffff > 0x7f800000:
		b |= 0x400000 // quiet, so that what is cut off is not all there was
	case b&0x7f800000 == 0:
		b &= 0x80000000
	default:
		b += 0x7fff + b>>16&1
	}
	return math.Float32frombits(b &^ 0xffff)
}

// pairOf is the word that holds x and y, rounded.
func pairOf(x, y float32) float32 {
	return math.Float32frombits(math.Float32bits(RoundBF16(x))>>16 | math.Float32bits(RoundBF16(y)))
}

// pairPieces describes a copy of rows two by two, rounded and interleaved: word j of piece i of pair p, at
// dst + p*dstRow + at[i].dst, holds elements j of rows 2p and 2p+1 of piece i, at src + (2p)*srcRow + at[i].src. A piece has 16
// words, 32 if wide is 1; mask tells which of the last. Distances are in bytes. The assembly knows the offsets of the fields.
type pairPieces struct {
	dst, src       unsafe.Pointer
	dstRow, srcRow uintptr
	rows, n, wide  int
	mask           [2]uint32
	at             [32]place
}

// interleave packs the first n pieces of p.at, all 16 or 32 words wide but the last, of which last words are wanted, from k rows of
// src, ld apart, to dst, whose rows are dstRow words long.
func (p *pairPieces) interleave(e *engine, dst, src []float32, k, ld, dstRow, n, width, last int) {
	m := uint32(1)<<last - 1 // all ones where last is 32: the shift leaves nothing
	p.mask = [2]uint32{m & 0xffff, m >> 16}
	if k > 1 {
		p.dst, p.src = unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0])
		p.dstRow, p.srcRow, p.rows, p.n, p.wide = uintptr(dstRow)*4, uintptr(ld)*4, k/2, n, width/32
		e.pairPieces(p)
		p.dst, p.src = nil, nil
	}
	if k%2 == 0 {
		return
	}
	for i, at := range p.at[:n] {
		w := width
		if i == n-1 {
			w = last
		}
		for j, v := range src[(k-1)*ld+at.src/4:][:w] {
			dst[k/2*dstRow+at.dst/4+j] = pairOf(v, 0)
		}
	}
}

// pairB is packB for words of two.
func (s *strips) pairB(panels int) {
	k, width, columns := s.k1-s.k0, s.j1-s.j0, s.e.columns
	if !s.transB {
		for n := range panels {
			s.pairPieces.at[n] = place{dst: n * s.bPanel * 4, src: n * columns * 4}
		}
		s.pairPieces.interleave(s.e, s.packedB, s.b[s.batch*s.strideB+s.k0*s.ldb+s.j0:], k, s.ldb, columns, panels, columns, width-(panels-1)*columns)
		return
	}
	// Rows of B hold what a panel has in columns: round eight of them, then transpose their words.
	words := s.e.words(k)
	for j := 0; j < width; j += 8 {
		rows := min(8, width-j)
		for i := range rows {
			s.e.pairRow(unsafe.Pointer(&s.paired[i*stripRow]), unsafe.Pointer(&s.b[s.batch*s.strideB+(s.j0+j+i)*s.ldb+s.k0]), k)
		}
		transposeWords(s.e, s.packedB[j/columns*s.bPanel+j%columns:], columns, s.paired[:], stripRow, words, rows)
	}
}

// pairA is packA for words of two.
func (s *strips) pairA(at []int) {
	k, n := s.k1-s.k0, len(at)-1
	if s.transA {
		a := s.a[s.batch*s.strideA+s.k0*s.lda+at[0]:]
		if n > 1 && at[n]-at[n-2] < stripLine { // the last but one, read as a whole line, could leave A
			for i := range n {
				s.pairPieces.at[0] = place{dst: i * stripSize * 4, src: (at[i] - at[0]) * 4}
				s.pairPieces.interleave(s.e, s.packedA, a, k, s.lda, stripLine, 1, stripLine, at[i+1]-at[i])
			}
			return
		}
		for i := range n {
			s.pairPieces.at[i] = place{dst: i * stripSize * 4, src: (at[i] - at[0]) * 4}
		}
		s.pairPieces.interleave(s.e, s.packedA, a, k, s.lda, stripLine, n, stripLine, at[n]-at[n-1])
		return
	}
	for i := range n {
		for r := at[i]; r < at[i+1]; r++ {
			s.e.pairRow(unsafe.Pointer(&s.packedA[i*stripSize+(r-at[i])*stripRow]), unsafe.Pointer(&s.a[s.batch*s.strideA+r*s.lda+s.k0]), k)
		}
	}
}
