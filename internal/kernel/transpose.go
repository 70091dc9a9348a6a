package kernel

import "fmt"

// A transpose goes by blocks of transposeRows x transposeCols: rows of 512 bytes are read at the speed of streams, and the
// lines of 128 rows being written stay in the first-level cache until they are full.
const (
	transposeRows = 512
	transposeCols = 128
)

// transposeFunc moves an r x c block: dst[j*ldd+i] = src[i*lds+j].
type transposeFunc[T Float] func(dst []T, ldd int, src []T, lds, r, c int)

var (
	transpose32 transposeFunc[float32] = transposeGeneric[float32]
	transpose64 transposeFunc[float64] = transposeGeneric[float64]
)

// Transpose computes dst[k,j,i] = x[k,i,j]: x is batch x rows x cols, dst batch x cols x rows. They must not overlap.
func Transpose[T Float](dst, x []T, batch, rows, cols int) {
	if n := batch * rows * cols; batch < 0 || rows < 0 || cols < 0 || len(dst) != n || len(x) != n {
		panic(fmt.Sprintf("kernel: Transpose: slices of %d and %d elements are not %d x %d x %d", len(dst), len(x), batch, rows, cols))
	}
	if len(x) == 0 {
		return
	}
	if rows == 1 || cols == 1 {
		copy(dst, x)
		return
	}
	t := transposition[T]{dst: dst, x: x, rows: rows, cols: cols, down: (rows + transposeRows - 1) / transposeRows, across: (cols + transposeCols - 1) / transposeCols}
	ParallelWith(batch*t.down*t.across, 1, t)
}

// transposition is one call's work: down x across blocks for each of the batch.
type transposition[T Float] struct {
	dst, x       []T
	rows, cols   int
	down, across int
}

func (t *transposition[T]) Chunk(lo, hi int) {
	f, rows, cols := pick[transposeFunc[T]](transpose32, transpose64), t.rows, t.cols
	for s := lo; s < hi; s++ {
		k, i, j := s/(t.down*t.across), s/t.across%t.down*transposeRows, s%t.across*transposeCols
		r, c := min(transposeRows, rows-i), min(transposeCols, cols-j)
		f(t.dst[(k*cols+j)*rows+i:], rows, t.x[(k*rows+i)*cols+j:], cols, r, c)
	}
}

func transposeGeneric[T Float](dst []T, ldd int, src []T, lds, r, c int) {
	const tile = 32
	for i0 := 0; i0 < r; i0 += tile {
		i1 := min(i0+tile, r)
		for j := range c {
			d := dst[j*ldd+i0 : j*ldd+i1]
			p := i0*lds + j
			for i := range d {
				d[i] = src[p]
				p += lds
			}
		}
	}
}
