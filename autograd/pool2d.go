package autograd

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
)

// MaxPool2d returns the maximum of x, [batch, channel, ny, nx], over windows of size points that move by stride; size, stride
// and padding are {height, width}. Padding counts as minus infinity; of equal elements the first gets the gradient.
func MaxPool2d(x *Value, size, stride, padding [2]int) *Value {
	t := on("MaxPool2d", x)
	if x.Rank() != 4 {
		panic(fmt.Sprintf("autograd: MaxPool2d: shape %v is not [batch, channel, ny, nx]", x.Shape))
	}
	planes := x.Shape[0] * x.Shape[1]
	p := kernel.MaxPool{NY: x.Shape[2], NX: x.Shape[3], KY: size[0], KX: size[1], SY: stride[0], SX: stride[1], PY: padding[0], PX: padding[1]}
	if !p.Fits() {
		panic(fmt.Sprintf("autograd: MaxPool2d: windows %v that move by %v over shape %v padded by %v; want sizes and strides of at least 1, "+
			"padding of at most half a window, and one that fits", size, stride, x.Shape, padding))
	}
	ny, nx := p.Out()
	out := t.Alloc(x.Shape[0], x.Shape[1], ny, nx)
	arg := t.places.take(out.Len())
	kernel.MaxPool2d(out.Data, arg, x.Data, planes, p)
	return Record("MaxPool2d", out, []*Value{x}, maxPoolGrad{p, x, arg})
}

type maxPoolGrad struct {
	kernel.MaxPool
	x   *Value
	arg []int32
}

func (o *maxPoolGrad) Backward(g *Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	kernel.MaxPool2dGrad(gx, gy, o.arg, o.x.Shape[0]*o.x.Shape[1], o.MaxPool, acc)
}

// GlobalAvgPool returns the mean over all points, [batch, channel, spatial...] to [batch, channel, 1...].
func GlobalAvgPool(x *Value) *Value {
	on("GlobalAvgPool", x)
	axes := make([]int, 0, 8)
	for i := 2; i < x.Rank(); i++ {
		axes = append(axes, i)
	}
	return MeanAxes(x, true, axes...)
}
