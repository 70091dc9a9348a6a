package optim_test

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/optim"
)

// Steps that overshoot, and their average, which does not. Swap puts the average into the model for an evaluation, and back.
func ExampleEMA() {
	net := &struct{ Slope *autograd.Param }{autograd.NewParam(1)}
	average := optim.NewEMA(net, 0.9)
	for step := range 100 {
		net.Slope.Data[0] = 3 + float32(step%2*2-1) // 2, 4, 2, 4, ..
		average.Update()
	}
	fmt.Println(net.Slope.Data[0])
	average.Swap()
	fmt.Printf("%.1f\n", net.Slope.Data[0])
	average.Swap()
	fmt.Println(net.Slope.Data[0])
	// Output:
	// 4
	// 3.1
	// 4
}

// One pass over memory scales a gradient that is too long, makes the step and takes the result into an average.
func ExampleAdamW_StepWith() {
	net := &struct{ Slope *autograd.Param }{autograd.NewParam(2)}
	opt, average := optim.NewAdamW(net, optim.Config{}), optim.NewEMA(net, 0.9)
	tape := &autograd.Tape{}
	target := tape.Const(autograd.FromSlice([]float32{30, -40}, 2))
	miss := autograd.Sub(tape.Param(net.Slope), target)
	grads := autograd.Scale(autograd.Sum(autograd.Square(miss)), 0.5).Backward()
	norm := opt.StepWith(0.1, grads, optim.StepOptions{Clip: 1, Average: average})
	fmt.Printf("norm %.0f, parameters %.2f, average %.2f\n", norm, net.Slope.Data, average.Average["slope"].Data)
	// Output: norm 50, parameters [0.10 -0.10], average [0.09 -0.09]
}
