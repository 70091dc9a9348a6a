package lno

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

// Model is a local neural operator. It may be used by many goroutines at once, with a tape each, except for SetModes. Its layers keep the
// plans and tables of the last grids, at most 64 each, so that the first pass on a grid takes longer than the next.
type Model struct {
	Config     Config         `param:"-"` // with 0 replaced by what it stands for
	Lifting    *nn.ChannelMLP `param:"lifting"`
	Blocks     *Blocks        `param:"local_no_blocks"`
	Projection *nn.ChannelMLP `param:"projection"`

	grid *nn.GridEmbedding
}

// New returns a model with weights drawn from rng; a nil rng leaves zeros, for weights that are loaded.
func New(c Config, rng *rand.Rand) (*Model, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c = c.Clone().defaults()
	blocks, err := newBlocks(c, rng)
	if err != nil {
		return nil, err
	}
	m := &Model{Config: c, Blocks: blocks}
	if err := m.CheckGrid(c.Grid...); err != nil {
		return nil, err
	}
	in := c.In
	if !c.NoGrid {
		m.grid = nn.NewGridEmbedding(len(c.Modes))
		in += m.grid.Channels()
	}
	m.Lifting = nn.NewChannelMLP(nn.ChannelMLPConfig{In: in, Out: c.Hidden, Hidden: max(1, int(c.LiftingRatio*float64(c.Hidden)))}, rng)
	m.Projection = nn.NewChannelMLP(nn.ChannelMLPConfig{In: c.Hidden, Out: c.Out, Hidden: max(1, int(c.ProjectionRatio*float64(c.Hidden)))}, rng)
	return m, nil
}

// Options are what one call of ForwardWith may add.
type Options struct {
	// Size is the output grid; the last block changes to it. Default: the input grid times Scale.
	Size []int
	// Embedding describes the samples where the blocks normalise by spectral.NormaliseAdaIN: width, or nb x width.
	Embedding *autograd.Value
}

// OutputGrid returns the grid that the model maps the grid n to, which is n where there is no Scale. It reports a grid that the model
// cannot be applied to: one so coarse that a function of the basis has no grid point in its support, so small that it cannot be padded, or one
// of which a scale leaves no points, or makes too many to be held.
func (m *Model) OutputGrid(n ...int) ([]int, error) {
	c := &m.Config
	if len(n) != len(c.Modes) || slices.Min(n) < 1 {
		return nil, fmt.Errorf("lno: grid %v; want %d positive sizes", n, len(c.Modes))
	}
	for i, conv := range m.Blocks.Convs {
		if _, err := m.Blocks.plan(i, n); err != nil {
			return nil, err
		}
		var err error
		if n, err = conv.OutputGrid(n...); err != nil {
			return nil, fmt.Errorf("lno: block %d: %w", i, err)
		}
	}
	return n, nil
}

// CheckGrid reports an input grid for which OutputGrid reports an error.
func (m *Model) CheckGrid(n ...int) error {
	_, err := m.OutputGrid(n...)
	return err
}

// Forward maps x, nb x In x n1 .. nd, to nb x Out x n1 .. nd. It panics on grids for which CheckGrid reports an error.
func (m *Model) Forward(x *autograd.Value) *autograd.Value { return m.ForwardWith(x, Options{}) }

// ForwardWith is Forward with options.
func (m *Model) ForwardWith(x *autograd.Value, o Options) *autograd.Value {
	c := &m.Config
	d := len(c.Modes)
	if x.Rank() != d+2 || x.Shape[1] != c.In {
		panic(fmt.Sprintf("lno: Forward: shape %v; want [batch, %d, %d axes]", x.Shape, c.In, d))
	}
	if o.Size != nil && (len(o.Size) != d || slices.Min(o.Size) < 1) {
		panic(fmt.Sprintf("lno: Forward: output grid %v for shape %v", o.Size, x.Shape))
	}
	if len(c.Scale) > 0 && o.Size == nil {
		if err := m.CheckGrid(x.Shape[2:]...); err != nil {
			panic(err.Error())
		}
	}
	t := x.Tape()
	// Every part that makes many intermediate values has a scope of its own.
	return t.Scope(func() *autograd.Value {
		v := t.Scope(func() *autograd.Value {
			v := autograd.ChannelsLast(x)
			if m.grid != nil {
				v = m.grid.Forward(v)
			}
			return m.Lifting.Forward(v)
		})
		for i := range c.Layers {
			in := v
			size := m.Blocks.Convs[i].OutputSize(v.Shape[1 : 1+d])
			if o.Size != nil && i == c.Layers-1 {
				size = o.Size
			}
			v = t.Scope(func() *autograd.Value { return m.Blocks.forward(in, i, size, o.Embedding) })
		}
		return autograd.ChannelsFirst(m.Projection.Forward(v))
	})
}

// SetModes changes the Fourier modes in use, up to Config.MaxModes or, where there are none, the modes that the model was made with.
// Config has both from then on, so that New makes a model that is alike of it.
func (m *Model) SetModes(modes ...int) error {
	for _, conv := range m.Blocks.Convs {
		if err := conv.SetModes(modes...); err != nil {
			return err
		}
	}
	used := &m.Blocks.Convs[0].Config
	m.Config.Modes, m.Config.MaxModes = slices.Clone(used.Modes), slices.Clone(used.MaxModes)
	m.Blocks.config = m.Config
	return nil
}
