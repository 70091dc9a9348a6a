package mno_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/mno"
)

// A model takes grids of any size.
func ExampleNew() {
	rng := rand.New(rand.NewPCG(1, 2))
	model, err := mno.New(mno.Config{In: 5, Out: 1, K: 2, Channels: 2, Modes: 4, Blocks: 2}, rng)
	if err != nil {
		fmt.Println(err)
		return
	}
	tape := &autograd.Tape{NoGrad: true}
	y := model.Forward(tape.Const(autograd.New(1, 5, 70, 70)))
	fmt.Println(y.Shape, autograd.CountParams(model))
	// Output: [1 1 70 70] 31713
}

func ExampleNewMultiscale() {
	rng := rand.New(rand.NewPCG(1, 2))
	model, err := mno.NewMultiscale(mno.MultiscaleConfig{In: 5, Out: 1, Hidden: 8, Scales: []float64{1, 0.6, 0.3}}, rng)
	if err != nil {
		fmt.Println(err)
		return
	}
	tape := &autograd.Tape{NoGrad: true}
	y := model.Forward(tape.Const(autograd.New(2, 5, 70, 70)))
	fmt.Println(y.Shape)
	// Output: [2 1 70 70]
}

// With one polynomial per cell the multiwavelets are Haar's.
func ExampleNewFilters() {
	f, err := mno.NewFilters(mno.Legendre, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.4f %.4f\n%.4f %.4f\n", f.H0.At(0, 0), f.H1.At(0, 0), f.G0.At(0, 0), f.G1.At(0, 0))
	// Output:
	// 0.7071 0.7071
	// 0.7071 -0.7071
}

// A straight line has no details: two polynomials per cell describe it on every level.
func ExampleBank() {
	f, err := mno.NewFilters(mno.Legendre, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	bank := mno.NewBank[float64](f, 1, false)
	// Four cells with mean and slope of a function that rises by 12 from cell to cell: the slope's polynomial is sqrt 3 (2x-1).
	x := []float64{6, 3.4641, 18, 3.4641, 30, 3.4641, 42, 3.4641}
	s, d := make([]float64, 4), make([]float64, 4)
	bank.Decompose(s, d, x, 1, []int{2}, 1)
	fmt.Printf("%.2f, details below 1e-4: %v\n", s, max(slices.Max(d), -slices.Min(d)) < 1e-4)
	bank.Reconstruct(x, s, d, 1, []int{2}, 1)
	fmt.Printf("%.2f\n", x)
	// Output:
	// [16.97 9.80 50.91 9.80], details below 1e-4: true
	// [6.00 3.46 18.00 3.46 30.00 3.46 42.00 3.46]
}
