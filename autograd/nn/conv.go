package nn

import (
	"fmt"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
)

// ConvConfig says what a Conv2d or ConvTranspose2d is made of.
type ConvConfig struct {
	In, Out int
	// Kernel is the window, {height, width}.
	Kernel [2]int
	autograd.ConvOptions
	// NoBias leaves the bias out.
	NoBias bool
}

func (c ConvConfig) check(layer string) ConvConfig {
	positive(layer, "the number of input channels", c.In)
	positive(layer, "the number of output channels", c.Out)
	positive(layer, "the kernel's height", c.Kernel[0])
	positive(layer, "the kernel's width", c.Kernel[1])
	c.Groups = max(c.Groups, 1)
	if c.In%c.Groups != 0 || c.Out%c.Groups != 0 {
		panic(fmt.Sprintf("nn: %s: %d groups for %d input and %d output channels", layer, c.Groups, c.In, c.Out))
	}
	return c
}

// Conv2d is a convolution of images with a bias, autograd.Conv2d.
type Conv2d struct {
	Weight  *autograd.Param      // out x in/groups x ky x kx
	Bias    *autograd.Param      // out, or nil
	Options autograd.ConvOptions `param:"-"`
}

// NewConv2d returns a convolution whose weight and bias are uniform within 1/sqrt(in/groups ky kx), as PyTorch's; a nil rng
// leaves zeros.
func NewConv2d(c ConvConfig, rng *rand.Rand) *Conv2d {
	c = c.check("Conv2d")
	w, b := newWeight(c.Out, !c.NoBias, rng, c.Out, c.In/c.Groups, c.Kernel[0], c.Kernel[1])
	return &Conv2d{Weight: w, Bias: b, Options: c.ConvOptions}
}

// Forward maps x, nb x in x ny x nx.
func (l *Conv2d) Forward(x *autograd.Value) *autograd.Value {
	t := x.Tape()
	return autograd.Conv2d(x, t.Param(l.Weight), t.Param(l.Bias), l.Options)
}

// ConvTranspose2d is a transposed convolution of images with a bias, autograd.ConvTranspose2d.
type ConvTranspose2d struct {
	Weight  *autograd.Param      // in x out/groups x ky x kx
	Bias    *autograd.Param      // out, or nil
	Options autograd.ConvOptions `param:"-"`
}

// NewConvTranspose2d returns a transposed convolution whose weight and bias are uniform within 1/sqrt(out/groups ky kx), as
// PyTorch's; a nil rng leaves zeros.
func NewConvTranspose2d(c ConvConfig, rng *rand.Rand) *ConvTranspose2d {
	c = c.check("ConvTranspose2d")
	w, b := newWeight(c.Out, !c.NoBias, rng, c.In, c.Out/c.Groups, c.Kernel[0], c.Kernel[1])
	return &ConvTranspose2d{Weight: w, Bias: b, Options: c.ConvOptions}
}

// Forward maps x, nb x in x ny x nx.
func (l *ConvTranspose2d) Forward(x *autograd.Value) *autograd.Value {
	t := x.Tape()
	return autograd.ConvTranspose2d(x, t.Param(l.Weight), t.Param(l.Bias), l.Options)
}
