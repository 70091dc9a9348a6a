package spectral_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/spectral"
)

// Two Fourier blocks, without the lifting and the projection around them that make a model of package fno. Channels come last.
func ExampleNewBlocks() {
	blocks, err := spectral.NewBlocks(spectral.BlockConfig{Channels: 8, Modes: []int{6, 6}, Layers: 2}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	tape := &autograd.Tape{NoGrad: true}
	x := tape.Const(autograd.New(1, 16, 16, 8))
	for i := range blocks.Config.Layers {
		x = blocks.Forward(x, i, spectral.BlockOptions{})
	}
	fmt.Println(x.Shape, autograd.CountParams(blocks))
	// Output: [1 16 16 8] 6456
}

// All energy of a wave of frequency 3 on 16 points, whose largest frequency is 8, lies at the radius 3/8.
func ExampleBandEnergies() {
	x := autograd.New(1, 1, 16)
	for i := range x.Data {
		x.Data[i] = float32(math.Cos(2 * math.Pi * 3 * float64(i) / 16))
	}
	fmt.Printf("%.3f\n", spectral.BandEnergies(x, 1, 0, 0.3, 0.5, 1.1))
	// Output: [[0.000 8.000 0.000]]
}

// A wave keeps its values between the points of a coarse grid.
func ExampleFourierResample() {
	wave := func(n int) *autograd.Tensor {
		x := autograd.New(1, 1, n)
		for i := range x.Data {
			x.Data[i] = float32(2 + math.Sin(2*math.Pi*float64(i)/float64(n)))
		}
		return x
	}
	tape := &autograd.Tape{}
	fine := spectral.FourierResample(tape.Const(wave(5)), 12)
	fmt.Printf("%.3f\n%.3f\n", fine.Data[:6], wave(12).Data[:6])
	// Output:
	// [2.000 2.500 2.866 3.000 2.866 2.500]
	// [2.000 2.500 2.866 3.000 2.866 2.500]
}
