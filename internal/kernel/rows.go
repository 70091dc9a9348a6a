package kernel

import (
	"fmt"
	"sync"
)

var (
	colSum32 = colSumGeneric[float32]
	colSum64 = colSumGeneric[float64]
	colDot32 = colDotGeneric[float32]
	colDot64 = colDotGeneric[float64]
)

// eachRow runs op on every row of x, with the one row v as second operand of all.
func eachRow[T Float](name string, op *elem, dst, x, v []T, rows, n int, acc bool) {
	checkRows(name, rows, n, len(dst), len(x))
	if len(v) != n {
		panic(fmt.Sprintf("kernel: %s: row of %d elements for %d columns", name, len(v), n))
	}
	f := pick[elemFunc[T]](op.f32, op.f64)
	grain := rowGrain(n, 1)
	if rows <= grain || Threads() == 1 {
		rowSpan(f, dst, x, v, rows, n, acc)
		return
	}
	Parallel(rows, grain, func(lo, hi int) { rowSpan(f, dst[lo*n:hi*n], x[lo*n:hi*n], v, hi-lo, n, acc) })
}

func rowSpan[T Float](f elemFunc[T], dst, x, v []T, rows, n int, acc bool) {
	for i := range rows {
		f(dst[i*n:(i+1)*n], x[i*n:(i+1)*n], v, 0, 0, acc)
	}
}

// AddRow computes dst[i,j] = x[i,j] + v[j]. dst and x are rows x n, v has n elements; dst may be x.
func AddRow[T Float](dst, x, v []T, rows, n int) {
	eachRow("AddRow", &addElem, dst, x, v, rows, n, false)
}

// MulRow computes dst[i,j] = x[i,j] v[j]. dst and x are rows x n, v has n elements; dst may be x.
func MulRow[T Float](dst, x, v []T, rows, n int) {
	eachRow("MulRow", &mulElem, dst, x, v, rows, n, false)
}

// MulAddRow computes dst[i,j] += x[i,j] v[j].
func MulAddRow[T Float](dst, x, v []T, rows, n int) {
	eachRow("MulAddRow", &mulElem, dst, x, v, rows, n, true)
}

// MulRowGrad computes the gradients of y[i,j] = x[i,j] v[j]: gx[i,j] = gy[i,j] v[j] and gv[j] = sum over i of gy[i,j] x[i,j],
// each added to the destination if accX or accV. Either destination may be nil: it is not computed.
func MulRowGrad[T Float](gx, gv, gy, x, v []T, rows, n int, accX, accV bool) {
	if gv != nil {
		ColDot(gv, gy, x, rows, n, accV)
	}
	if gx != nil {
		eachRow("MulRowGrad", &mulElem, gx, gy, v, rows, n, accX)
	}
}

// ColSum computes dst[j] = sum over i of x[i,j], or adds it to dst if acc: in float64, over chunks of rows that depend on the
// sizes alone.
func ColSum[T Float](dst, x []T, rows, n int, acc bool) {
	checkCols("ColSum", dst, rows, n, len(x))
	sums := sumRows[T]{body: colSumChunk[T], x: x, rows: rows, n: n, width: n}.run()
	storeSums(dst, *sums, acc)
	sumScratch.Put(sums)
}

func colSumChunk[T Float](sum []float64, a *sumRows[T], lo, hi int) {
	pick[func(sum []float64, x []T, rows, n int)](colSum32, colSum64)(sum, a.x[lo*a.n:hi*a.n], hi-lo, a.n)
}

func colSumGeneric[T Float](sum []float64, x []T, rows, n int) {
	for i := range rows {
		for j, v := range x[i*n : (i+1)*n] {
			sum[j] += float64(v)
		}
	}
}

// ColDot computes dst[j] = sum over i of x[i,j] y[i,j], or adds it to dst if acc, as ColSum does.
func ColDot[T Float](dst, x, y []T, rows, n int, acc bool) {
	checkCols("ColDot", dst, rows, n, len(x), len(y))
	sums := sumRows[T]{body: colDotChunk[T], x: x, y: y, rows: rows, n: n, width: n}.run()
	storeSums(dst, *sums, acc)
	sumScratch.Put(sums)
}

func colDotChunk[T Float](sum []float64, a *sumRows[T], lo, hi int) {
	pick[func(sum []float64, x, y []T, rows, n int)](colDot32, colDot64)(sum, a.x[lo*a.n:hi*a.n], a.y[lo*a.n:hi*a.n], hi-lo, a.n)
}

func colDotGeneric[T Float](sum []float64, x, y []T, rows, n int) {
	for i := range rows {
		xs, ys := x[i*n:(i+1)*n], y[i*n:(i+1)*n]
		for j, v := range xs {
			sum[j] += float64(v) * float64(ys[j])
		}
	}
}

// AddColSum computes dst[j] += sum over i of x[i,j] on the caller's goroutine: for the chunks of a Parallel.
func AddColSum[T Float](dst, x []T, rows, n int) {
	checkCols("AddColSum", dst, rows, n, len(x))
	buf := sumScratch.Get().(*[]float64)
	*buf = grow(*buf, n)
	clear(*buf)
	pick[func(sum []float64, x []T, rows, n int)](colSum32, colSum64)(*buf, x, rows, n)
	storeSums(dst, *buf, true)
	sumScratch.Put(buf)
}

// AddColDot computes dst[j] += sum over i of x[i,j] y[i,j] on the caller's goroutine.
func AddColDot[T Float](dst, x, y []T, rows, n int) {
	checkCols("AddColDot", dst, rows, n, len(x), len(y))
	buf := sumScratch.Get().(*[]float64)
	*buf = grow(*buf, n)
	clear(*buf)
	pick[func(sum []float64, x, y []T, rows, n int)](colDot32, colDot64)(*buf, x, y, rows, n)
	storeSums(dst, *buf, true)
	sumScratch.Put(buf)
}

// Groups says how a sum over rows is cut into groups, the same for any number of threads: at least least rows each, and at most 32
// groups. What groups add up on their own, SumGroups adds in order.
func Groups(rows, least int) (size, count int) {
	size = max(least, (rows+maxRowChunks-1)/maxRowChunks)
	return size, max(1, (rows+size-1)/size)
}

// SumGroups computes dst[i] = sum over g < count of parts[g*stride+i], or adds it to dst if acc.
func SumGroups[T Float](dst, parts []T, count, stride int, acc bool) {
	if count < 1 || (count-1)*stride+len(dst) > len(parts) {
		panic(fmt.Sprintf("kernel: SumGroups: %d groups of %d elements, %d apart, in %d", count, len(dst), stride, len(parts)))
	}
	Parallel(len(dst), elemGrain/count, func(lo, hi int) {
		f := pick[elemFunc[T]](addElem.f32, addElem.f64)
		d, g := dst[lo:hi], 0
		if !acc {
			copy(d, parts[lo:hi])
			g = 1
		}
		for ; g < count; g++ {
			f(d, d, parts[g*stride+lo:][:hi-lo], 0, 0, false)
		}
	})
}

func checkCols[T Float](name string, dst []T, rows, n int, lengths ...int) {
	checkRows(name, rows, n, lengths...)
	if len(dst) != n {
		panic(fmt.Sprintf("kernel: %s: destination of %d elements for %d columns", name, len(dst), n))
	}
}

func storeSums[T Float](dst []T, sum []float64, acc bool) {
	for j := range dst {
		put(&dst[j], T(sum[j]), acc)
	}
}

// maxRowChunks bounds the partial sums of sumRows.
const maxRowChunks = 32

var sumScratch = sync.Pool{New: func() any { return new([]float64) }}

// sumRows is a sum over rows of what body makes of row by row: body adds rows lo to hi, of n elements of x and y, to width sums.
type sumRows[T Float] struct {
	body           func(sum []float64, a *sumRows[T], lo, hi int)
	x, y           []T
	mean, rstd     []T
	rows, n, width int
	size           int       // rows of a chunk
	sums           []float64 // width of every chunk
}

func (a *sumRows[T]) Chunk(lo, hi int) {
	for c := lo; c < hi; c++ {
		a.body(a.sums[c*a.width:(c+1)*a.width], a, c*a.size, min((c+1)*a.size, a.rows))
	}
}

// run returns the sums, those of chunks added up in order, in memory that is to be put back into sumScratch.
func (a sumRows[T]) run() *[]float64 {
	a.size = max(rowGrain(a.n, 1), (a.rows+maxRowChunks-1)/maxRowChunks)
	chunks := max(1, (a.rows+a.size-1)/a.size)
	buf := sumScratch.Get().(*[]float64)
	if cap(*buf) < chunks*a.width {
		*buf = make([]float64, chunks*a.width)
	}
	*buf = (*buf)[:chunks*a.width]
	a.sums = *buf
	clear(a.sums)
	ParallelWith(chunks, 1, a)
	for c := 1; c < chunks; c++ {
		for j, v := range a.sums[c*a.width : (c+1)*a.width] {
			a.sums[j] += v
		}
	}
	return buf
}

// RowSum computes dst[i] = sum over j of x[i,j], or adds it to dst if acc, in float64. x is rows x n.
func RowSum[T Float](dst, x []T, rows, n int, acc bool) {
	checkRows("RowSum", rows, n, len(x))
	checkRows("RowSum", rows, 1, len(dst))
	f := pick[func(x, y []T) float64](sumReducer.f32, sumReducer.f64)
	Parallel(rows, rowGrain(n, 1), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			put(&dst[i], T(f(x[i*n:(i+1)*n], nil)), acc)
		}
	})
}

// RowDot computes dst[i] = sum over j of x[i,j] y[i,j], or adds it to dst if acc, in float64. x and y are rows x n.
func RowDot[T Float](dst, x, y []T, rows, n int, acc bool) {
	checkRows("RowDot", rows, n, len(x), len(y))
	checkRows("RowDot", rows, 1, len(dst))
	ParallelWith(rows, rowGrain(n, 1), rowDot[T]{dst, x, y, n, acc})
}

type rowDot[T Float] struct {
	dst, x, y []T
	n         int
	acc       bool
}

func (a *rowDot[T]) Chunk(lo, hi int) {
	f, n := pick[func(x, y []T) float64](dotReducer.f32, dotReducer.f64), a.n
	for i := lo; i < hi; i++ {
		put(&a.dst[i], T(f(a.x[i*n:(i+1)*n], a.y[i*n:(i+1)*n])), a.acc)
	}
}

// ScaleShiftRows computes dst[i,j] = x[i,j] scale[i] + shift[i], or adds it to dst if acc: one factor and one summand per row of
// n elements. A nil scale means 1, a nil shift 0; dst may be x.
func ScaleShiftRows[T Float](dst, x, scale, shift []T, rows, n int, acc bool) {
	checkRows("ScaleShiftRows", rows, n, len(dst), len(x))
	for _, v := range [2][]T{scale, shift} {
		if v != nil {
			checkRows("ScaleShiftRows", rows, 1, len(v))
		}
	}
	ParallelWith(rows, rowGrain(n, 1), scaleShiftRows[T]{dst, x, scale, shift, n, acc})
}

type scaleShiftRows[T Float] struct {
	dst, x, scale, shift []T
	n                    int
	acc                  bool
}

func (s *scaleShiftRows[T]) Chunk(lo, hi int) {
	f, n := pick[elemFunc[T]](scaleShiftElem.f32, scaleShiftElem.f64), s.n
	for i := lo; i < hi; i++ {
		a, b := T(1), T(0)
		if s.scale != nil {
			a = s.scale[i]
		}
		if s.shift != nil {
			b = s.shift[i]
		}
		f(s.dst[i*n:(i+1)*n], s.x[i*n:(i+1)*n], nil, a, b, s.acc)
	}
}
