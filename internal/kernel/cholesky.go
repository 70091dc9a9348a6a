package kernel

import "math"

// Blocks of cholesky: columns that are factored at once, and columns of what remains that a product changes at once, of which it spares
// the part above the diagonal.
const (
	choleskyBlock = 128
	choleskyWide  = 512
)

// Cholesky factors a symmetric matrix a, n x n of which it reads the lower triangle, into L L', in place: the lower triangle becomes L, the
// upper one is undefined. It reports whether a is positive definite; otherwise a is spoiled. n^3/3 operations, nearly all of them in
// products of blocks (Golub and Van Loan, Matrix Computations, section 4.2).
func Cholesky(a []float32, n int) bool {
	b := min(choleskyBlock, n)
	inverse, panel, minus := make([]float32, b*b), make([]float32, n*b), make([]float32, n*b)
	for k := 0; k < n; k += b {
		w := min(b, n-k)
		if !choleskyOne(a[k*n+k:], w, n) {
			return false
		}
		rest := n - k - w
		if rest == 0 {
			break
		}
		invertLower(inverse, a[k*n+k:], w, n)
		below := a[(k+w)*n+k:]
		Gemm(false, true, rest, w, w, below, n, inverse, w, panel, w, false)
		for i := range rest {
			row := panel[i*w:][:w]
			copy(below[i*n:], row)
			for j, v := range row {
				minus[i*w+j] = -v
			}
		}
		for c := 0; c < rest; c += choleskyWide {
			Gemm(false, true, rest-c, min(choleskyWide, rest-c), w, minus[c*w:], w, panel[c*w:], w, below[c*n+w+c:], n, true)
		}
	}
	return true
}

// choleskyOne is Cholesky of w x w of rows of n elements.
func choleskyOne(a []float32, w, n int) bool {
	for i := range w {
		ri := a[i*n:][:w]
		for j := range i + 1 {
			rj := a[j*n:][:w]
			sum := ri[j]
			for l := range j {
				sum -= ri[l] * rj[l]
			}
			switch {
			case j < i:
				ri[j] = sum / rj[j]
			case !(sum > 0):
				return false
			default:
				ri[i] = float32(math.Sqrt(float64(sum)))
			}
		}
	}
	return true
}

// invertLower stores the inverse of a lower triangular matrix, w x w of rows of n elements, in dst, rows of w elements.
func invertLower(dst, l []float32, w, n int) {
	clear(dst[:w*w])
	for c := range w {
		dst[c*w+c] = 1 / l[c*n+c]
		for i := c + 1; i < w; i++ {
			row, sum := l[i*n:][:w], float32(0)
			for k := c; k < i; k++ {
				sum -= row[k] * dst[k*w+c]
			}
			dst[i*w+c] = sum / row[i]
		}
	}
}

// CholeskySolve replaces x by the solution y of L L' y = x, with L as Cholesky leaves it.
func CholeskySolve(l []float32, n int, x []float32) {
	CholeskyForward(l, n, x)
	CholeskyBackward(l, n, x)
}

// CholeskyForward replaces x by the solution y of L y = x.
func CholeskyForward(l []float32, n int, x []float32) {
	for i := range n {
		x[i] = float32(float64(x[i])-Dot(l[i*n:][:i], x[:i])) / l[i*n+i]
	}
}

// CholeskyBackward replaces x by the solution y of L' y = x.
func CholeskyBackward(l []float32, n int, x []float32) {
	for i := n - 1; i >= 0; i-- {
		x[i] /= l[i*n+i]
		Axpy(x[:i], -x[i], l[i*n:][:i])
	}
}
