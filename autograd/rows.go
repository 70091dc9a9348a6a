package autograd

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
)

// AddLast returns y[.., c] = x[.., c] + b[c]: a bias along the last axis. b may have any shape with as many elements as the last
// axis of x.
func AddLast(x, b *Value) *Value {
	t := on("AddLast", x, b)
	rows, n := lastAxis("AddLast", x, b)
	out := t.Alloc(x.Shape...)
	kernel.AddRow(out.Data, x.Data, b.Data, rows, n)
	return Record("AddLast", out, []*Value{x, b}, addLastGrad{x, b})
}

type addLastGrad struct{ x, b *Value }

func (o *addLastGrad) Backward(g *Grads, gy []float32) {
	if o.b.grad {
		rows, n := lastAxis("AddLast", o.x, o.b)
		gb, acc := g.Buffer(o.b)
		kernel.ColSum(gb, gy, rows, n, acc)
	}
	g.Give(o.x, gy)
}

// MulLast returns y[.., c] = x[.., c] w[c]: a gate along the last axis. w may have any shape with as many elements as the last
// axis of x.
func MulLast(x, w *Value) *Value {
	t := on("MulLast", x, w)
	rows, n := lastAxis("MulLast", x, w)
	out := t.Alloc(x.Shape...)
	kernel.MulRow(out.Data, x.Data, w.Data, rows, n)
	return Record("MulLast", out, []*Value{x, w}, mulLastGrad{x, w})
}

type mulLastGrad struct{ x, w *Value }

func (o *mulLastGrad) Backward(g *Grads, gy []float32) {
	rows, n := lastAxis("MulLast", o.x, o.w)
	if o.w.grad {
		gw, acc := g.Buffer(o.w)
		kernel.MulRowGrad(nil, gw, gy, o.x.Data, o.w.Data, rows, n, false, acc)
	}
	if o.x.grad {
		gx, acc := g.Buffer(o.x)
		kernel.MulRowGrad(gx, nil, gy, o.x.Data, o.w.Data, rows, n, acc, false)
	}
}

// lastAxis returns x as rows of n elements, after checking that v holds one row.
func lastAxis(op string, x, v *Value) (rows, n int) {
	if x.Rank() < 1 || v.Len() != x.Shape[x.Rank()-1] {
		panic(fmt.Sprintf("autograd: %s: %v does not fit the last axis of %v", op, v.Shape, x.Shape))
	}
	n = v.Len()
	return sizeOf(x.Shape[:x.Rank()-1]), n
}
