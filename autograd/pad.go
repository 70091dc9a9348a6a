package autograd

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
)

// PadMode says what Pad puts around a tensor.
type PadMode int

// The ways to continue 1 2 3 4 by two points to both sides.
const (
	PadZeros     PadMode = PadMode(kernel.PadZeros)     // 0 0 | 1 2 3 4 | 0 0
	PadReflect   PadMode = PadMode(kernel.PadReflect)   // 3 2 | 1 2 3 4 | 3 2
	PadReplicate PadMode = PadMode(kernel.PadReplicate) // 1 1 | 1 2 3 4 | 4 4
	PadCircular  PadMode = PadMode(kernel.PadCircular)  // 3 4 | 1 2 3 4 | 1 2
)

// Pad extends up to three last axes of x. pads holds two numbers per axis, before and after, the last axis first, as PyTorch has
// them: {left, right, top, bottom} for images. Negative numbers crop. Reflection adds less than the axis holds, the circular mode
// at most as much.
func Pad(x *Value, pads []int, mode PadMode) *Value {
	n := len(pads) / 2
	if len(pads)%2 != 0 || n > 3 || n > x.Rank() {
		panic(fmt.Sprintf("autograd: Pad: %v does not fit shape %v", pads, x.Shape))
	}
	if n == 0 {
		return x
	}
	first := x.Rank() - n
	outer := sizeOf(x.Shape[:first])
	shape := append(make([]int, 0, 8), x.Shape...)
	axes := make([]kernel.PadAxis, n)
	for i := range axes {
		k := 2 * (n - 1 - i)
		axes[i] = kernel.PadAxis{N: x.Shape[first+i], Before: pads[k], After: pads[k+1]}
		shape[first+i] = axes[i].Out()
	}
	out := x.tape.Alloc(shape...)
	kernel.Pad(out.Data, x.Data, kernel.Padding(mode), outer, axes...)
	return Record("Pad", out, []*Value{x}, BackwardFunc(func(g *Grads, gy []float32) {
		gx, acc := g.Buffer(x)
		kernel.PadGrad(gx, gy, kernel.Padding(mode), outer, acc, axes...)
	}))
}
