package autograd

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Softmax returns exp(x) / sum(exp(x)) over the last axis.
func Softmax(x *Value) *Value {
	t := on("Softmax", x)
	if x.Rank() < 1 {
		panic(fmt.Sprintf("autograd: Softmax: shape %v has no axis", x.Shape))
	}
	n := x.Shape[x.Rank()-1]
	rows := sizeOf(x.Shape[:x.Rank()-1])
	out := t.Alloc(x.Shape...)
	kernel.Softmax(out.Data, x.Data, rows, n)
	return Record("Softmax", out, []*Value{x}, softmaxGrad{x, out, rows, n})
}

type softmaxGrad struct {
	x       *Value
	out     *Tensor
	rows, n int
}

func (o *softmaxGrad) Backward(g *Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	kernel.SoftmaxGrad(gx, gy, o.out.Data, o.rows, o.n, acc)
}
