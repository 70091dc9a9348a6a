package kernel

import "unsafe"

// patchImage holds some rows of windows of one group of one image, laid out so that the windows of a row look at
// consecutive elements: with zeros for padding, and for strides sh, sw the rows and columns sorted by their remainders,
//
//	data[c, a, b, q, z] = x[c, (top+q) sh + a - PadH, z sw + b - PadW],   c x remH x remW x rows x pitch.
//
// Window (i, j) meets tap (u, v) at remainders u DilationH mod sh and v DilationW mod sw, row i - top + u DilationH / sh and
// column j + v DilationW / sw.
type patchImage[T Float] struct {
	ConvShape
	data        []T
	rowAt       []int // offset in bytes of every (c, u, v), and as many more as copyPieces looks ahead
	top         int
	remH, remW  int // remainders
	rows, pitch int
}

// patchSlack is how many elements past the end of data may be read.
const patchSlack = 64

// load lays out rows top to bottom of the windows of x, the channels of one group.
func (im *patchImage[T]) load(s ConvShape, x []T, top, bottom int) {
	im.shape(s, top, bottom)
	im.channels(x, 0, s.C/s.Groups)
}

// shape prepares for rows top to bottom of the windows.
func (im *patchImage[T]) shape(s ConvShape, top, bottom int) {
	rows := bottom - top + (s.KH-1)*s.DilationH/s.StrideH
	im.top = top
	if im.ConvShape != s || im.rows != rows {
		im.ConvShape, im.rows, im.pitch = s, rows, s.OW+(s.KW-1)*s.DilationW/s.StrideW
		im.remH, im.remW = min(s.StrideH, (s.KH-1)*s.DilationH+1), min(s.StrideW, (s.KW-1)*s.DilationW+1)
		im.rowAt = im.rowAt[:0]
		for r := range s.patch() + rowsAhead {
			im.rowAt = append(im.rowAt, im.tap(r)*int(unsafe.Sizeof(T(0))))
		}
	}
	im.data = grow(im.data, s.C/s.Groups*im.channel()+patchSlack)
}

// channel is how many elements a channel takes.
func (im *patchImage[T]) channel() int { return im.remH * im.remW * im.rows * im.pitch }

// fetchChannels is how many channels ahead their rows are fetched.
const fetchChannels = 8

// channels lays out channels c0 to c1 of x.
func (im *patchImage[T]) channels(x []T, c0, c1 int) {
	row := c0 * im.remH * im.remW * im.rows
	first, last := max(0, im.top*im.StrideH-im.PadH), min(im.H, (im.top+im.rows)*im.StrideH-im.PadH) // rows of x
	for c := c0; c < c1; c++ {
		// Channels lie far apart: no hardware guesses the next one.
		if next := c + fetchChannels; next < c1 && first < last {
			fetchLines(unsafe.Pointer(&x[(next*im.H+first)*im.W]), uintptr(last-first)*uintptr(im.W)*unsafe.Sizeof(x[0]))
		}
		for a := range im.remH {
			for b := range im.remW {
				lo, hi := reach(im.pitch, im.W, im.StrideW, b-im.PadW)
				for q := range im.rows {
					dst := im.data[row*im.pitch:][:im.pitch]
					row++
					h := (im.top+q)*im.StrideH + a - im.PadH
					if h < 0 || h >= im.H || lo >= hi {
						clear(dst)
						continue
					}
					for z := range lo { // few: clear would take longer to call
						dst[z] = 0
					}
					for z := hi; z < len(dst); z++ {
						dst[z] = 0
					}
					src, dst := x[(c*im.H+h)*im.W+lo*im.StrideW+b-im.PadW:], dst[lo:hi]
					if im.StrideW == 1 {
						copy(dst, src)
						continue
					}
					for z := range dst {
						dst[z] = src[z*im.StrideW]
					}
				}
			}
		}
	}
}

// tap is the offset of the element that window (top, 0) meets at r = (c, u, v), rows of the patch matrix in order.
func (im *patchImage[T]) tap(r int) int {
	c, u, v := r/(im.KH*im.KW), r/im.KW%im.KH*im.DilationH, r%im.KW*im.DilationW
	return (((c*im.remH+u%im.StrideH)*im.remW+v%im.StrideW)*im.rows+u/im.StrideH)*im.pitch + v/im.StrideW
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
	size := int(unsafe.Sizeof(T(0)))
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

// reach returns the first and last+1 of the windows [0, n) along one axis whose element lies within [0, size), where
// window i looks at i*stride + offset.
func reach(n, size, stride, offset int) (lo, hi int) {
	lo = max(0, -floorDiv(offset, stride))
	hi = min(n, floorDiv(size-1-offset, stride)+1)
	return min(lo, n), max(hi, min(lo, n))
}
