package autograd

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
)

// GELU returns the exact Gaussian error linear unit, x (1 + erf(x/sqrt 2)) / 2 (Hendrycks and Gimpel, arXiv 1606.08415).
func GELU(x *Value) *Value {
	return unary("GELU", x, kernel.GELU[float32], func(gx, gy, x, _ []float32, acc bool) { kernel.GELUGrad(gx, gy, x, acc) })
}

// GELUTanh returns the approximation of GELU by a hyperbolic tangent, x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2.
func GELUTanh(x *Value) *Value {
	return unary("GELUTanh", x, kernel.GELUTanh[float32], func(gx, gy, x, _ []float32, acc bool) { kernel.GELUTanhGrad(gx, gy, x, acc) })
}

// LeakyReLU returns x where x > 0 and slope x elsewhere.
func LeakyReLU(x *Value, slope float32) *Value {
	t := on("LeakyReLU", x)
	out := t.Alloc(x.Shape...)
	kernel.LeakyReLU(out.Data, x.Data, slope)
	return Record("LeakyReLU", out, []*Value{x}, leakyReLUGrad{x, slope})
}

type leakyReLUGrad struct {
	x     *Value
	slope float32
}

func (o *leakyReLUGrad) Backward(g *Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	kernel.LeakyReLUGrad(gx, gy, o.x.Data, o.slope, acc)
}

// ReLU returns max(x, 0). Its derivative at 0 is taken as 0.
func ReLU(x *Value) *Value { return LeakyReLU(x, 0) }

// Dropout returns, on a training tape, x with each element zeroed with probability p, the others divided by 1-p so that the
// mean stays (Srivastava et al., JMLR 15, 2014); on other tapes x itself. The randomness is the tape's.
func Dropout(x *Value, p float32) *Value {
	t := on("Dropout", x)
	if !(p >= 0 && p < 1) {
		panic(fmt.Sprintf("autograd: Dropout: probability %v is not in [0, 1)", p))
	}
	if !t.Train || p == 0 {
		return x
	}
	if t.Rand == nil {
		panic("autograd: Dropout: the tape trains and has no Rand")
	}
	mask := t.Scratch(x.Len())
	keep := 1 / (1 - p)
	for i := range mask {
		mask[i] = keep
		if t.Rand.Float32() < p {
			mask[i] = 0
		}
	}
	out := t.Alloc(x.Shape...)
	kernel.Mul(out.Data, x.Data, mask)
	return Record("Dropout", out, []*Value{x}, dropoutGrad{x, mask})
}

type dropoutGrad struct {
	x    *Value
	mask []float32
}

func (o *dropoutGrad) Backward(g *Grads, gy []float32) {
	if gx, acc := g.Buffer(o.x); acc {
		kernel.MulAdd(gx, gy, o.mask)
	} else {
		kernel.Mul(gx, gy, o.mask)
	}
}
