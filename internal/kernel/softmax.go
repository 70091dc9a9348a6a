package kernel

import (
	"fmt"
	"math"
)

var (
	rowMax32 = rowMaxGeneric[float32]
	rowMax64 = rowMaxGeneric[float64]
	expSum32 = expSumGeneric[float32]
	expSum64 = expSumGeneric[float64]

	// mulShiftedElem is dst = (x - a) y.
	mulShiftedElem = elem{"SoftmaxGrad", mulShiftedGeneric[float32], mulShiftedGeneric[float64]}
)

func checkRows(name string, rows, n int, lengths ...int) {
	for _, l := range lengths {
		if rows < 0 || n < 0 || l != rows*n {
			panic(fmt.Sprintf("kernel: %s: slice of %d elements is not %d rows of %d", name, l, rows, n))
		}
	}
}

// Softmax computes dst[i,j] = exp(x[i,j] - m[i]) / sum over k of exp(x[i,k] - m[i]), m[i] = max over k of x[i,k]. dst and x are
// rows x n; dst may be x. A row that holds NaN or +Inf, or nothing but -Inf, becomes NaN.
func Softmax[T Float](dst, x []T, rows, n int) {
	checkRows("Softmax", rows, n, len(dst), len(x))
	grain := RowGrain(n, 4)
	if rows <= grain || Threads() == 1 {
		softmaxRows(dst, x, n)
		return
	}
	ParallelWith(rows, grain, softmaxCall[T]{dst, x, n})
}

type softmaxCall[T Float] struct {
	dst, x []T
	n      int
}

func (c *softmaxCall[T]) Chunk(lo, hi int) {
	softmaxRows(c.dst[lo*c.n:hi*c.n], c.x[lo*c.n:hi*c.n], c.n)
}

func softmaxRows[T Float](dst, x []T, n int) {
	largest := pick[func(x []T) T](rowMax32, rowMax64)
	expSum := pick[func(dst, x []T, m T) float64](expSum32, expSum64)
	scale := pick[elemFunc[T]](scaleElem.f32, scaleElem.f64)
	for ; len(x) > 0; dst, x = dst[n:], x[n:] {
		sum := expSum(dst[:n], x[:n], largest(x[:n]))
		scale(dst[:n], dst[:n], nil, T(1/sum), 0, false)
	}
}

// rowMaxGeneric returns the largest element. Where there is NaN, any element or NaN will do: the exponentials show it.
func rowMaxGeneric[T Float](x []T) T {
	m := T(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

// expSumGeneric computes dst = exp(x - m) and returns its sum.
func expSumGeneric[T Float](dst, x []T, m T) float64 {
	sum := 0.0
	for i, v := range x {
		e := math.Exp(float64(v) - float64(m))
		sum += e
		dst[i] = T(e)
	}
	return sum
}

// SoftmaxGrad computes gx[i,j] = y[i,j] (gy[i,j] - sum over k of gy[i,k] y[i,k]), where y = softmax(x); gx += ... if acc.
// All are rows x n; gx may be gy.
func SoftmaxGrad[T Float](gx, gy, y []T, rows, n int, acc bool) {
	checkRows("SoftmaxGrad", rows, n, len(gx), len(gy), len(y))
	grain := RowGrain(n, 2)
	if rows <= grain || Threads() == 1 {
		softmaxGradRows(gx, gy, y, n, acc)
		return
	}
	ParallelWith(rows, grain, softmaxGradCall[T]{gx, gy, y, n, acc})
}

type softmaxGradCall[T Float] struct {
	gx, gy, y []T
	n         int
	acc       bool
}

func (c *softmaxGradCall[T]) Chunk(lo, hi int) {
	softmaxGradRows(c.gx[lo*c.n:hi*c.n], c.gy[lo*c.n:hi*c.n], c.y[lo*c.n:hi*c.n], c.n, c.acc)
}

func softmaxGradRows[T Float](gx, gy, y []T, n int, acc bool) {
	dot := pick[func(x, y []T) float64](dotReducer.f32, dotReducer.f64)
	mulShifted := pick[elemFunc[T]](mulShiftedElem.f32, mulShiftedElem.f64)
	for ; len(y) > 0; gx, gy, y = gx[n:], gy[n:], y[n:] {
		mulShifted(gx[:n], gy[:n], y[:n], T(dot(gy[:n], y[:n])), 0, acc)
	}
}

func mulShiftedGeneric[T Float](dst, x, y []T, a, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], (x[i]-a)*y[i], acc)
	}
}
