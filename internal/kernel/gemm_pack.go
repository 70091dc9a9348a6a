package kernel

import "unsafe"

// packB copies the block of B to panels of e.columns columns each, one row of a panel after the other. An engine without
// masks needs the last panel filled up with zeros, even if it reads the others where they lie.
func (s *strips) packB(panels int) {
	k, width, columns := s.k1-s.k0, s.j1-s.j0, s.e.columns
	if k == 0 {
		return
	}
	first := 0
	if s.direct {
		if s.e.masks || width%columns == 0 {
			return
		}
		first = panels - 1
	}
	s.bPanel = k * columns
	s.packedB = grow(s.packedB, panels*s.bPanel)
	if width%columns != 0 && !s.e.masks {
		clear(s.packedB[(panels-1)*s.bPanel:])
	}
	if s.transB {
		for n := range panels {
			b := s.b[s.batch*s.strideB+(s.j0+n*columns)*s.ldb+s.k0:]
			s.packTransposed(s.packedB[n*s.bPanel:], b, k, min(columns, width-n*columns))
		}
		return
	}
	b := s.b[s.batch*s.strideB+s.k0*s.ldb+s.j0:]
	n := 0
	for ; first < width/columns; first++ {
		s.pieces.offsets[n] = first * columns * 4
		n++
	}
	if n > 0 {
		s.copyPieces(s.packedB, b, columns, columns, s.bPanel, s.ldb, k, n)
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
		s.pieces.offsets[i] = (at[i] - at[0]) * 4
	}
	whole := 0 // lines of which 16 elements of the last strip lie within A
	if last := at[n-1] - at[0] + stripLine; len(a) >= last {
		whole = min(k, (len(a)-last)/s.lda+1)
		s.copyPieces(s.packedA, a, stripLine, stripLine, stripSize, s.lda, whole, n)
	}
	for p := whole; p < k; p++ {
		for i := range n {
			copy(s.packedA[i*stripSize+p*stripLine:][:stripLine], a[p*s.lda+at[i]-at[0]:])
		}
	}
}

// pieces describes a copy: piece i of row p, 16 elements or 32 if wide is 1, goes from src + p*srcRow + offsets[i] to
// dst + p*dstRow + i*dstPiece. Distances are in bytes. The assembly knows the offsets of the fields.
type pieces struct {
	dst, src         unsafe.Pointer
	dstRow, dstPiece uintptr
	srcRow           uintptr
	rows, n, wide    int
	offsets          [blockN / 16]int
}

// copyPieces copies n pieces, of size elements each, of rows rows, with the offsets in s.pieces; distances in elements.
func (s *strips) copyPieces(dst, src []float32, size, dstRow, dstPiece, srcRow, rows, n int) {
	p := &s.pieces
	if s.e.copyPieces != nil {
		p.dst, p.src = unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0])
		p.dstRow, p.dstPiece, p.srcRow = uintptr(dstRow)*4, uintptr(dstPiece)*4, uintptr(srcRow)*4
		p.rows, p.n, p.wide = rows, n, size/32
		s.e.copyPieces(p)
		p.dst, p.src = nil, nil
		return
	}
	for r := range rows {
		for i, at := range p.offsets[:n] {
			copy(dst[r*dstRow+i*dstPiece:][:size], src[r*srcRow+at/4:])
		}
	}
}

// packTransposed writes dst[p*e.columns + j] = b[j*ldb + p] for j < rows and p < k.
func (s *strips) packTransposed(dst, b []float32, k, rows int) {
	width, j := s.e.columns, 0
	if n := k / 4; s.e.transpose8 != nil && n > 0 {
		for ; j+8 <= rows; j += 8 {
			s.e.transpose8(unsafe.Pointer(&dst[j]), unsafe.Pointer(&b[j*s.ldb]), uintptr(width)*4, uintptr(s.ldb)*4, n)
			for p := n * 4; p < k; p++ {
				for i := range 8 {
					dst[p*width+j+i] = b[(j+i)*s.ldb+p]
				}
			}
		}
	}
	for ; j+4 <= rows; j += 4 {
		b0, b1, b2, b3 := b[j*s.ldb:][:k], b[(j+1)*s.ldb:][:k], b[(j+2)*s.ldb:][:k], b[(j+3)*s.ldb:][:k]
		for p := range b0 {
			*(*[4]float32)(dst[p*width+j:]) = [4]float32{b0[p], b1[p], b2[p], b3[p]}
		}
	}
	for ; j < rows; j++ {
		for p, v := range b[j*s.ldb:][:k] {
			dst[p*width+j] = v
		}
	}
}
