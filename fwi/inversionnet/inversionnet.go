// Package inversionnet is InversionNet (Wu and Lin, arXiv:1811.07875), OpenFWI's convolutional baseline: an encoder that shrinks a
// gather of 5 x 1000 x 70 to a vector, first along time alone, and a decoder that grows a velocity map of 70 x 70 out of it.
//
//	encoder  (7,1)/2 | (3,1)/2 (3,1) | (3,1)/2 (3,1) | (3,1)/2 (3,1) | 3/2 3 | 3/2 3 | 3/2 3 | (8,9) -> 1 x 1
//	decoder  5 | 4/2, four times | each followed by a 3 -> 80 x 80, cut to 70 x 70, then 3 and tanh
//
// Windows are written as sizes with their strides; every convolution is followed by batch normalisation and a leaky ReLU of slope
// 0.2. Names are those of OpenFWI's network.py, so that its checkpoints load.
package inversionnet

import (
	"fmt"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

// Config sizes a model. The zero value is OpenFWI's.
type Config struct {
	// Widths are the five numbers of channels, from the first block to the vector in the middle; 0 stands for 32, 64, 128, 256
	// and 512.
	Widths [5]int `json:"widths,omitzero"`
}

// Model is the network. It maps [batch, 5, 1000, 70] to [batch, 1, 70, 70] in -1..1.
type Model struct {
	Config Config `param:"-"`

	Conv1   *block `param:"convblock1"`
	Conv2x1 *block `param:"convblock2_1"`
	Conv2x2 *block `param:"convblock2_2"`
	Conv3x1 *block `param:"convblock3_1"`
	Conv3x2 *block `param:"convblock3_2"`
	Conv4x1 *block `param:"convblock4_1"`
	Conv4x2 *block `param:"convblock4_2"`
	Conv5x1 *block `param:"convblock5_1"`
	Conv5x2 *block `param:"convblock5_2"`
	Conv6x1 *block `param:"convblock6_1"`
	Conv6x2 *block `param:"convblock6_2"`
	Conv7x1 *block `param:"convblock7_1"`
	Conv7x2 *block `param:"convblock7_2"`
	Conv8   *block `param:"convblock8"`

	Deconv1x1 *block `param:"deconv1_1"`
	Deconv1x2 *block `param:"deconv1_2"`
	Deconv2x1 *block `param:"deconv2_1"`
	Deconv2x2 *block `param:"deconv2_2"`
	Deconv3x1 *block `param:"deconv3_1"`
	Deconv3x2 *block `param:"deconv3_2"`
	Deconv4x1 *block `param:"deconv4_1"`
	Deconv4x2 *block `param:"deconv4_2"`
	Deconv5x1 *block `param:"deconv5_1"`
	Deconv5x2 *block `param:"deconv5_2"`
	Deconv6   *block `param:"deconv6"`
}

// New returns a model with parameters drawn from rng as PyTorch draws them; a nil rng leaves zeros.
func New(c Config, rng *rand.Rand) (*Model, error) {
	for i, w := range [5]int{32, 64, 128, 256, 512} {
		if c.Widths[i] == 0 {
			c.Widths[i] = w
		}
		if c.Widths[i] < 1 {
			return nil, fmt.Errorf("inversionnet: width %d is %d; wanted 1 or more, or 0 for %d", i, c.Widths[i], w)
		}
	}
	d1, d2, d3, d4, d5 := c.Widths[0], c.Widths[1], c.Widths[2], c.Widths[3], c.Widths[4]
	conv := func(in, out int, kernel, stride, padding [2]int) *block {
		return newBlock(nn.NewConv2d(nn.ConvConfig{In: in, Out: out, Kernel: kernel, ConvOptions: autograd.ConvOptions{Stride: stride, Padding: padding}}, rng), out)
	}
	tall := func(in, out, stride int) *block { return conv(in, out, [2]int{3, 1}, [2]int{stride, 1}, [2]int{1, 0}) }
	square := func(in, out, stride int) *block {
		return conv(in, out, [2]int{3, 3}, [2]int{stride, stride}, [2]int{1, 1})
	}
	grow := func(in, out int, kernel, stride, padding int) *block {
		o := autograd.ConvOptions{Stride: [2]int{stride, stride}, Padding: [2]int{padding, padding}}
		return newBlock(nn.NewConvTranspose2d(nn.ConvConfig{In: in, Out: out, Kernel: [2]int{kernel, kernel}, ConvOptions: o}, rng), out)
	}
	return &Model{
		Config:  c,
		Conv1:   conv(5, d1, [2]int{7, 1}, [2]int{2, 1}, [2]int{3, 0}),
		Conv2x1: tall(d1, d2, 2), Conv2x2: tall(d2, d2, 1),
		Conv3x1: tall(d2, d2, 2), Conv3x2: tall(d2, d2, 1),
		Conv4x1: tall(d2, d3, 2), Conv4x2: tall(d3, d3, 1),
		Conv5x1: square(d3, d3, 2), Conv5x2: square(d3, d3, 1),
		Conv6x1: square(d3, d4, 2), Conv6x2: square(d4, d4, 1),
		Conv7x1: square(d4, d4, 2), Conv7x2: square(d4, d4, 1),
		Conv8:     conv(d4, d5, [2]int{8, 9}, [2]int{1, 1}, [2]int{}),
		Deconv1x1: grow(d5, d5, 5, 1, 0), Deconv1x2: square(d5, d5, 1),
		Deconv2x1: grow(d5, d4, 4, 2, 1), Deconv2x2: square(d4, d4, 1),
		Deconv3x1: grow(d4, d3, 4, 2, 1), Deconv3x2: square(d3, d3, 1),
		Deconv4x1: grow(d3, d2, 4, 2, 1), Deconv4x2: square(d2, d2, 1),
		Deconv5x1: grow(d2, d1, 4, 2, 1), Deconv5x2: square(d1, d1, 1),
		Deconv6: square(d1, 1, 1),
	}, nil
}

// Forward maps gathers, [batch, 5, 1000, 70], to maps, [batch, 1, 70, 70]. It panics on another shape.
func (m *Model) Forward(x *autograd.Value) *autograd.Value {
	if x.Rank() != 4 || x.Shape[1] != 5 || x.Shape[2] != 1000 || x.Shape[3] != 70 {
		panic(fmt.Sprintf("inversionnet: input %v; want [batch, 5, 1000, 70]", x.Shape))
	}
	for _, b := range []*block{
		m.Conv1, m.Conv2x1, m.Conv2x2, m.Conv3x1, m.Conv3x2, m.Conv4x1, m.Conv4x2, m.Conv5x1, m.Conv5x2, m.Conv6x1, m.Conv6x2, m.Conv7x1,
		m.Conv7x2, m.Conv8, m.Deconv1x1, m.Deconv1x2, m.Deconv2x1, m.Deconv2x2, m.Deconv3x1, m.Deconv3x2, m.Deconv4x1, m.Deconv4x2,
		m.Deconv5x1, m.Deconv5x2,
	} {
		x = x.Tape().Scope(func() *autograd.Value { return autograd.LeakyReLU(b.normalised(x), 0.2) })
	}
	const margin, side = 5, 70 // 80 x 80 to 70 x 70
	x = autograd.Narrow(autograd.Narrow(x, 2, margin, side), 3, margin, side)
	return autograd.Tanh(m.Deconv6.normalised(x))
}

// block is a convolution, transposed or not, with batch normalisation. PyTorch numbers the two.
type block struct {
	Conv layer           `param:"layers.0"`
	Norm *nn.BatchNorm2d `param:"layers.1"`
}

type layer interface {
	Forward(x *autograd.Value) *autograd.Value
}

func newBlock(conv layer, channels int) *block {
	return &block{Conv: conv, Norm: nn.NewBatchNorm2d(channels)}
}

func (b *block) normalised(x *autograd.Value) *autograd.Value {
	return b.Norm.Forward(b.Conv.Forward(x))
}
