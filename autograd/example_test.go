package autograd_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
)

func Example() {
	tape := &autograd.Tape{}
	x := tape.Input(autograd.FromSlice([]float32{1, 2, 3}, 3))
	y := autograd.Sum(autograd.Mul(x, x))
	grads := y.Backward()
	fmt.Println(y.Data[0], grads.Wrt(x).Data)
	// Output: 14 [2 4 6]
}

// A model is any struct with parameters in exported fields; the tags are the names in its files.
func ExampleParams() {
	type layer struct {
		Weight *autograd.Param `param:"weight"`
		Bias   *autograd.Param `param:"bias"`
	}
	model := struct {
		Layers []*layer `param:"layers"`
	}{[]*layer{
		{autograd.NewParam(4, 2), autograd.NewParam(4)},
		{autograd.NewParam(1, 4), nil},
	}}
	for name, p := range autograd.Params(&model) {
		fmt.Println(name, p.Shape)
	}
	fmt.Println(autograd.CountParams(&model))
	// Output:
	// layers.0.weight [4 2]
	// layers.0.bias [4]
	// layers.1.weight [1 4]
	// 16
}

// Gradient descent on one parameter. Gradients are returned, and Reset takes the memory of a step back for the next.
func ExampleTape() {
	w := autograd.NewParam(2)
	target := autograd.FromSlice([]float32{3, -1}, 2)
	tape := &autograd.Tape{Train: true}
	for range 50 {
		loss := autograd.Mean(autograd.Square(autograd.Sub(tape.Param(w), tape.Const(target))))
		for i, g := range loss.Backward().Of(w).Data {
			w.Data[i] -= 0.4 * g
		}
		tape.Reset()
	}
	fmt.Printf("%.3f\n", w.Data)
	// Output: [3.000 -1.000]
}

// Inference records nothing; Scope gives memory back before the pass ends.
func ExampleTape_Scope() {
	w := autograd.NewParam(8, 8)
	for i := range w.Data {
		w.Data[i] = 0.1
	}
	tape := &autograd.Tape{NoGrad: true}
	x := tape.Const(autograd.FromSlice([]float32{1, 1, 1, 1, 1, 1, 1, 1}, 1, 8))
	for range 3 {
		x = tape.Scope(func() *autograd.Value { return autograd.ReLU(autograd.Linear(x, tape.Param(w), nil)) })
	}
	fmt.Printf("%.3f\n", x.Data[0])
	// Output: 0.512
}

// Dropout draws from the tape's randomness, and only on a tape that trains.
func ExampleDropout() {
	x := autograd.FromSlice([]float32{1, 1, 1, 1, 1, 1}, 6)
	train := &autograd.Tape{Train: true, Rand: rand.New(rand.NewPCG(1, 2))}
	kept := autograd.Sum(autograd.Dropout(train.Const(x), 0.5)).Data[0] / 2
	fmt.Println(kept == float32(int(kept)), autograd.Dropout((&autograd.Tape{}).Const(x), 0.5).Data)
	// Output: true [1 1 1 1 1 1]
}

// What a block computes on its way is not kept for the backward pass, which computes it again: gradients are the same.
func ExampleRecompute() {
	w := autograd.NewParam(3, 3)
	for i := range w.Data {
		w.Data[i] = float32(i) / 4
	}
	x := autograd.FromSlice([]float32{1, 2, 3}, 1, 3)
	gradient := func(again bool) []float32 {
		tape := &autograd.Tape{Train: true}
		block := func(x *autograd.Value) *autograd.Value { return autograd.ReLU(autograd.Linear(x, tape.Param(w), nil)) }
		y := tape.Input(x)
		for range 2 {
			if again {
				y = autograd.Recompute(y, block)
			} else {
				y = block(y)
			}
		}
		return autograd.Sum(y).Backward().Of(w).Data
	}
	fmt.Println(gradient(false))
	fmt.Println(slices.Equal(gradient(false), gradient(true)))
	// Output:
	// [4.25 11 17.75 5 12.5 20 5.75 14 22.25]
	// true
}
