package kernel

import "unsafe"

// patchImage holds some rows of windows of one group of one image, laid out so that the windows of a row look at
// consecutive elements: with zeros for padding, and for strides sh, sw the rows and columns sorted by their remainders,
//
//	data[c, a, b, q, z] = x[c, (top+q) sh + a - PadH, z sw + b - PadW],   c x min(sh, reach) x min(sw, reach) x rows x pitch.
//
// Window (i, j) meets tap (u, v) at remainders u DilationH mod sh and v DilationW mod sw, row i - top + u DilationH / sh and
// column j + v DilationW / sw.
type patchImage[T Float] struct {
	ConvShape
	data        []T
	rowAt       []int // offset in bytes of every (c, u, v) from the first, and as many more as copyPieces looks ahead
	top         int
	rows, pitch int
	filledFor   ConvShape // what rowAt and the sizes belong to
	filledRows  int
}

// patchSlack is how many elements past the end of data may be read.
const patchSlack = 64

// load lays out rows top to bottom of the windows of x, the channels of one group.
func (im *patchImage[T]) load(s ConvShape, x []T, top, bottom int) {
	ah, aw := min(s.StrideH, (s.KH-1)*s.DilationH+1), min(s.StrideW, (s.KW-1)*s.DilationW+1)
	im.top = top
	im.ConvShape = s
	im.rows, im.pitch = bottom-top+(s.KH-1)*s.DilationH/s.StrideH, s.OW+(s.KW-1)*s.DilationW/s.StrideW
	cg := s.C / s.Groups
	im.data = grow(im.data, cg*ah*aw*im.rows*im.pitch+patchSlack)
	row := 0
	for c := range cg {
		for a := range ah {
			for b := range aw {
				lo, hi := reach(im.pitch, s.W, s.StrideW, b-s.PadW)
				for q := range im.rows {
					dst := im.data[row*im.pitch:][:im.pitch]
					row++
					h := (top+q)*s.StrideH + a - s.PadH
					if h < 0 || h >= s.H || lo >= hi {
						clear(dst)
						continue
					}
					clear(dst[:lo])
					clear(dst[hi:])
					src, dst := x[(c*s.H+h)*s.W+lo*s.StrideW+b-s.PadW:], dst[lo:hi]
					if s.StrideW == 1 {
						copy(dst, src)
						continue
					}
					for z := range dst {
						dst[z] = src[z*s.StrideW]
					}
				}
			}
		}
	}
	if im.filledFor != s || im.filledRows != im.rows {
		im.filledFor, im.filledRows = s, im.rows
		im.rowAt = im.rowAt[:0]
		for r := range s.patch() + rowsAhead {
			im.rowAt = append(im.rowAt, im.tap(r, ah, aw)*int(unsafe.Sizeof(im.data[0])))
		}
	}
}

// tap is the offset of the element that window (top, 0) meets at r = (c, u, v), rows of the patch matrix in order.
func (im *patchImage[T]) tap(r, ah, aw int) int {
	c, u, v := r/(im.KH*im.KW), r/im.KW%im.KH*im.DilationH, r%im.KW*im.DilationW
	return (((c*ah+u%im.StrideH)*aw+v%im.StrideW)*im.rows+u/im.StrideH)*im.pitch + v/im.StrideW
}

// runs calls f for the runs of windows j0 to j1 that lie in one row each: n windows that look at data from at on.
func (im *patchImage[T]) runs(j0, j1 int, f func(j, n, at int)) {
	for j := j0; j < j1; {
		i := j / im.OW
		n := min((i+1)*im.OW, j1) - j
		f(j, n, (i-im.top)*im.pitch+j%im.OW)
		j += n
	}
}

// matrix writes patches j0 to j1 as a matrix of patch() rows, dst[r*(j1-j0) + j-j0].
func (im *patchImage[T]) matrix(dst []T, j0, j1 int) {
	size := int(unsafe.Sizeof(im.data[0]))
	im.runs(j0, j1, func(j, n, at int) {
		for r := range im.patch() {
			copy(dst[r*(j1-j0)+j-j0:][:n], im.data[im.rowAt[r]/size+at:])
		}
	})
}

// packPatches packs rows k0 to k1 of the matrix of patches j0 to j1. Runs are copied in pieces as wide as a panel: what a
// piece writes too much, the next piece, row or panel overwrites.
func (s *strips) packPatches(panels int) {
	width := s.e.columns
	for n := range panels {
		j0, count := s.j0+n*width, 0
		s.image.runs(j0, min(j0+width, s.j1), func(j, _, at int) {
			s.pieces.at[count] = place{dst: (j - j0) * 4, src: at * 4}
			count++
		})
		s.copyPieces(s.packedB[n*s.bPanel:], s.image.data, s.image.rowAt[s.k0:], width, width, s.k1-s.k0, count)
	}
}

// scatter is the transpose of patchImage.matrix: it adds the matrix's elements to the places of x that they came from.
func scatter[T Float](s ConvShape, x, src []T, j0, j1 int) {
	n := j1 - j0
	for r := range s.patch() {
		c, u, v := r/(s.KH*s.KW), r/s.KW%s.KH, r%s.KW
		row := src[r*n:][:n]
		ow0, ow1 := reach(s.OW, s.W, s.StrideW, v*s.DilationW-s.PadW)
		for i := j0 / s.OW; i*s.OW < j1; i++ {
			lo, hi := max(j0, i*s.OW+ow0), min(j1, i*s.OW+ow1)
			h := i*s.StrideH + u*s.DilationH - s.PadH
			if h < 0 || h >= s.H || lo >= hi {
				continue
			}
			out := x[(c*s.H+h)*s.W:][:s.W]
			p := (lo-i*s.OW)*s.StrideW + v*s.DilationW - s.PadW
			for _, g := range row[lo-j0 : hi-j0] {
				out[p] += g
				p += s.StrideW
			}
		}
	}
}

// reach returns the first and last+1 of the windows [0, n) along one axis whose element lies within [0, size), where
// window i looks at i*stride + offset.
func reach(n, size, stride, offset int) (lo, hi int) {
	lo = max(0, -floorDiv(offset, stride))
	hi = min(n, floorDiv(size-1-offset, stride)+1)
	return min(lo, n), max(hi, min(lo, n))
}
