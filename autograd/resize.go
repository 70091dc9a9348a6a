package autograd

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/internal/memo"
)

// InterpolationMode is a way to find values between grid points.
type InterpolationMode int

// The modes of Resize, applied along one axis after the other: bilinear is InterpolateLinear of two axes.
const (
	InterpolateNearest InterpolationMode = InterpolationMode(kernel.Nearest) // the point at floor(i in/out)
	InterpolateLinear  InterpolationMode = InterpolationMode(kernel.Linear)  // the two neighbours
	InterpolateCubic   InterpolationMode = InterpolationMode(kernel.Cubic)   // four neighbours, Keys' kernel with A = -0.75, clamped at the border
)

var interpolationNames = []string{InterpolateNearest: "nearest", InterpolateLinear: "linear", InterpolateCubic: "cubic"}

// String returns "nearest", "linear" or "cubic".
func (m InterpolationMode) String() string {
	if m < 0 || int(m) >= len(interpolationNames) {
		return fmt.Sprintf("InterpolationMode(%d)", int(m))
	}
	return interpolationNames[m]
}

// Interpolation says how Resize finds values. With AlignCorners the outermost points of both grids coincide, without it the
// edges of their cells do.
type Interpolation struct {
	Mode         InterpolationMode
	AlignCorners bool
}

// Resize brings the last axes of x to the given sizes, as torch.nn.functional.interpolate does for a given size.
func Resize(x *Value, size []int, how Interpolation) *Value {
	on("Resize", x)
	first := x.Rank() - len(size)
	if first < 0 {
		panic(fmt.Sprintf("autograd: Resize: %d sizes for shape %v", len(size), x.Shape))
	}
	y := x
	for i, n := range size {
		if y.Shape[first+i] != n {
			y = resizeAxis(y, first+i, n, how)
		}
	}
	return y
}

func resizeAxis(x *Value, axis, n int, how Interpolation) *Value {
	if n < 1 || x.Shape[axis] < 1 || how.Mode < InterpolateNearest || how.Mode > InterpolateCubic {
		panic(fmt.Sprintf("autograd: Resize: axis %d of shape %v to size %d, %v", axis, x.Shape, n, how.Mode))
	}
	m := axisMapsOf(how, x.Shape[axis], n)
	outer, inner := sizeOf(x.Shape[:axis]), sizeOf(x.Shape[axis+1:])
	out := x.tape.allocWith(x.Shape, axis, n)
	kernel.ApplyAxis(out.Data, x.Data, m.there, outer, inner, false)
	return Record("Resize", out, []*Value{x}, resizeGrad{x, m.back, outer, inner})
}

type resizeGrad struct {
	x            *Value
	back         *kernel.AxisMap
	outer, inner int
}

func (o *resizeGrad) Backward(g *Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	kernel.ApplyAxis(gx, gy, o.back, o.outer, o.inner, acc)
}

// axisMaps are an interpolation along one axis and its adjoint.
type axisMaps struct{ there, back *kernel.AxisMap }

type axisMapsKey struct {
	how     Interpolation
	in, out int
}

var allAxisMaps memo.Map[axisMapsKey, axisMaps]

func axisMapsOf(how Interpolation, in, out int) axisMaps {
	m, _ := allAxisMaps.Get(axisMapsKey{how, in, out}, func() (axisMaps, error) {
		m := kernel.NewAxisMap(kernel.Interpolation(how.Mode), in, out, how.AlignCorners)
		return axisMaps{m, m.Adjoint()}, nil
	})
	return m
}
