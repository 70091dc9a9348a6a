package autograd

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Add returns x + y, element by element; both have the same shape.
func Add(x, y *Value) *Value {
	sameShape("Add", x, y)
	out := x.tape.Alloc(x.Shape...)
	kernel.Add(out.Data, x.Data, y.Data)
	return Record("Add", out, []*Value{x, y}, BackwardFunc(func(g *Grads, gy []float32) {
		g.Give(y, gy)
		g.Give(x, gy)
	}))
}

// Sub returns x - y, element by element; both have the same shape.
func Sub(x, y *Value) *Value {
	sameShape("Sub", x, y)
	out := x.tape.Alloc(x.Shape...)
	kernel.Sub(out.Data, x.Data, y.Data)
	return Record("Sub", out, []*Value{x, y}, BackwardFunc(func(g *Grads, gy []float32) {
		if y.grad {
			if gx, acc := g.Buffer(y); acc {
				kernel.Sub(gx, gx, gy)
			} else {
				kernel.Scale(gx, gy, -1)
			}
		}
		g.Give(x, gy)
	}))
}

// Mul returns x * y, element by element; both have the same shape.
func Mul(x, y *Value) *Value {
	sameShape("Mul", x, y)
	out := x.tape.Alloc(x.Shape...)
	kernel.Mul(out.Data, x.Data, y.Data)
	return Record("Mul", out, []*Value{x, y}, BackwardFunc(func(g *Grads, gy []float32) {
		for _, p := range [2][2]*Value{{x, y}, {y, x}} {
			if !p[0].grad {
				continue
			}
			if gx, acc := g.Buffer(p[0]); acc {
				kernel.MulAdd(gx, gy, p[1].Data)
			} else {
				kernel.Mul(gx, gy, p[1].Data)
			}
		}
	}))
}

// Scale returns a * x.
func Scale(x *Value, a float32) *Value {
	out := x.tape.Alloc(x.Shape...)
	kernel.Scale(out.Data, x.Data, a)
	return Record("Scale", out, []*Value{x}, BackwardFunc(func(g *Grads, gy []float32) {
		if gx, acc := g.Buffer(x); acc {
			kernel.Axpy(gx, a, gy)
		} else {
			kernel.Scale(gx, gy, a)
		}
	}))
}

// Reshape returns x under another shape, without a copy. One size may be -1: what the others leave.
func Reshape(x *Value, shape ...int) *Value {
	out := x.tape.view(x.Data, resolve("Reshape", x.Len(), x.Shape, shape))
	return Record("Reshape", out, []*Value{x}, BackwardFunc(func(g *Grads, gy []float32) { g.Give(x, gy) }))
}

// Sum returns the sum of all elements, a scalar, accumulated in float64.
func Sum(x *Value) *Value { return total("Sum", x, 1) }

// Mean returns the mean of all elements, a scalar, accumulated in float64.
func Mean(x *Value) *Value { return total("Mean", x, 1/float64(x.Len())) }

func total(name string, x *Value, scale float64) *Value {
	out := x.tape.Alloc()
	out.Data[0] = float32(kernel.Sum(x.Data) * scale)
	return Record(name, out, []*Value{x}, BackwardFunc(func(g *Grads, gy []float32) {
		d := gy[0] * float32(scale)
		if gx, acc := g.Buffer(x); acc {
			kernel.AddScalar(gx, gx, d)
		} else {
			kernel.Fill(gx, d)
		}
	}))
}

func sameShape(op string, x, y *Value) {
	if !slices.Equal(x.Shape, y.Shape) {
		panic(fmt.Sprintf("autograd: %s: shapes %v and %v differ", op, x.Shape, y.Shape))
	}
}
