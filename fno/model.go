package fno

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/spectral"
)

// Model is a Fourier neural operator. It may be used by many goroutines at once, with a tape each, except for SetModes. Its layers keep the
// plans of the last grids, at most 64 each, so that the first pass on a grid takes longer than the next.
type Model struct {
	Config     Config           `param:"-"` // with 0 replaced by what it stands for
	Lifting    spectral.Layer   `param:"lifting"`
	Blocks     *spectral.Blocks `param:"fno_blocks"`
	Projection spectral.Layer   `param:"projection"`

	grid *nn.GridEmbedding
}

// New returns a model with weights drawn from rng; a nil rng leaves zeros, for weights that are loaded.
func New(c Config, rng *rand.Rand) (*Model, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c = c.Clone().defaults()
	blocks, err := spectral.NewBlocks(c.blocks(), rng)
	if err != nil {
		return nil, fmt.Errorf("fno: %w", err)
	}
	m := &Model{Config: c, Blocks: blocks}
	in := c.In
	if !c.NoGrid {
		m.grid = nn.NewGridEmbedding(len(c.Modes))
		in += m.grid.Channels()
	}
	lifting := nn.ChannelMLPConfig{In: in, Out: c.Hidden, Hidden: max(1, int(c.LiftingRatio*float64(c.Hidden)))}
	if c.LinearLifting {
		lifting.Layers = 1
	}
	projection := nn.ChannelMLPConfig{In: c.Hidden, Out: c.Out, Hidden: max(1, int(c.ProjectionRatio*float64(c.Hidden)))}
	m.Lifting = perceptron(lifting, c.Complex, rng)
	m.Projection = perceptron(projection, c.Complex, rng)
	return m, nil
}

func perceptron(c nn.ChannelMLPConfig, complex bool, rng *rand.Rand) spectral.Layer {
	if !complex {
		return nn.NewChannelMLP(c, rng)
	}
	return &spectral.ComplexPair{Re: nn.NewChannelMLP(c, rng), Im: nn.NewChannelMLP(c, rng)}
}

// Options are what one call of ForwardWith may add.
type Options struct {
	// Size is the output grid; the last block changes to it. Default: the input grid times Scale.
	Size []int
	// Embedding describes the samples where the blocks normalise by spectral.NormaliseAdaIN: width, or nb x width.
	Embedding *autograd.Value
}

// OutputGrid returns the grid that the model maps the grid n to, which is n where there is no Scale. It reports a grid that the model
// cannot be applied to: one of which a scale leaves no points, or makes too many to be held.
func (m *Model) OutputGrid(n ...int) ([]int, error) {
	c := &m.Config
	if len(n) != len(c.Modes) || slices.Min(n) < 1 {
		return nil, fmt.Errorf("fno: grid %v; want %d positive sizes", n, len(c.Modes))
	}
	pads := m.padding(n)
	out := pads.around(n, c.PadEnd)
	for i, conv := range m.Blocks.Convs {
		size, err := conv.OutputGrid(out...)
		if err != nil {
			return nil, fmt.Errorf("fno: block %d: %w", i, err)
		}
		pads, out = pads.scaled(out, size), size
	}
	if out = pads.inside(out, c.PadEnd); slices.Min(out) < 1 {
		return nil, fmt.Errorf("fno: scale %v leaves no points of the grid %v", c.Scale, n)
	}
	return out, nil
}

// Forward maps x, nb x In x n1 .. nd, to nb x Out x n1 .. nd; with a further last axis of 2 if complex. It panics on grids for which
// OutputGrid reports an error.
func (m *Model) Forward(x *autograd.Value) *autograd.Value { return m.ForwardWith(x, Options{}) }

// ForwardWith is Forward with options.
func (m *Model) ForwardWith(x *autograd.Value, o Options) *autograd.Value {
	c := &m.Config
	d := len(c.Modes)
	rank := d + 2
	if c.Complex {
		rank++
	}
	if x.Rank() != rank || x.Shape[1] != c.In || c.Complex && x.Dim(-1) != 2 {
		numbers := ""
		if c.Complex {
			numbers = ", 2"
		}
		panic(fmt.Sprintf("fno: Forward: shape %v; want [batch, %d channels, %d axes%s]", x.Shape, c.In, d, numbers))
	}
	if o.Size != nil && (len(o.Size) != d || slices.Min(o.Size) < 1) {
		panic(fmt.Sprintf("fno: Forward: output grid %v for shape %v", o.Size, x.Shape))
	}
	if len(c.Scale) > 0 && o.Size == nil {
		if _, err := m.OutputGrid(x.Shape[2 : 2+d]...); err != nil {
			panic(err.Error())
		}
	}
	v := x.Tape().Scope(func() *autograd.Value { return m.run(x, o) })
	return v
}

// run works on channels-last data. Every part that makes many intermediate values has a scope of its own.
func (m *Model) run(x *autograd.Value, o Options) *autograd.Value {
	c := &m.Config
	t := x.Tape()
	d := len(c.Modes)
	v := t.Scope(func() *autograd.Value { return m.Lifting.Forward(m.embed(channelsLast(x, d, c.Complex))) })
	pads := m.padding(v.Shape[1 : 1+d])
	v = pads.pad(v, c.PadEnd)
	for i := range c.Layers {
		options := spectral.BlockOptions{Embedding: o.Embedding}
		from := v.Shape[1 : 1+d]
		size := m.Blocks.Size(i, from)
		outPads := pads.scaled(from, size)
		if o.Size != nil && i == c.Layers-1 {
			outPads = m.padding(o.Size)
			size = outPads.around(o.Size, c.PadEnd)
		}
		options.Size = size
		in := v
		v = t.Scope(func() *autograd.Value { return m.Blocks.Forward(in, i, options) })
		pads = outPads
	}
	v = pads.crop(v, c.PadEnd)
	return channelsFirst(m.Projection.Forward(v), d, c.Complex)
}

// SetModes changes the Fourier modes in use, up to Config.MaxModes or, where there are none, the modes that the model was made with.
// Config has both from then on, so that New makes a model that is alike of it.
func (m *Model) SetModes(modes ...int) error {
	if err := m.Blocks.SetModes(modes...); err != nil {
		return err
	}
	used := &m.Blocks.Config
	m.Config.Modes, m.Config.MaxModes = slices.Clone(used.Modes), slices.Clone(used.MaxModes)
	return nil
}

// embed appends the coordinates to the channels; those of the imaginary parts of complex data are zero.
func (m *Model) embed(x *autograd.Value) *autograd.Value {
	if m.grid == nil {
		return x
	}
	if !m.Config.Complex {
		return m.grid.Forward(x)
	}
	nb := x.Shape[0] / 2
	re, im := autograd.Narrow(x, 0, 0, nb), autograd.Narrow(x, 0, nb, nb)
	shape := append(make([]int, 0, 8), im.Shape...)
	shape[len(shape)-1] = m.grid.Channels()
	zeros := x.Tape().Alloc(shape...)
	clear(zeros.Data)
	return autograd.Concat(0, m.grid.Forward(re), autograd.Concat(len(shape)-1, im, x.Tape().Const(zeros)))
}

// channelsLast turns nb x nc x n1 .. nd into nb x n1 .. nd x nc, and complex data into a batch of real parts, then imaginary ones.
func channelsLast(x *autograd.Value, d int, complex bool) *autograd.Value {
	if !complex {
		return autograd.ChannelsLast(x)
	}
	axes := append(make([]int, 0, 8), d+2, 0)
	for i := range d {
		axes = append(axes, 2+i)
	}
	x = autograd.Permute(x, append(axes, 1)...)
	return autograd.Reshape(x, append(append(make([]int, 0, 8), 2*x.Shape[1]), x.Shape[2:]...)...)
}

// channelsFirst is the reverse of channelsLast.
func channelsFirst(x *autograd.Value, d int, complex bool) *autograd.Value {
	if !complex {
		return autograd.ChannelsFirst(x)
	}
	x = autograd.Reshape(x, append(append(make([]int, 0, 8), 2, x.Shape[0]/2), x.Shape[1:]...)...)
	axes := append(make([]int, 0, 8), 1, d+2)
	for i := range d {
		axes = append(axes, 2+i)
	}
	return autograd.Permute(x, append(axes, 0)...)
}
