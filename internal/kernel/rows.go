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
	grain := RowGrain(n, 1)
	if rows <= grain || Threads() == 1 {
		rowSpan(f, dst, x, v, rows, n, acc)
		return
	}
	ParallelWith(rows, grain, rowCall[T]{f, dst, x, v, n, acc})
}

type rowCall[T Float] struct {
	f         elemFunc[T]
	dst, x, v []T
	n         int
	acc       bool
}

func (c *rowCall[T]) Chunk(lo, hi int) {
	rowSpan(c.f, c.dst[lo*c.n:hi*c.n], c.x[lo*c.n:hi*c.n], c.v, hi-lo, c.n, c.acc)
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
	a := colSum[T]{newRowSums(rows, n, n), x}
	ParallelWith(a.chunks, 1, a)
	storeSums(dst, a.total(), acc)
	a.release()
}

type colSum[T Float] struct {
	rowSums
	x []T
}

func (a *colSum[T]) Chunk(first, end int) {
	for c := first; c < end; c++ {
		sum, lo, hi := a.chunk(c)
		pick[func(sum []float64, x []T, rows, n int)](colSum32, colSum64)(sum, a.x[lo*a.n:hi*a.n], hi-lo, a.n)
	}
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
	a := colDot[T]{newRowSums(rows, n, n), x, y}
	ParallelWith(a.chunks, 1, a)
	storeSums(dst, a.total(), acc)
	a.release()
}

type colDot[T Float] struct {
	rowSums
	x, y []T
}

func (a *colDot[T]) Chunk(first, end int) {
	for c := first; c < end; c++ {
		sum, lo, hi := a.chunk(c)
		pick[func(sum []float64, x, y []T, rows, n int)](colDot32, colDot64)(sum, a.x[lo*a.n:hi*a.n], a.y[lo*a.n:hi*a.n], hi-lo, a.n)
	}
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
	ParallelWith(len(dst), elemGrain/count, sumGroups[T]{dst, parts, count, stride, acc})
}

type sumGroups[T Float] struct {
	dst, parts    []T
	count, stride int
	acc           bool
}

func (s *sumGroups[T]) Chunk(lo, hi int) {
	f := pick[elemFunc[T]](addElem.f32, addElem.f64)
	d, g := s.dst[lo:hi], 0
	if !s.acc {
		copy(d, s.parts[lo:hi])
		g = 1
	}
	for ; g < s.count; g++ {
		f(d, d, s.parts[g*s.stride+lo:][:hi-lo], 0, 0, false)
	}
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

// maxRowChunks bounds the partial sums of rowSums.
const maxRowChunks = 32

var sumScratch = sync.Pool{New: func() any { return new([]float64) }}

// rowSums is where width sums over rows of n elements are added up, over chunks of rows that depend on the sizes alone.
type rowSums struct {
	rows, n, width int
	size, chunks   int        // rows of a chunk
	sums           *[]float64 // width of every chunk
}

func newRowSums(rows, n, width int) rowSums {
	size := max(RowGrain(n, 1), (rows+maxRowChunks-1)/maxRowChunks)
	a := rowSums{rows: rows, n: n, width: width, size: size, chunks: max(1, (rows+size-1)/size), sums: sumScratch.Get().(*[]float64)}
	*a.sums = grow(*a.sums, a.chunks*width)
	clear(*a.sums)
	return a
}

// chunk returns the sums of chunk c, over rows lo to hi.
func (a *rowSums) chunk(c int) (sum []float64, lo, hi int) {
	return (*a.sums)[c*a.width:][:a.width], c * a.size, min((c+1)*a.size, a.rows)
}

// total returns the sums of all chunks, added up in order.
func (a *rowSums) total() []float64 {
	total, _, _ := a.chunk(0)
	for c := 1; c < a.chunks; c++ {
		part, _, _ := a.chunk(c)
		for j, v := range part {
			total[j] += v
		}
	}
	return total
}

// release gives the memory of the sums back.
func (a *rowSums) release() { sumScratch.Put(a.sums) }

// RowSum computes dst[i] = sum over j of x[i,j], or adds it to dst if acc, in float64. x is rows x n.
func RowSum[T Float](dst, x []T, rows, n int, acc bool) {
	checkRows("RowSum", rows, n, len(x))
	checkRows("RowSum", rows, 1, len(dst))
	ParallelWith(rows, RowGrain(n, 1), rowSum[T]{dst, x, n, acc})
}

type rowSum[T Float] struct {
	dst, x []T
	n      int
	acc    bool
}

func (a *rowSum[T]) Chunk(lo, hi int) {
	f, n := pick[func(x, y []T) float64](sumReducer.f32, sumReducer.f64), a.n
	for i := lo; i < hi; i++ {
		put(&a.dst[i], T(f(a.x[i*n:(i+1)*n], nil)), a.acc)
	}
}

// RowDot computes dst[i] = sum over j of x[i,j] y[i,j], or adds it to dst if acc, in float64. x and y are rows x n.
func RowDot[T Float](dst, x, y []T, rows, n int, acc bool) {
	checkRows("RowDot", rows, n, len(x), len(y))
	checkRows("RowDot", rows, 1, len(dst))
	ParallelWith(rows, RowGrain(n, 1), rowDot[T]{dst, x, y, n, acc})
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
	ParallelWith(rows, RowGrain(n, 1), scaleShiftRows[T]{dst, x, scale, shift, n, acc})
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
