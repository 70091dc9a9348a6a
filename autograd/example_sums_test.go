package autograd_test

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
)

// shiftScale returns y[r, i] = w[i] x[r, i] + b[i]: every row meets the same parameters.
func shiftScale(x, w, b *autograd.Value) *autograd.Value {
	out := x.Tape().Alloc(x.Shape...)
	for k, v := range x.Data {
		out.Data[k] = w.Data[k%w.Len()]*v + b.Data[k%w.Len()]
	}
	return autograd.Record("shiftScale", out, []*autograd.Value{x, w, b}, shiftScaleGrad{x, w, b})
}

type shiftScaleGrad struct{ x, w, b *autograd.Value }

func (o *shiftScaleGrad) Backward(g *autograd.Grads, gy []float32) {
	if o.x.NeedsGrad() {
		gx := g.Zeroed(o.x)
		for k, v := range gy {
			gx[k] += o.w.Data[k%o.w.Len()] * v
		}
	}
	const least = 64 // rows, for which the sums of a group are worth the while
	autograd.SumOver(g, len(gy)/o.w.Len(), least, []*autograd.Value{o.w, o.b}, shiftScaleRows{o, gy})
}

// shiftScaleRows are the arguments of SumOver.
type shiftScaleRows struct {
	*shiftScaleGrad
	gy []float32
}

// Rows adds to the gradients of w and b.
func (o *shiftScaleRows) Rows(lo, hi int, parts [][]float32) {
	n := o.w.Len()
	gw, gb := parts[0], parts[1]
	for k := lo * n; k < hi*n; k++ {
		if gw != nil {
			gw[k%n] += o.gy[k] * o.x.Data[k]
		}
		if gb != nil {
			gb[k%n] += o.gy[k]
		}
	}
}

func ExampleSumOver() {
	tape := &autograd.Tape{}
	x := tape.Const(autograd.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 3, 2))
	w, b := tape.Input(autograd.FromSlice([]float32{1, 1}, 2)), tape.Input(autograd.New(2))
	grads := autograd.Sum(shiftScale(x, w, b)).Backward()
	fmt.Println(grads.Wrt(w).Data, grads.Wrt(b).Data)
	// Output: [9 12] [3 3]
}
