package autograd

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Gather returns the samples of x with the given indices, in that order: y[i] = x[index[i]] along the first axis. An index may
// come several times; the gradients of x[s] are those of its copies, added in their order.
func Gather(x *Value, index []int) *Value {
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
	copies := make([][]int, nb)
	for i, s := range index {
		copies[s] = append(copies[s], i)
	}
	out := x.tape.allocWith(x.Shape, 0, len(index))
	kernel.Parallel(nb, grain(n), func(lo, hi int) {
		for s := lo; s < hi; s++ {
			for _, i := range copies[s] {
				copy(out.Data[i*n:][:n], x.Data[s*n:][:n])
			}
		}
	})
	return Record("Gather", out, []*Value{x}, BackwardFunc(func(g *Grads, gy []float32) {
		gx := g.Zeroed(x)
		kernel.Parallel(nb, grain(n), func(lo, hi int) {
			for s := lo; s < hi; s++ {
				for _, i := range copies[s] {
					kernel.Add(gx[s*n:][:n], gx[s*n:][:n], gy[i*n:][:n])
				}
			}
		})
	}))
}
