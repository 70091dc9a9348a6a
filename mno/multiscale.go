package mno

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/spectral"
)

// Multiscale is the multiscale operator of SPAMoE (arXiv 2604.07421): branches of Fourier blocks on grids of different resolution, each with
// a lifting of its own, whose results are joined from coarse to fine. It may be used by many goroutines at once, with a tape each.
type Multiscale struct {
	Config       MultiscaleConfig   `param:"-"` // with 0 replaced by what it stands for
	ScaleWeights *autograd.Param    `param:"scale_weights"`
	Liftings     []*nn.ChannelMLP   `param:"scale_liftings"`
	Blocks       []*spectral.Blocks `param:"scale_blocks"`
	Fusion       []*nn.Linear       `param:"scale_fusion"` // FuseHierarchical: fusion i joins scale i to the coarser ones
	FusionIn     *nn.Linear         `param:"fusion_layer.0"`
	FusionOut    *nn.Linear         `param:"fusion_layer.2"`
	Projection   *nn.ChannelMLP     `param:"projection"`

	grid *nn.GridEmbedding
}

// NewMultiscale returns a model with weights drawn from rng; a nil rng leaves zeros, for weights that are loaded.
func NewMultiscale(c MultiscaleConfig, rng *rand.Rand) (*Multiscale, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c = c.Clone().defaults()
	m := &Multiscale{Config: c}
	in := c.In
	if !c.NoGrid {
		m.grid = nn.NewGridEmbedding(c.Dim)
		in += c.Dim
	}
	for i := range c.Scales {
		m.Liftings = append(m.Liftings, nn.NewChannelMLP(nn.ChannelMLPConfig{In: in, Out: c.Hidden, Hidden: c.LiftingHidden}, rng))
		b, err := spectral.NewBlocks(c.blocks(i), rng)
		if err != nil {
			return nil, fmt.Errorf("mno: %w", err)
		}
		m.Blocks = append(m.Blocks, b)
	}
	scales := len(c.Scales)
	if c.Fusion == FuseAdaptive {
		m.ScaleWeights = autograd.NewParam(scales)
		for i := range m.ScaleWeights.Data {
			m.ScaleWeights.Data[i] = 1 / float32(scales)
		}
		m.FusionIn = nn.NewPointwise(c.Hidden*scales, c.Hidden, c.Dim, true, rng)
		m.FusionOut = nn.NewPointwise(c.Hidden, c.Hidden, c.Dim, true, rng)
	} else {
		for range scales - 1 {
			m.Fusion = append(m.Fusion, nn.NewPointwise(2*c.Hidden, c.Hidden, c.Dim, true, rng))
		}
	}
	m.Projection = nn.NewChannelMLP(nn.ChannelMLPConfig{In: c.Hidden, Out: c.Out, Hidden: c.ProjectionHidden}, rng)
	return m, nil
}

// CheckGrid reports a grid that the model cannot be applied to: one of which a scale leaves no points along an axis.
func (m *Multiscale) CheckGrid(n ...int) error {
	c := &m.Config
	if len(n) != c.Dim || slices.Min(n) < 1 {
		return fmt.Errorf("mno: grid %v; want %d positive sizes", n, c.Dim)
	}
	for _, s := range c.Scales {
		if scaled(slices.Min(n), s) < 1 {
			return fmt.Errorf("mno: scale %v leaves no points of the grid %v", s, n)
		}
	}
	return nil
}

// Forward maps x, nb x In x n1 .. nd, to nb x Out x n1 .. nd. It panics on grids for which CheckGrid reports an error.
func (m *Multiscale) Forward(x *autograd.Value) *autograd.Value {
	c := &m.Config
	if x.Rank() != c.Dim+2 || x.Shape[1] != c.In {
		panic(fmt.Sprintf("mno: Multiscale: shape %v; want [batch, %d, %d axes]", x.Shape, c.In, c.Dim))
	}
	if err := m.CheckGrid(x.Shape[2:]...); err != nil {
		panic(err.Error())
	}
	return x.Tape().Scope(func() *autograd.Value { return m.run(x) })
}

func (m *Multiscale) run(x *autograd.Value) *autograd.Value {
	t := x.Tape()
	if m.grid != nil {
		x = m.grid.ForwardChannelsFirst(x)
	}
	branches := make([]*autograd.Value, 0, 8)
	for i := range m.Config.Scales {
		branches = append(branches, t.Scope(func() *autograd.Value { return m.branch(i, x) }))
	}
	var v *autograd.Value
	if m.Config.Fusion == FuseAdaptive {
		v = m.adaptive(branches)
	} else {
		v = m.hierarchical(branches)
	}
	return autograd.ChannelsFirst(m.Projection.Forward(v))
}

// branch runs x, channels first, through the blocks of scale i.
func (m *Multiscale) branch(i int, x *autograd.Value) *autograd.Value {
	if s := m.Config.Scales[i]; s != 1 {
		size := make([]int, 0, 3)
		for _, n := range x.Shape[2:] {
			size = append(size, scaled(n, s))
		}
		x = m.Config.Defects.Spectral.Resample(x, size...)
	}
	v := m.Liftings[i].Forward(autograd.ChannelsLast(x))
	layers := m.Config.Layers
	if m.Config.Defects.FirstBlockOnly {
		layers = 1
	}
	for l := range layers {
		v = m.Blocks[i].Forward(v, l, spectral.BlockOptions{})
	}
	return v
}

// scaled returns the side n of a grid at a scale.
func scaled(n int, scale float64) int { return int(float64(n) * scale) }

// onGrid resamples channels-last v to the grid of like.
func (m *Multiscale) onGrid(v, like *autograd.Value) *autograd.Value {
	size := like.Shape[1 : 1+m.Config.Dim]
	if slices.Equal(v.Shape[1:1+m.Config.Dim], size) {
		return v
	}
	return autograd.ChannelsLast(m.Config.Defects.Spectral.Resample(autograd.ChannelsFirst(v), size...))
}

func (m *Multiscale) hierarchical(branches []*autograd.Value) *autograd.Value {
	v := branches[len(branches)-1]
	for i := len(branches) - 2; i >= 0; i-- {
		v = m.Fusion[i].ForwardGELU(autograd.Concat(v.Rank()-1, m.onGrid(v, branches[i]), branches[i]))
	}
	return v
}

func (m *Multiscale) adaptive(branches []*autograd.Value) *autograd.Value {
	t := branches[0].Tape()
	all := make([]*autograd.Value, 0, 8)
	for _, v := range branches {
		all = append(all, m.onGrid(v, branches[0]))
	}
	v := autograd.Concat(all[0].Rank()-1, all...)
	if !m.Config.Defects.IgnoreScaleWeights {
		n, nc := len(branches), m.Config.Hidden
		w := autograd.Scale(autograd.Softmax(t.Param(m.ScaleWeights)), float32(n))
		v = autograd.MulLast(v, autograd.Reshape(autograd.Broadcast(autograd.Reshape(w, n, 1), n, nc), n*nc))
	}
	return m.FusionOut.Forward(autograd.ReLU(m.FusionIn.Forward(v)))
}
