package kernel

import "fmt"

// transposeTile is the edge of the square blocks that a transpose moves: 32 rows of 128 bytes stay in the first-level cache
// and use every line they fetch.
const transposeTile = 32

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
	f := pick[transposeFunc[T]](transpose32, transpose64)
	if rows == 1 || cols == 1 {
		copy(dst, x)
		return
	}
	// A strip is up to transposeTile rows of dst; strips of the batch follow each other.
	strips := (cols + transposeTile - 1) / transposeTile
	body := func(lo, hi int) {
		for s := lo; s < hi; s++ {
			k, j := s/strips, s%strips*transposeTile
			c := min(transposeTile, cols-j)
			f(dst[(k*cols+j)*rows:], rows, x[k*rows*cols+j:], cols, rows, c)
		}
	}
	Parallel(batch*strips, rowGrain(rows*transposeTile, 1), body)
}

func transposeGeneric[T Float](dst []T, ldd int, src []T, lds, r, c int) {
	for i0 := 0; i0 < r; i0 += transposeTile {
		i1 := min(i0+transposeTile, r)
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
