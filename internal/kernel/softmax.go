package kernel

import (
	"fmt"
	"math"
)

var (
	softmaxRows32 = softmaxRowsGeneric[float32]
	softmaxGrad32 = softmaxGradGeneric[float32]
	softmaxRows64 = softmaxRowsGeneric[float64]
	softmaxGrad64 = softmaxGradGeneric[float64]
)

// rowGrain returns how many rows of n elements make a chunk worth another core, when an element costs cost times an addition.
func rowGrain(n, cost int) int { return max(1, elemGrain/(max(n, 1)*cost)) }

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
	if len(dst) == 0 {
		return
	}
	f := pick[func(dst, x []T, rows, n int)](softmaxRows32, softmaxRows64)
	grain := rowGrain(n, 4)
	if rows <= grain || Threads() == 1 {
		f(dst, x, rows, n)
		return
	}
	Parallel(rows, grain, func(lo, hi int) { f(dst[lo*n:hi*n], x[lo*n:hi*n], hi-lo, n) })
}

func softmaxRowsGeneric[T Float](dst, x []T, rows, n int) {
	for i := range rows {
		d, r := dst[i*n:(i+1)*n], x[i*n:(i+1)*n]
		m := math.Inf(-1)
		for _, v := range r {
			m = max(m, float64(v))
		}
		sum := 0.0
		for j, v := range r {
			e := math.Exp(float64(v) - m)
			sum += e
			d[j] = T(e)
		}
		s := T(1 / sum)
		for j := range d {
			d[j] *= s
		}
	}
}

// SoftmaxGrad computes gx[i,j] = y[i,j] (gy[i,j] - sum over k of gy[i,k] y[i,k]), where y = softmax(x); gx += ... if acc.
// All are rows x n; gx may be gy.
func SoftmaxGrad[T Float](gx, gy, y []T, rows, n int, acc bool) {
	checkRows("SoftmaxGrad", rows, n, len(gx), len(gy), len(y))
	if len(gx) == 0 {
		return
	}
	f := pick[func(gx, gy, y []T, rows, n int, acc bool)](softmaxGrad32, softmaxGrad64)
	grain := rowGrain(n, 2)
	if rows <= grain || Threads() == 1 {
		f(gx, gy, y, rows, n, acc)
		return
	}
	Parallel(rows, grain, func(lo, hi int) {
		lo, hi = lo*n, hi*n
		f(gx[lo:hi], gy[lo:hi], y[lo:hi], (hi-lo)/n, n, acc)
	})
}

func softmaxGradGeneric[T Float](gx, gy, y []T, rows, n int, acc bool) {
	for i := range rows {
		d, g, r := gx[i*n:(i+1)*n], gy[i*n:(i+1)*n], y[i*n:(i+1)*n]
		sum := 0.0
		for j, v := range r {
			sum += float64(g[j]) * float64(v)
		}
		s := T(sum)
		for j, v := range r {
			put(&d[j], v*(g[j]-s), acc)
		}
	}
}
