package autograd_test

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
)

// cube returns x^3: an operation computes its result and records what its way back needs.
func cube(x *autograd.Value) *autograd.Value {
	out := x.Tape().Alloc(x.Shape...)
	for i, v := range x.Data {
		out.Data[i] = v * v * v
	}
	return autograd.Record("cube", out, []*autograd.Value{x}, cubeGrad{x})
}

type cubeGrad struct{ x *autograd.Value }

// Backward adds to the gradients of the inputs.
func (o *cubeGrad) Backward(g *autograd.Grads, gy []float32) {
	gx := g.Zeroed(o.x)
	for i, v := range o.x.Data {
		gx[i] += 3 * v * v * gy[i]
	}
}

func ExampleRecord() {
	tape := &autograd.Tape{}
	x := tape.Input(autograd.FromSlice([]float32{1, 2, -2}, 3))
	fmt.Println(autograd.Sum(cube(x)).Backward().Wrt(x).Data)

	f := func(x []*autograd.Value) *autograd.Value { return cube(x[0]) }
	fmt.Println(autograd.CheckGrad(autograd.GradCheck{}, f, autograd.FromSlice([]float32{1, 2, -2}, 3)))
	// Output:
	// [3 12 12]
	// <nil>
}
