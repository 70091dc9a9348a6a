package autograd

import (
	"fmt"
	"slices"

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

var padModeNames = []string{PadZeros: "zeros", PadReflect: "reflect", PadReplicate: "replicate", PadCircular: "circular"}

// String returns "zeros", "reflect", "replicate" or "circular".
func (m PadMode) String() string {
	if m < 0 || int(m) >= len(padModeNames) {
		return fmt.Sprintf("PadMode(%d)", int(m))
	}
	return padModeNames[m]
}

// Pad extends up to three last axes of x. pads holds two numbers per axis, before and after, the last axis first, as PyTorch has
// them: {left, right, top, bottom} for images. Negative numbers crop. Reflection adds less than the axis holds, the circular mode
// at most as much.
func Pad(x *Value, pads []int, mode PadMode) *Value {
	t := on("Pad", x)
	n := len(pads) / 2
	if len(pads)%2 != 0 || n > 3 || n > x.Rank() {
		panic(fmt.Sprintf("autograd: Pad: %v does not fit shape %v", slices.Clone(pads), x.Shape))
	}
	if n == 0 {
		return x
	}
	first := x.Rank() - n
	o := padGrad{x: x, mode: kernel.Padding(mode), n: n, outer: sizeOf(x.Shape[:first])}
	shape := append(make([]int, 0, 8), x.Shape...)
	for i := range n {
		k := 2 * (n - 1 - i)
		o.axes[i] = kernel.PadAxis{N: x.Shape[first+i], Before: pads[k], After: pads[k+1]}
		if a := o.axes[i]; !a.Fits(o.mode) {
			panic(fmt.Sprintf("autograd: Pad: %v cannot pad axis %d of shape %v by %d and %d", mode, first+i, x.Shape, a.Before, a.After))
		}
		shape[first+i] = o.axes[i].Out()
	}
	out := t.Alloc(shape...)
	kernel.Pad(out.Data, x.Data, o.mode, o.outer, o.axes[:n]...)
	return Record("Pad", out, []*Value{x}, o)
}

type padGrad struct {
	x        *Value
	mode     kernel.Padding
	axes     [3]kernel.PadAxis
	n, outer int // axes in use, and what lies before them
}

func (o *padGrad) Backward(g *Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	kernel.PadGrad(gx, gy, o.mode, o.outer, acc, o.axes[:o.n]...)
}
