package mno

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

// Model is a multiwavelet neural operator. It may be used by many goroutines at once, with a tape each.
type Model struct {
	Config  Config     `param:"-"` // with 0 replaced by what it stands for
	Lifting *nn.Linear `param:"Lk"`
	Blocks  []*Block   `param:"MWT_CZ"`
	Hidden  *nn.Linear `param:"Lc0"`
	Output  *nn.Linear `param:"Lc1"`

	grid *nn.GridEmbedding
}

// New returns a model with weights drawn from rng; a nil rng leaves zeros, for weights that are loaded.
func New(c Config, rng *rand.Rand) (*Model, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c = c.defaults()
	m := &Model{Config: c}
	in := c.In
	if !c.NoGrid {
		m.grid = nn.NewGridEmbedding(c.Dim)
		in += c.Dim
	}
	m.Lifting = nn.NewLinear(in, c.width(), true, rng)
	for range c.Blocks {
		b, err := NewBlock(c, rng)
		if err != nil {
			return nil, err
		}
		m.Blocks = append(m.Blocks, b)
	}
	m.Hidden = nn.NewLinear(c.width(), c.ProjectionHidden, true, rng)
	m.Output = nn.NewLinear(c.ProjectionHidden, c.Out, true, rng)
	return m, nil
}

// CheckGrid reports a grid that the model cannot be applied to: one of other axes than it has, or without points.
func (m *Model) CheckGrid(n ...int) error {
	if len(n) != m.Config.Dim || slices.Min(n) < 1 {
		return fmt.Errorf("mno: grid %v; want %d positive sizes", n, m.Config.Dim)
	}
	return nil
}

// Forward maps x, nb x In x n1 .. nd, to nb x Out x n1 .. nd. It panics on grids for which CheckGrid reports an error.
func (m *Model) Forward(x *autograd.Value) *autograd.Value {
	c := &m.Config
	if x.Rank() != c.Dim+2 || x.Shape[1] != c.In || m.CheckGrid(x.Shape[2:]...) != nil {
		panic(fmt.Sprintf("mno: Forward: shape %v; want [batch, %d, %d axes]", x.Shape, c.In, c.Dim))
	}
	return x.Tape().Scope(func() *autograd.Value { return m.run(x) })
}

func (m *Model) run(x *autograd.Value) *autograd.Value {
	t := x.Tape()
	n := x.Shape[2:]
	size := make([]int, 2)[:len(n)]
	m.Config.fit(size, n)
	v := t.Scope(func() *autograd.Value {
		v := autograd.ChannelsLast(x)
		if m.grid != nil {
			v = m.grid.Forward(v)
		}
		return extend(m.Lifting.Forward(v), n, size, 1)
	})
	for i, b := range m.Blocks {
		in := v
		v = t.Scope(func() *autograd.Value {
			if i > 0 {
				in = autograd.ReLU(in)
			}
			return b.Forward(in)
		})
	}
	v = extend(v, n, size, -1)
	return autograd.ChannelsFirst(m.Output.Forward(autograd.ReLU(m.Hidden.Forward(v))))
}

// extend continues x, nb x n1 .. nd x nc, by reflection to the sides size, half of it before and half behind; sign -1 crops what sign 1 adds.
func extend(x *autograd.Value, n, size []int, sign int) *autograd.Value {
	if slices.Equal(n, size) {
		return x
	}
	pads := append(make([]int, 0, 6), 0, 0) // the channels
	for a := len(n) - 1; a >= 0; a-- {
		before := (size[a] - n[a]) / 2
		pads = append(pads, sign*before, sign*(size[a]-n[a]-before))
	}
	return autograd.Pad(x, pads, autograd.PadReflect)
}
