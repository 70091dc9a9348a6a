package autograd

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Gather returns the samples of x with the given indices, in that order: y[i] = x[index[i]] along the first axis. An index may
// come several times; the gradients of x[s] are those of its copies, added in their order.
func Gather(x *Value, index []int) *Value {
	t := on("Gather", x)
	if x.Rank() < 1 {
		panic("autograd: Gather: a scalar has no samples")
	}
	nb := x.Shape[0]
	for _, s := range index {
		if s < 0 || s >= nb {
			panic(fmt.Sprintf("autograd: Gather: no sample %d in shape %v", s, x.Shape))
		}
	}
	n := sizeOf(x.Shape[1:])
	out := t.allocWith(x.Shape, 0, len(index))
	kept := t.KeepInts(index)
	kernel.ParallelWith(len(kept), kernel.RowGrain(n, 1), gathering{out.Data, x.Data, kept, n})
	return Record("Gather", out, []*Value{x}, gatherGrad{x, kept})
}

// gathering copies samples of n elements.
type gathering struct {
	dst, src []float32
	index    []int
	n        int
}

func (a *gathering) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		copy(a.dst[i*a.n:][:a.n], a.src[a.index[i]*a.n:][:a.n])
	}
}

type gatherGrad struct {
	x     *Value
	index []int
}

func (o *gatherGrad) Backward(g *Grads, gy []float32) {
	gx, n := g.Zeroed(o.x), sizeOf(o.x.Shape[1:])
	kernel.ParallelWith(o.x.Shape[0], kernel.RowGrain(n, 1), gatherAdd{gx, gy, o.index, n})
}

// gatherAdd adds the gradients of the copies of samples lo to hi to theirs.
type gatherAdd struct {
	gx, gy []float32
	index  []int
	n      int
}

func (a *gatherAdd) Chunk(lo, hi int) {
	for i, s := range a.index {
		if s >= lo && s < hi {
			gx := a.gx[s*a.n:][:a.n]
			kernel.Add(gx, gx, a.gy[i*a.n:][:a.n])
		}
	}
}
