package kernel

import (
	"fmt"
	"math"
)

// Reductions cut their operands into at most maxReduce chunks whose size depends on the length alone, reduce each in float64,
// and combine the results in order. So they do not depend on the number of threads.
const (
	reduceGrain = 1 << 14
	maxReduce   = 256
)

// reducer is a reduction: the body over one chunk, for each element type. y is nil for reductions of one operand.
type reducer struct {
	f32 func(x, y []float32) float64
	f64 func(x, y []float64) float64
}

var (
	sumReducer        = reducer{sumGeneric[float32], sumGeneric[float64]}
	dotReducer        = reducer{dotGeneric[float32], dotGeneric[float64]}
	sumSquaresReducer = reducer{sumSquaresGeneric[float32], sumSquaresGeneric[float64]}
	maxAbsReducer     = reducer{maxAbsGeneric[float32], maxAbsGeneric[float64]}
)

func reduce[T Float](r *reducer, x, y []T, combine func(a, b float64) float64) float64 {
	f := pick[func(x, y []T) float64](r.f32, r.f64)
	n := len(x)
	size := reduceGrain * ((n + reduceGrain*maxReduce - 1) / (reduceGrain * maxReduce))
	if n <= size {
		return f(x, y)
	}
	buf := sumScratch.Get().(*[]float64)
	*buf = grow(*buf, (n+size-1)/size)
	ParallelWith(len(*buf), 2, reduction[T]{f, x, y, size, *buf})
	total := (*buf)[0]
	for _, p := range (*buf)[1:] {
		total = combine(total, p)
	}
	sumScratch.Put(buf)
	return total
}

// reduction computes the parts of one call, of size elements each.
type reduction[T Float] struct {
	f     func(x, y []T) float64
	x, y  []T
	size  int
	parts []float64
}

func (r *reduction[T]) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		from, to := i*r.size, min((i+1)*r.size, len(r.x))
		var y []T
		if r.y != nil {
			y = r.y[from:to]
		}
		r.parts[i] = r.f(r.x[from:to], y)
	}
}

func plus(a, b float64) float64   { return a + b }
func larger(a, b float64) float64 { return max(a, b) }

// Sum returns the sum of x.
func Sum[T Float](x []T) float64 { return reduce(&sumReducer, x, nil, plus) }

func sumGeneric[T Float](x, _ []T) float64 {
	s := 0.0
	for _, v := range x {
		s += float64(v)
	}
	return s
}

// Dot returns the sum of x[i] y[i].
func Dot[T Float](x, y []T) float64 {
	if len(x) != len(y) {
		panic(fmt.Sprintf("kernel: Dot: lengths %d and %d differ", len(x), len(y)))
	}
	return reduce(&dotReducer, x, y, plus)
}

func dotGeneric[T Float](x, y []T) float64 {
	s := 0.0
	for i, v := range x {
		s += float64(v) * float64(y[i])
	}
	return s
}

// SumSquares returns the sum of x[i]^2.
func SumSquares[T Float](x []T) float64 { return reduce(&sumSquaresReducer, x, nil, plus) }

func sumSquaresGeneric[T Float](x, _ []T) float64 { return dotGeneric(x, x) }

// MaxAbs returns the largest |x[i]|: 0 for no elements, NaN if any is NaN.
func MaxAbs[T Float](x []T) float64 { return reduce(&maxAbsReducer, x, nil, larger) }

func maxAbsGeneric[T Float](x, _ []T) float64 {
	m := 0.0
	for _, v := range x {
		m = max(m, math.Abs(float64(v)))
	}
	return m
}

// AllFinite reports whether no element of x is NaN or infinite.
func AllFinite[T Float](x []T) bool { return MaxAbs(x) <= math.MaxFloat64 }
