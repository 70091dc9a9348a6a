package lno_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/lno"
)

// A model of two-dimensional functions, applied to a batch on its own grid and on a finer one.
func ExampleModel_Forward() {
	model, err := lno.New(lno.Config{In: 3, Out: 1, Hidden: 16, Modes: []int{8, 8}, Grid: []int{32, 32}}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	tape := &autograd.Tape{NoGrad: true}
	fmt.Println(model.Forward(tape.Const(autograd.New(4, 3, 32, 32))).Shape)
	fmt.Println(model.Forward(tape.Const(autograd.New(1, 3, 64, 48))).Shape)
	// Output:
	// [4 1 32 32]
	// [1 1 64 48]
}

// The weights -1/2, 0, 1/2 make the derivative of a sine a cosine.
func ExampleDifferential() {
	d, err := lno.NewDifferential(lno.DifferentialConfig{In: 1, Out: 1, Dim: 1}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	copy(d.Weight.Data, []float32{-0.5, 0, 0.5})
	const n = 200
	x := autograd.New(1, n, 1)
	for i := range n {
		x.Data[i] = float32(math.Sin(2 * math.Pi * float64(i) / n))
	}
	tape := &autograd.Tape{NoGrad: true}
	y := d.Forward(tape.Const(x), 2*math.Pi/n)
	fmt.Printf("%.3f %.3f\n", y.Data[0], y.Data[n/6])
	// Output:
	// 1.000 0.509
}

// Under a cone of radius R the mean of r^2 is 3/10 R^2.
func ExampleIntegral() {
	l, err := lno.NewIntegral(lno.IntegralConfig{In: 1, Out: 1, Grid: [2]int{100, 100}, Basis: lno.Basis{Shape: []int{1}}, Radius: 0.5}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	l.Weight.Data[0] = 1
	x := autograd.New(1, 100, 100, 1)
	for i := range x.Data {
		u, v := float64(i/100-50)/50, float64(i%100-50)/50
		x.Data[i] = float32(u*u + v*v)
	}
	tape := &autograd.Tape{NoGrad: true}
	y := l.Forward(tape.Const(x))
	fmt.Printf("%.3f\n", y.At(0, 50, 50, 0))
	// Output:
	// 0.075
}

// A configuration that reproduces checkpoints of SPAMoE.
func ExampleReference() {
	model, err := lno.New(lno.Reference(128, 1, 128, []int{16, 16}, []int{70, 70}), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for name, p := range autograd.Params(model) {
		if name == "local_no_blocks.local_convs.0.weight" || name == "local_no_blocks.differential.0.weight" {
			fmt.Println(name, p.Shape)
		}
	}
	// Output:
	// local_no_blocks.differential.0.weight [128 128 3 3]
	// local_no_blocks.local_convs.0.weight [128 128 5]
}
