package autograd

import (
	"fmt"
	"slices"
)

// SumAxes returns the sum of x over some axes, accumulated in float64. With keep they stay, of size 1; otherwise they go.
func SumAxes(x *Value, keep bool, axes ...int) *Value {
	return sumAxes("SumAxes", x, keep, axes, false)
}

// MeanAxes returns the mean of x over some axes, accumulated in float64. With keep they stay, of size 1; otherwise they go.
func MeanAxes(x *Value, keep bool, axes ...int) *Value {
	return sumAxes("MeanAxes", x, keep, axes, true)
}

func sumAxes(name string, x *Value, keep bool, axes []int, mean bool) *Value {
	t := on(name, x)
	var gone axisSet
	for _, a := range axes {
		gone.add(axisIndex(name, x, a))
	}
	shape := make([]int, 0, 8)
	scale := 1.0
	for i, n := range x.Shape {
		switch {
		case !gone.has(i):
			shape = append(shape, n)
		case keep:
			shape = append(shape, 1)
		}
		if gone.has(i) && mean {
			scale /= float64(n)
		}
	}
	s := t.spread(x.Shape, gone)
	out := t.Alloc(shape...)
	s.collect(out.Data, x.Data, scale, false)
	return Record(name, out, []*Value{x}, sumAxesGrad{s, x, float32(scale)})
}

type sumAxesGrad struct {
	spread
	x     *Value
	scale float32
}

func (o *sumAxesGrad) Backward(g *Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	o.repeat(gx, gy, o.scale, acc)
}

// Broadcast repeats x to a larger shape by numpy's rules: axes are matched from the last, and a size of 1, or an axis that x
// lacks, is repeated.
func Broadcast(x *Value, shape ...int) *Value {
	t := on("Broadcast", x)
	extra := len(shape) - x.Rank()
	var repeated axisSet
	fits, same := extra >= 0, extra == 0
	for i := 0; fits && i < len(shape); i++ {
		if i < extra || x.Shape[i-extra] != shape[i] {
			repeated.add(i)
			fits, same = i < extra || x.Shape[i-extra] == 1, false
		}
	}
	if !fits {
		panic(fmt.Sprintf("autograd: Broadcast: shape %v does not stretch to %v", x.Shape, slices.Clone(shape)))
	}
	if same {
		return x
	}
	s := t.spread(shape, repeated)
	out := t.Alloc(shape...)
	s.repeat(out.Data, x.Data, 1, false)
	return Record("Broadcast", out, []*Value{x}, broadcastGrad{s, x})
}

type broadcastGrad struct {
	spread
	x *Value
}

func (o *broadcastGrad) Backward(g *Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	o.collect(gx, gy, 1, acc)
}
