package encoder

import (
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

// ConvNeXt is the ConvNeXt of DINOv3 under timm's names.
type ConvNeXt struct {
	Stem     *nn.Conv2d    `param:"stem.0"`
	StemNorm *nn.LayerNorm `param:"stem.1"`
	Stages   []*Stage      `param:"stages"`
	Norm     *nn.LayerNorm `param:"head.norm"`
}

// Stage is a run of blocks at one resolution.
type Stage struct {
	Norm   *nn.LayerNorm `param:"downsample.0"` // nil in the first stage
	Down   *nn.Conv2d    `param:"downsample.1"` // nil in the first stage
	Blocks []*ConvBlock  `param:"blocks"`
}

// ConvBlock is one block of a ConvNeXt.
type ConvBlock struct {
	Gamma *autograd.Param `param:"gamma"` // width
	Conv  *nn.Conv2d      `param:"conv_dw"`
	Norm  *nn.LayerNorm   `param:"norm"`
	FC1   *nn.Linear      `param:"mlp.fc1"`
	FC2   *nn.Linear      `param:"mlp.fc2"`
}

// convNeXtEps is what ConvNeXt's layer normalisations add to variances.
const convNeXtEps = 1e-6

// newConvNeXt draws weights as timm does: normal with a standard deviation of 0.02; biases are zero.
func newConvNeXt(in int, c ConvNeXtConfig, rng *rand.Rand) *ConvNeXt {
	conv := func(in, out, side int) *nn.Conv2d {
		return drawn(nn.ConvConfig{In: in, Out: out, Kernel: [2]int{side, side}, ConvOptions: autograd.ConvOptions{Stride: [2]int{side, side}}}, rng)
	}
	m := &ConvNeXt{Stem: conv(in, c.Widths[0], 4), StemNorm: nn.NewLayerNorm(c.Widths[0], convNeXtEps)}
	width := c.Widths[0]
	for i, w := range c.Widths {
		s := &Stage{}
		if i > 0 {
			s.Norm, s.Down = nn.NewLayerNorm(width, convNeXtEps), conv(width, w, 2)
		}
		width = w
		for range c.Depths[i] {
			b := &ConvBlock{Gamma: constant(c.LayerScale, w), Norm: nn.NewLayerNorm(w, convNeXtEps),
				FC1: nn.NewLinear(w, 4*w, true, nil), FC2: nn.NewLinear(4*w, w, true, nil)}
			b.Conv = drawn(nn.ConvConfig{In: w, Out: w, Kernel: [2]int{7, 7}, ConvOptions: autograd.ConvOptions{Padding: [2]int{3, 3}, Groups: w}}, rng)
			if rng != nil {
				draw(b.FC1.Weight, 1, rng)
				draw(b.FC2.Weight, 1, rng)
			}
			s.Blocks = append(s.Blocks, b)
		}
		m.Stages = append(m.Stages, s)
	}
	m.Norm = nn.NewLayerNorm(width, convNeXtEps)
	return m
}

// drawn returns a convolution with normal weights and a bias of zeros.
func drawn(c nn.ConvConfig, rng *rand.Rand) *nn.Conv2d {
	l := nn.NewConv2d(c, nil)
	if rng != nil {
		draw(l.Weight, 1, rng)
	}
	return l
}

// features maps x, nb x in x h x w, to nb x h/32 x w/32 x width, channels last, sizes rounded down.
func (m *ConvNeXt) features(x *autograd.Value, recompute bool) *autograd.Value {
	t := x.Tape()
	y := t.Scope(func() *autograd.Value { return m.StemNorm.Forward(autograd.ChannelsLast(m.Stem.Forward(x))) })
	for _, s := range m.Stages {
		if s.Down != nil {
			in := y
			y = t.Scope(func() *autograd.Value {
				return autograd.ChannelsLast(s.Down.Forward(autograd.ChannelsFirst(s.Norm.Forward(in))))
			})
		}
		for _, b := range s.Blocks {
			if recompute {
				y = autograd.Recompute(y, b.forward)
			} else {
				y = t.Scope(func() *autograd.Value { return b.forward(y) })
			}
		}
	}
	return y
}

// forward maps x, nb x h x w x width.
func (b *ConvBlock) forward(x *autograd.Value) *autograd.Value {
	y := autograd.ChannelsLast(b.Conv.Forward(autograd.ChannelsFirst(x)))
	return nn.PerceptronBranch(b.FC1, b.FC2, b.Norm.Forward(y), b.Gamma, x)
}

// global returns the normalised mean of features, nb x h x w x width, over the grid: nb x width.
func (m *ConvNeXt) global(features *autograd.Value) *autograd.Value {
	return m.Norm.Forward(autograd.MeanAxes(features, false, 1, 2))
}

// unitChannels scales every channel of x, nb x nc x ny x nx, to a root mean square of 1 over the grid.
func unitChannels(x *autograd.Value) *autograd.Value {
	rms := autograd.Sqrt(autograd.MeanAxes(autograd.Square(x), true, 2, 3), 1e-5)
	return autograd.Div(x, autograd.Broadcast(rms, x.Shape...))
}
