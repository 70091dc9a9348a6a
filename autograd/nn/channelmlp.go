package nn

import (
	"fmt"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
)

// ChannelMLPConfig says what a ChannelMLP is made of.
type ChannelMLPConfig struct {
	In int `json:"in"`
	// Out and Hidden default to In.
	Out    int `json:"out,omitempty"`
	Hidden int `json:"hidden,omitempty"`
	// Layers is the number of linear maps; 0 means 2. With 1 there is neither a hidden width nor an activation.
	Layers int `json:"layers,omitempty"`
	// Dropout, in [0, 1), is applied behind every layer in training.
	Dropout float32 `json:"dropout,omitempty"`
}

// ChannelMLP is a multi-layer perceptron over the channels of every grid point, with exact GELU between its layers:
// h = GELU(W_1 x + b_1), .., y = W_L h + b_L. It does not know the grid.
type ChannelMLP struct {
	FCs     []*Linear `param:"fcs"` // weights out x in x 1
	Dropout float32   `param:"-"`
}

// NewChannelMLP returns an initialised perceptron; a nil rng leaves zeros. It panics on sizes below 1 and on a dropout outside
// [0, 1).
func NewChannelMLP(c ChannelMLPConfig, rng *rand.Rand) *ChannelMLP {
	if c.Layers == 0 {
		c.Layers = 2
	}
	if c.Out == 0 {
		c.Out = c.In
	}
	if c.Hidden == 0 {
		c.Hidden = c.In
	}
	positive("ChannelMLP", "the number of layers", c.Layers)
	if !(c.Dropout >= 0 && c.Dropout < 1) {
		panic(fmt.Sprintf("nn: ChannelMLP: dropout %v; want 0 <= dropout < 1", c.Dropout))
	}
	m := &ChannelMLP{Dropout: c.Dropout}
	in := c.In
	for i := range c.Layers {
		out := c.Hidden
		if i == c.Layers-1 {
			out = c.Out
		}
		m.FCs = append(m.FCs, NewPointwise(in, out, 1, true, rng))
		in = out
	}
	return m
}

// Forward maps x, nb x n1 .. nd x In, to nb x n1 .. nd x Out.
func (m *ChannelMLP) Forward(x *autograd.Value) *autograd.Value {
	if t := x.Tape(); len(m.FCs) == 2 && (m.Dropout == 0 || !t.Train) {
		a, b := m.FCs[0], m.FCs[1]
		return autograd.Perceptron(x, t.Param(a.Weight), t.Param(a.Bias), t.Param(b.Weight), t.Param(b.Bias))
	}
	for i, fc := range m.FCs {
		if i < len(m.FCs)-1 {
			x = fc.ForwardGELU(x)
		} else {
			x = fc.Forward(x)
		}
		if m.Dropout > 0 {
			x = autograd.Dropout(x, m.Dropout)
		}
	}
	return x
}
