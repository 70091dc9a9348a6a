package autograd

import "github.com/spamoe/spamoe/internal/kernel"

// AddScalar returns x + a.
func AddScalar(x *Value, a float32) *Value {
	t := on("AddScalar", x)
	out := t.Alloc(x.Shape...)
	kernel.AddScalar(out.Data, x.Data, a)
	return Record("AddScalar", out, []*Value{x}, giveGrad{x})
}

// Neg returns -x.
func Neg(x *Value) *Value { return Scale(x, -1) }

// Div returns x / y, element by element; both have the same shape. The gradients are gy/y and -gy x/y^2.
func Div(x, y *Value) *Value {
	t := on("Div", x, y)
	sameShape("Div", x, y)
	out := t.Alloc(x.Shape...)
	kernel.Div(out.Data, x.Data, y.Data)
	return Record("Div", out, []*Value{x, y}, divGrad{x, y, out})
}

type divGrad struct {
	x, y *Value
	out  *Tensor
}

func (o *divGrad) Backward(g *Grads, gy []float32) {
	d := g.Scratch(len(gy))
	kernel.Div(d, gy, o.y.Data)
	g.Give(o.x, d)
	if o.y.grad {
		kernel.Mul(d, d, o.out.Data)
		if dst, acc := g.Buffer(o.y); acc {
			kernel.Axpy(dst, -1, d)
		} else {
			kernel.Scale(dst, d, -1)
		}
	}
	g.Free(d)
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
	t := on("Pow", x)
	out := t.Alloc(x.Shape...)
	kernel.Pow(out.Data, x.Data, p)
	return Record("Pow", out, []*Value{x}, powGrad{x, p})
}

type powGrad struct {
	x *Value
	p float32
}

func (o *powGrad) Backward(g *Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	kernel.PowGrad(gx, gy, o.x.Data, o.p, acc)
}

// Clamp returns min(max(x, lo), hi). The gradient passes where lo <= x <= hi.
func Clamp(x *Value, lo, hi float32) *Value {
	t := on("Clamp", x)
	out := t.Alloc(x.Shape...)
	kernel.Clamp(out.Data, x.Data, lo, hi)
	return Record("Clamp", out, []*Value{x}, clampGrad{x, lo, hi})
}

type clampGrad struct {
	x      *Value
	lo, hi float32
}

func (o *clampGrad) Backward(g *Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	kernel.ClampGrad(gx, gy, o.x.Data, o.lo, o.hi, acc)
}

// unary records y = f(x), element by element, with a kernel for its gradient, which may use x and y and captures nothing.
func unary(name string, x *Value, f func(y, x []float32), back func(gx, gy, x, y []float32, acc bool)) *Value {
	t := on(name, x)
	out := t.Alloc(x.Shape...)
	f(out.Data, x.Data)
	return Record(name, out, []*Value{x}, unaryGrad{x, out, back})
}

type unaryGrad struct {
	x    *Value
	out  *Tensor
	back func(gx, gy, x, y []float32, acc bool)
}

func (o *unaryGrad) Backward(g *Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	o.back(gx, gy, o.x.Data, o.out.Data, acc)
}
