package autograd

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Add returns x + y, element by element; both have the same shape.
func Add(x, y *Value) *Value {
	t := on("Add", x, y)
	sameShape("Add", x, y)
	out := t.Alloc(x.Shape...)
	kernel.Add(out.Data, x.Data, y.Data)
	return Record("Add", out, []*Value{x, y}, addGrad{x, y})
}

type addGrad struct{ x, y *Value }

func (o *addGrad) Backward(g *Grads, gy []float32) {
	g.Give(o.y, gy)
	g.Give(o.x, gy)
}

// Sub returns x - y, element by element; both have the same shape.
func Sub(x, y *Value) *Value {
	t := on("Sub", x, y)
	sameShape("Sub", x, y)
	out := t.Alloc(x.Shape...)
	kernel.Sub(out.Data, x.Data, y.Data)
	return Record("Sub", out, []*Value{x, y}, subGrad{x, y})
}

type subGrad struct{ x, y *Value }

func (o *subGrad) Backward(g *Grads, gy []float32) {
	if o.y.grad {
		if dst, acc := g.Buffer(o.y); acc {
			kernel.Sub(dst, dst, gy)
		} else {
			kernel.Scale(dst, gy, -1)
		}
	}
	g.Give(o.x, gy)
}

// Mul returns x * y, element by element; both have the same shape.
func Mul(x, y *Value) *Value {
	t := on("Mul", x, y)
	sameShape("Mul", x, y)
	out := t.Alloc(x.Shape...)
	kernel.Mul(out.Data, x.Data, y.Data)
	return Record("Mul", out, []*Value{x, y}, mulGrad{x, y})
}

type mulGrad struct{ x, y *Value }

func (o *mulGrad) Backward(g *Grads, gy []float32) {
	for _, p := range [2][2]*Value{{o.x, o.y}, {o.y, o.x}} {
		if !p[0].grad {
			continue
		}
		if gx, acc := g.Buffer(p[0]); acc {
			kernel.MulAdd(gx, gy, p[1].Data)
		} else {
			kernel.Mul(gx, gy, p[1].Data)
		}
	}
}

// Scale returns a * x.
func Scale(x *Value, a float32) *Value {
	t := on("Scale", x)
	out := t.Alloc(x.Shape...)
	kernel.Scale(out.Data, x.Data, a)
	return Record("Scale", out, []*Value{x}, scaleGrad{x, a})
}

type scaleGrad struct {
	x *Value
	a float32
}

func (o *scaleGrad) Backward(g *Grads, gy []float32) {
	if gx, acc := g.Buffer(o.x); acc {
		kernel.Axpy(gx, o.a, gy)
	} else {
		kernel.Scale(gx, gy, o.a)
	}
}

// Reshape returns x under another shape, without a copy. One size may be -1: what the others leave.
func Reshape(x *Value, shape ...int) *Value {
	t := on("Reshape", x)
	out := t.view(x.Data, shape)
	resolve("Reshape", x.Len(), x.Shape, out.Shape)
	return Record("Reshape", out, []*Value{x}, giveGrad{x})
}

// giveGrad is the way back of operations whose gradient is that of their input.
type giveGrad struct{ x *Value }

func (o *giveGrad) Backward(g *Grads, gy []float32) { g.Give(o.x, gy) }

// Sum returns the sum of all elements, a scalar, accumulated in float64.
func Sum(x *Value) *Value { return total("Sum", x, false) }

// Mean returns the mean of all elements, a scalar, accumulated in float64.
func Mean(x *Value) *Value { return total("Mean", x, true) }

func total(name string, x *Value, mean bool) *Value {
	t := on(name, x)
	scale := 1.0
	if mean {
		scale /= float64(x.Len())
	}
	out := t.Alloc()
	out.Data[0] = float32(kernel.Sum(x.Data) * scale)
	return Record(name, out, []*Value{x}, totalGrad{x, float32(scale)})
}

type totalGrad struct {
	x     *Value
	scale float32
}

func (o *totalGrad) Backward(g *Grads, gy []float32) {
	d := gy[0] * o.scale
	if gx, acc := g.Buffer(o.x); acc {
		kernel.AddScalar(gx, gx, d)
	} else {
		kernel.Fill(gx, d)
	}
}

func sameShape(op string, x, y *Value) {
	if !slices.Equal(x.Shape, y.Shape) {
		panic(fmt.Sprintf("autograd: %s: shapes %v and %v differ", op, x.Shape, y.Shape))
	}
}
