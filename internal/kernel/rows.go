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
	f := pick[func(sum []float64, x []T, rows, n int)](colSum32, colSum64)
	sumRows(rows, n, n, func(sum []float64, lo, hi int) { f(sum, x[lo*n:hi*n], hi-lo, n) },
		func(sum []float64) { storeSums(dst, sum, acc) })
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
	f := pick[func(sum []float64, x, y []T, rows, n int)](colDot32, colDot64)
	sumRows(rows, n, n, func(sum []float64, lo, hi int) { f(sum, x[lo*n:hi*n], y[lo*n:hi*n], hi-lo, n) },
		func(sum []float64) { storeSums(dst, sum, acc) })
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

// sumRows lets body add the rows [lo, hi) of n elements to width zeroed sums, for all chunks of rows, adds up the chunks' sums
// in order and hands them to done.
func sumRows(rows, n, width int, body func(sum []float64, lo, hi int), done func(sum []float64)) {
	size := max(rowGrain(n, 1), (rows+maxRowChunks-1)/maxRowChunks)
	chunks := max(1, (rows+size-1)/size)
	buf := sumScratch.Get().(*[]float64)
	defer sumScratch.Put(buf)
	if cap(*buf) < chunks*width {
		*buf = make([]float64, chunks*width)
	}
	sums := (*buf)[:chunks*width]
	clear(sums)
	Parallel(chunks, 1, func(lo, hi int) {
		for c := lo; c < hi; c++ {
			body(sums[c*width:(c+1)*width], c*size, min((c+1)*size, rows))
		}
	})
	for c := 1; c < chunks; c++ {
		for j, v := range sums[c*width : (c+1)*width] {
			sums[j] += v
		}
	}
	done(sums[:width])
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
	f := pick[func(x, y []T) float64](dotReducer.f32, dotReducer.f64)
	Parallel(rows, rowGrain(n, 1), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			put(&dst[i], T(f(x[i*n:(i+1)*n], y[i*n:(i+1)*n])), acc)
		}
	})
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
	f := pick[elemFunc[T]](scaleShiftElem.f32, scaleShiftElem.f64)
	Parallel(rows, rowGrain(n, 1), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			a, b := T(1), T(0)
			if scale != nil {
				a = scale[i]
			}
			if shift != nil {
				b = shift[i]
			}
			f(dst[i*n:(i+1)*n], x[i*n:(i+1)*n], nil, a, b, acc)
		}
	})
}
