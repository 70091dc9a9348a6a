package autograd

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Narrow returns the part start .. start+n-1 of x along one axis. Along the first axis nothing is copied.
func Narrow(x *Value, axis, start, n int) *Value {
	t := on("Narrow", x)
	axis = axisIndex("Narrow", x, axis)
	if start < 0 || n < 0 || start+n > x.Shape[axis] {
		panic(fmt.Sprintf("autograd: Narrow: %d from %d on along axis %d of shape %v", n, start, axis, x.Shape))
	}
	if n == x.Shape[axis] {
		return x
	}
	outer, inner := sizeOf(x.Shape[:axis]), sizeOf(x.Shape[axis+1:])
	whole, part, from := x.Shape[axis]*inner, n*inner, start*inner
	var out *Tensor
	if outer == 1 {
		out = t.view(x.Data[from:from+part], x.Shape)
		out.Shape[axis] = n
	} else {
		out = t.allocWith(x.Shape, axis, n)
		moveRuns(out.Data, part, behind(x.Data, from), whole, part, outer, false)
	}
	return Record("Narrow", out, []*Value{x}, narrowGrad{x, whole, part, from, outer})
}

// narrowGrad is the way back from outer parts of a whole each, of part elements from the given one on.
type narrowGrad struct {
	x                        *Value
	whole, part, from, outer int
}

func (o *narrowGrad) Backward(g *Grads, gy []float32) {
	moveRuns(behind(g.Zeroed(o.x), o.from), o.whole, gy, o.part, o.part, o.outer, true)
}

// Concat joins tensors along one axis; the other axes agree.
func Concat(axis int, xs ...*Value) *Value {
	if len(xs) == 0 {
		panic("autograd: Concat: nothing to join")
	}
	t := on("Concat", xs...)
	axis = axisIndex("Concat", xs[0], axis)
	n := 0
	for _, x := range xs {
		if x.Rank() != xs[0].Rank() || !slices.Equal(x.Shape[:axis], xs[0].Shape[:axis]) || !slices.Equal(x.Shape[axis+1:], xs[0].Shape[axis+1:]) {
			panic(fmt.Sprintf("autograd: Concat: shapes %v and %v differ beside axis %d", xs[0].Shape, x.Shape, axis))
		}
		n += x.Shape[axis]
	}
	out := t.allocWith(xs[0].Shape, axis, n)
	outer, inner := sizeOf(out.Shape[:axis]), sizeOf(out.Shape[axis+1:])
	whole := n * inner
	from := 0
	for _, x := range xs {
		part := x.Shape[axis] * inner
		moveRuns(behind(out.Data, from), whole, x.Data, part, part, outer, false)
		from += part
	}
	return Record("Concat", out, xs, concatGrad{t.values.keep(xs), axis, outer, inner, whole})
}

type concatGrad struct {
	xs                        []*Value
	axis, outer, inner, whole int
}

func (o *concatGrad) Backward(g *Grads, gy []float32) {
	from := 0
	for _, x := range o.xs {
		part := x.Shape[o.axis] * o.inner
		if x.grad {
			gx, acc := g.Buffer(x)
			moveRuns(gx, part, behind(gy, from), o.whole, part, o.outer, acc)
		}
		from += part
	}
}

// behind returns what comes behind the first n elements of b: nothing where a batch of none leaves b empty.
func behind(b []float32, n int) []float32 { return b[min(n, len(b)):] }

// moveRuns copies, or adds if acc, count runs of n floats between places that lie one stride apart.
func moveRuns(dst []float32, dstStride int, src []float32, srcStride, n, count int, acc bool) {
	if n == 0 {
		return
	}
	kernel.ParallelWith(count, kernel.RowGrain(n, 1), moving{dst, src, dstStride, srcStride, n, acc})
}

type moving struct {
	dst, src                []float32
	dstStride, srcStride, n int
	acc                     bool
}

func (m *moving) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		d, s := m.dst[i*m.dstStride:][:m.n], m.src[i*m.srcStride:][:m.n]
		if m.acc {
			for j, v := range s {
				d[j] += v
			}
		} else {
			copy(d, s)
		}
	}
}
