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
	l := l1l2[float32]{x.Data, y.Data, a, b}
	return scalar(name, x, y, l.value(), l)
}

// l1l2 is the mean over i of a |d| + b d^2, d = x[i] - y[i].
type l1l2[T kernel.Float] struct {
	x, y []T
	a, b float64
}

func (l *l1l2[T]) value() float64 {
	parts := scratch.Get((len(l.x) + span - 1) / span)
	defer scratch.Put(parts)
	kernel.ParallelWith(len(parts), 1, l1l2Sums[T]{*l, parts})
	return total(parts) / float64(len(l.x))
}

// l1l2Sums computes the sum of every span.
type l1l2Sums[T kernel.Float] struct {
	l1l2[T]
	parts []float64
}

func (l *l1l2Sums[T]) Chunk(first, end int) {
	for i := first; i < end; i++ {
		lo, hi := i*span, min((i+1)*span, len(l.x))
		s1, s2 := 0.0, 0.0
		for j, v := range l.x[lo:hi] {
			d := float64(v) - float64(l.y[lo+j])
			s1 += math.Abs(d)
			s2 += d * d
		}
		l.parts[i] = l.a*s1 + l.b*s2
	}
}

func (l *l1l2[T]) add(gx, gy, g []T) {
	n := float64(len(l.x))
	c := *l
	c.a, c.b = l.a*float64(g[0])/n, 2*l.b*float64(g[0])/n
	kernel.ParallelWith(len(l.x), span, l1l2Grad[T]{c, gx, gy})
}

// l1l2Grad adds a sign(d) + b d.
type l1l2Grad[T kernel.Float] struct {
	l1l2[T]
	gx, gy []T
}

func (l *l1l2Grad[T]) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		d := float64(l.x[i]) - float64(l.y[i])
		t := T(l.a*sign(d) + l.b*d)
		if l.gx != nil {
			l.gx[i] += t
		}
		if l.gy != nil {
			l.gy[i] -= t
		}
	}
}
