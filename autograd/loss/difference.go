package loss

import (
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// L1 returns the mean absolute error.
func L1(pred, target *autograd.Value) *autograd.Value { return difference("L1", pred, target, 1, 0) }

// MSE returns the mean squared error.
func MSE(pred, target *autograd.Value) *autograd.Value { return difference("MSE", pred, target, 0, 1) }

// L1L2 returns a L1 + b MSE in one pass.
func L1L2(pred, target *autograd.Value, a, b float64) *autograd.Value {
	return difference("L1L2", pred, target, a, b)
}

func difference(name string, x, y *autograd.Value, a, b float64) *autograd.Value {
	same(name, x, y, 0)
	v, grad := l1l2(x.Data, y.Data, a, b)
	return scalar(name, x, y, v, grad)
}

// l1l2 computes the mean over i of a |d| + b d^2, d = x[i] - y[i].
func l1l2[T kernel.Float](x, y []T, a, b float64) (float64, gradient[T]) {
	n := float64(len(x))
	v := sum(len(x), func(lo, hi int) float64 {
		s1, s2 := 0.0, 0.0
		for i, xi := range x[lo:hi] {
			d := float64(xi) - float64(y[lo+i])
			s1 += math.Abs(d)
			s2 += d * d
		}
		return a*s1 + b*s2
	})
	return v / n, func(gx, gy, g []T) {
		a, b := a*float64(g[0])/n, 2*b*float64(g[0])/n
		kernel.Parallel(len(x), span, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				d := float64(x[i]) - float64(y[i])
				t := T(a*sign(d) + b*d)
				if gx != nil {
					gx[i] += t
				}
				if gy != nil {
					gy[i] -= t
				}
			}
		})
	}
}
