package mno

import (
	"math"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/spectral"
)

// layer maps coefficients, nb x n1 .. nd x width, on any grid.
type layer interface {
	Forward(x *autograd.Value) *autograd.Value
}

// FourierKernel1d multiplies the lowest Modes frequencies of coefficients on a line by matrices.
type FourierKernel1d struct {
	Weight *autograd.Param `param:"weights1"` // In x Out x Modes, complex

	multiplier *spectral.Multiplier
}

func newFourierKernel1d(in, out, modes int, rng *rand.Rand) (*FourierKernel1d, error) {
	m, err := spectral.NewMultiplier(in, out, twoSided(modes))
	if err != nil {
		return nil, err
	}
	return &FourierKernel1d{Weight: newMatrices(in, out, rng, modes), multiplier: m}, nil
}

// Forward maps x, nb x n x In.
func (k *FourierKernel1d) Forward(x *autograd.Value) *autograd.Value {
	kept := k.multiplier.Kept(x.Shape[1:2])
	return k.multiplier.Forward(x, autograd.Narrow(x.Tape().Param(k.Weight), 2, 0, kept[0]))
}

// FourierKernel2d multiplies the Modes lowest frequencies of either sign along the first axis, and from 0 on along the second, by matrices;
// rectifies the result on the grid, and applies a matrix:
//
//	y = Lo relu(F^-1(R F(x))) + b.
type FourierKernel2d struct {
	Positive *autograd.Param `param:"weights1"` // In x Hidden x Modes x Modes, complex: frequencies 0 .. Modes-1 of the first axis
	Negative *autograd.Param `param:"weights2"` // the same for -Modes .. -1
	Out      *nn.Linear      `param:"Lo"`

	modes      int
	overlap    bool
	multiplier *spectral.Multiplier
}

func newFourierKernel2d(in, hidden, out, modes int, overlap bool, rng *rand.Rand) (*FourierKernel2d, error) {
	m, err := spectral.NewMultiplier(in, hidden, 2*modes, twoSided(modes))
	if err != nil {
		return nil, err
	}
	return &FourierKernel2d{Positive: newMatrices(in, hidden, rng, modes, modes), Negative: newMatrices(in, hidden, rng, modes, modes),
		Out: nn.NewLinear(hidden, out, true, rng), modes: modes, overlap: overlap, multiplier: m}, nil
}

// Forward maps x, nb x n1 x n2 x In.
func (k *FourierKernel2d) Forward(x *autograd.Value) *autograd.Value {
	return k.Out.Forward(autograd.ReLU(k.multiply(x)))
}

// multiply returns F^-1(R F(x)).
func (k *FourierKernel2d) multiply(x *autograd.Value) *autograd.Value {
	n := x.Shape[1]
	kept := k.multiplier.Kept(x.Shape[1:3])
	t := x.Tape()
	positive, negative := autograd.Narrow(t.Param(k.Positive), 3, 0, kept[1]), autograd.Narrow(t.Param(k.Negative), 3, 0, kept[1])
	below := kept[0] / 2 // rows of negative frequencies
	above := kept[0] - below
	first, own := k.modes-below, above
	if k.overlap {
		// The last l rows of the spectrum take the first l negative weights, and win where they meet the first l rows.
		l := min(k.modes, n/2+1)
		first, own = l-below, min(above, n-l)
	}
	r := autograd.Concat(2, autograd.Narrow(negative, 2, first, below), autograd.Narrow(positive, 2, 0, own),
		autograd.Narrow(negative, 2, max(0, first+below+own-n), above-own))
	return k.multiplier.Forward(x, r)
}

// LocalKernel2d couples neighbouring cells: y = Lo relu(conv(x)) + b, with a convolution of 3 x 3 cells.
type LocalKernel2d struct {
	Conv *nn.Conv2d `param:"conv.0"`
	Out  *nn.Linear `param:"Lo"`
}

func newLocalKernel2d(in, hidden, out int, rng *rand.Rand) *LocalKernel2d {
	c := nn.ConvConfig{In: in, Out: hidden, Kernel: [2]int{3, 3}, ConvOptions: autograd.ConvOptions{Padding: [2]int{1, 1}}}
	return &LocalKernel2d{nn.NewConv2d(c, rng), nn.NewLinear(hidden, out, true, rng)}
}

// Forward maps x, nb x n1 x n2 x In.
func (k *LocalKernel2d) Forward(x *autograd.Value) *autograd.Value {
	return k.Out.Forward(autograd.ChannelsLast(autograd.ReLU(k.Conv.Forward(autograd.ChannelsFirst(x)))))
}

// twoSided returns the count of modes of both signs of which a half spectrum stores n.
func twoSided(n int) int { return max(1, 2*(n-1)) }

// newMatrices returns complex matrices for each mode that keep the variance of what they multiply.
func newMatrices(in, out int, rng *rand.Rand, modes ...int) *autograd.Param {
	p := autograd.NewComplexParam(append([]int{in, out}, modes...)...)
	if rng != nil {
		nn.Normal(p.Tensor, 0, math.Sqrt(1/float64(in+out)), rng) // of each part
	}
	return p
}
