package kernel

import "unsafe"

// packB copies the block of B to panels of e.columns columns each, one row of a panel after the other. What a panel holds
// past the last column is never part of a result. An engine without masks needs the last panel packed even if it reads
// the others where they lie.
func (s *strips) packB(panels int) {
	k, width, columns := s.k1-s.k0, s.j1-s.j0, s.e.columns
	first := 0
	if s.direct {
		if s.e.masks || width%columns == 0 {
			return
		}
		first = panels - 1
	}
	if k == 0 {
		return
	}
	s.bPanel = s.e.words(k) * columns
	s.packedB = grow(s.packedB, panels*s.bPanel+columns)
	if s.e.pairs() {
		s.pairB(panels)
		return
	}
	if s.image != nil {
		s.packPatches(panels)
		return
	}
	if s.transB {
		for n := range panels {
			b := s.b[s.batch*s.strideB+(s.j0+n*columns)*s.ldb+s.k0:]
			transposeWords(s.e, s.packedB[n*s.bPanel:], columns, b, s.ldb, k, min(columns, width-n*columns))
		}
		return
	}
	b := s.b[s.batch*s.strideB+s.k0*s.ldb+s.j0:]
	n := 0
	for ; first < width/columns; first++ {
		s.pieces.at[n] = place{dst: first * s.bPanel * 4, src: first * columns * 4}
		n++
	}
	if n > 0 {
		s.copyPieces(s.packedB, b, s.rowsApart(s.ldb), columns, columns, k, n)
	}
	if first < panels {
		for p := range k {
			copy(s.packedB[first*s.bPanel+p*columns:], b[p*s.ldb+first*columns:][:width-first*columns])
		}
	}
}

// packA copies the strips that start at the given rows: those of a transposed A line by line, 16 elements to a line and
// all strips in one pass over memory, others row by row.
func (s *strips) packA(at []int) {
	s.packedA = grow(s.packedA, stripGroup*stripSize)
	k := s.k1 - s.k0
	if s.e.pairs() {
		s.pairA(at)
		return
	}
	if !s.transA {
		for n := range len(at) - 1 {
			for i := at[n]; i < at[n+1]; i++ {
				copy(s.packedA[n*stripSize+(i-at[n])*stripRow:], s.a[s.batch*s.strideA+i*s.lda+s.k0:][:k])
			}
		}
		return
	}
	a := s.a[s.batch*s.strideA+s.k0*s.lda+at[0]:]
	n := len(at) - 1
	for i := range n {
		s.pieces.at[i] = place{dst: i * stripSize * 4, src: (at[i] - at[0]) * 4}
	}
	whole := 0 // lines of which 16 elements of the last strip lie within A
	if last := at[n-1] - at[0] + stripLine; len(a) >= last {
		whole = min(k, (len(a)-last)/s.lda+1)
		s.copyPieces(s.packedA, a, s.rowsApart(s.lda), stripLine, stripLine, whole, n)
	}
	for p := whole; p < k; p++ {
		for i := range n {
			copy(s.packedA[i*stripSize+p*stripLine:][:stripLine], a[p*s.lda+at[i]-at[0]:])
		}
	}
}

// pieces describes a copy: piece i of row p, 16 elements or 32 if wide is 1, goes from src + rowAt[p] + at[i].src to
// dst + p*dstRow + at[i].dst. Distances are in bytes. The assembly knows the offsets of the fields.
type pieces struct {
	dst, src      unsafe.Pointer
	dstRow        uintptr
	rowAt         *int
	rows, n, wide int
	at            [32]place
	regular       [blockK + rowsAhead]int // rowAt of rows that are all the same distance apart
	regularRow    int                     // which distance
}

type place struct{ dst, src int }

// rowsAhead is how many rows copyPieces fetches ahead; rowAt has that many more entries.
const rowsAhead = 4

// rowsApart returns the offsets of rows ld elements apart.
func (s *strips) rowsApart(ld int) []int {
	p := &s.pieces
	if p.regularRow != ld {
		p.regularRow = ld
		for i := range p.regular {
			p.regular[i] = i * ld * 4
		}
	}
	return p.regular[:]
}

// copyPieces copies the n pieces, of size elements, of rows rows of dst that are dstRow elements long.
func (s *strips) copyPieces(dst, src []float32, rowAt []int, size, dstRow, rows, n int) {
	p := &s.pieces
	if s.e.copyPieces != nil {
		p.dst, p.src, p.rowAt = unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), &rowAt[0]
		p.dstRow, p.rows, p.n, p.wide = uintptr(dstRow)*4, rows, n, size/32
		s.e.copyPieces(p)
		p.dst, p.src, p.rowAt = nil, nil, nil
		return
	}
	for r := range rows {
		for _, at := range p.at[:n] {
			copy(dst[r*dstRow+at.dst/4:][:size], src[(rowAt[r]+at.src)/4:])
		}
	}
}

// transposeWords writes dst[p*width + j] = b[j*ld + p] for j < rows and p < k.
func transposeWords(e *engine, dst []float32, width int, b []float32, ld, k, rows int) {
	j := 0
	if n := k / 4; e.transpose8 != nil && n > 0 {
		for ; j+8 <= rows; j += 8 {
			e.transpose8(unsafe.Pointer(&dst[j]), unsafe.Pointer(&b[j*ld]), uintptr(width)*4, uintptr(ld)*4, n)
			for p := n * 4; p < k; p++ {
				for i := range 8 {
					dst[p*width+j+i] = b[(j+i)*ld+p]
				}
			}
		}
	}
	for ; j+4 <= rows; j += 4 {
		b0, b1, b2, b3 := b[j*ld:][:k], b[(j+1)*ld:][:k], b[(j+2)*ld:][:k], b[(j+3)*ld:][:k]
		for p := range b0 {
			*(*[4]float32)(dst[p*width+j:]) = [4]float32{b0[p], b1[p], b2[p], b3[p]}
		}
	}
	for ; j < rows; j++ {
		for p, v := range b[j*ld:][:k] {
			dst[p*width+j] = v
		}
	}
}
