package kernel

import "fmt"

// TransposeBlock computes dst[j*ldd+i] = x[i*ldx+j] for i < rows and j < cols, on the caller's thread: a transpose from and to parts of
// larger matrices. They must not overlap.
func TransposeBlock[T Float](dst []T, ldd int, x []T, ldx, rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	if ldd < rows || ldx < cols || (cols-1)*ldd+rows > len(dst) || (rows-1)*ldx+cols > len(x) {
		panic(fmt.Sprintf("kernel: TransposeBlock: %d x %d from rows %d apart in %d elements to rows %d apart in %d", rows, cols, ldx, len(x), ldd, len(dst)))
	}
	pick[transposeFunc[T]](transpose32, transpose64)(dst, ldd, x, ldx, rows, cols)
}
