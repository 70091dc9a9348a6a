package autograd

import "github.com/spamoe/spamoe/internal/kernel"

// AddScalar returns x + a.
func AddScalar(x *Value, a float32) *Value {
	out := x.tape.Alloc(x.Shape...)
	kernel.AddScalar(out.Data, x.Data, a)
	return Record("AddScalar", out, []*Value{x}, BackwardFunc(func(g *Grads, gy []float32) { g.Give(x, gy) }))
}

// Neg returns -x.
func Neg(x *Value) *Value { return Scale(x, -1) }

// Div returns x / y, element by element; both have the same shape. The gradients are gy/y and -gy x/y^2.
func Div(x, y *Value) *Value {
	sameShape("Div", x, y)
	out := x.tape.Alloc(x.Shape...)
	kernel.Div(out.Data, x.Data, y.Data)
	return Record("Div", out, []*Value{x, y}, BackwardFunc(func(g *Grads, gy []float32) {
		d := g.Scratch(len(gy))
		kernel.Div(d, gy, y.Data)
		if x.grad {
			g.Give(x, d)
		}
		if y.grad {
			kernel.Mul(d, d, out.Data)
			if dst, acc := g.Buffer(y); acc {
				kernel.Axpy(dst, -1, d)
			} else {
				kernel.Scale(dst, d, -1)
			}
		}
		g.Free(d)
	}))
}

// Square returns x^2.
func Square(x *Value) *Value {
	return unary("Square", x, func(y, x []float32) { kernel.Mul(y, x, x) }, func(gx, gy, x, _ []float32, acc bool) {
		if acc {
			kernel.MulAdd(gx, gy, x)
			kernel.MulAdd(gx, gy, x)
		} else {
			kernel.Mul(gx, gy, x)
			kernel.Scale(gx, gx, 2)
		}
	})
}

// Sqrt returns sqrt(x + eps). A positive eps keeps the gradient, gy / (2 sqrt(x + eps)), finite at x = 0.
func Sqrt(x *Value, eps float32) *Value {
	return unary("Sqrt", x, func(y, x []float32) {
		if eps == 0 {
			kernel.Sqrt(y, x)
		} else {
			kernel.AddScalar(y, x, eps)
			kernel.Sqrt(y, y)
		}
	}, func(gx, gy, _, y []float32, acc bool) { kernel.SqrtGrad(gx, gy, y, acc) })
}

// Abs returns |x|. Its derivative at 0 is taken as 0.
func Abs(x *Value) *Value {
	return unary("Abs", x, kernel.Abs[float32], func(gx, gy, x, _ []float32, acc bool) { kernel.AbsGrad(gx, gy, x, acc) })
}

// Exp returns e^x.
func Exp(x *Value) *Value {
	return unary("Exp", x, kernel.Exp[float32], func(gx, gy, _, y []float32, acc bool) { kernel.ExpGrad(gx, gy, y, acc) })
}

// Log returns the natural logarithm of x.
func Log(x *Value) *Value {
	return unary("Log", x, kernel.Log[float32], func(gx, gy, x, _ []float32, acc bool) { kernel.LogGrad(gx, gy, x, acc) })
}

// Log1p returns ln(1 + x), exact also for small x.
func Log1p(x *Value) *Value {
	return unary("Log1p", x, kernel.Log1p[float32], func(gx, gy, x, _ []float32, acc bool) { kernel.Log1pGrad(gx, gy, x, acc) })
}

// Tanh returns the hyperbolic tangent of x.
func Tanh(x *Value) *Value {
	return unary("Tanh", x, kernel.Tanh[float32], func(gx, gy, _, y []float32, acc bool) { kernel.TanhGrad(gx, gy, y, acc) })
}

// Sigmoid returns 1 / (1 + e^-x).
func Sigmoid(x *Value) *Value {
	return unary("Sigmoid", x, kernel.Sigmoid[float32], func(gx, gy, _, y []float32, acc bool) { kernel.SigmoidGrad(gx, gy, y, acc) })
}

// Pow returns x^p, for x > 0 unless p is an integer.
func Pow(x *Value, p float32) *Value {
	return unary("Pow", x, func(y, x []float32) { kernel.Pow(y, x, p) }, func(gx, gy, x, _ []float32, acc bool) { kernel.PowGrad(gx, gy, x, p, acc) })
}

// Clamp returns min(max(x, lo), hi). The gradient passes where lo <= x <= hi.
func Clamp(x *Value, lo, hi float32) *Value {
	return unary("Clamp", x, func(y, x []float32) { kernel.Clamp(y, x, lo, hi) }, func(gx, gy, x, _ []float32, acc bool) {
		kernel.ClampGrad(gx, gy, x, lo, hi, acc)
	})
}

// unary records y = f(x), element by element, with a kernel for its gradient, which may use x and y.
func unary(name string, x *Value, f func(y, x []float32), back func(gx, gy, x, y []float32, acc bool)) *Value {
	out := x.tape.Alloc(x.Shape...)
	f(out.Data, x.Data)
	return Record(name, out, []*Value{x}, BackwardFunc(func(g *Grads, gy []float32) {
		gx, acc := g.Buffer(x)
		back(gx, gy, x.Data, out.Data, acc)
	}))
}
