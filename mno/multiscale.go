package mno

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/spectral"
)

// MultiscaleConfig describes a multiscale operator. In, Out and Hidden are required; the zero value of everything else is a sound choice.
type MultiscaleConfig struct {
	In     int `json:"in"`            // channels of the input function
	Out    int `json:"out"`           // channels of the output function
	Hidden int `json:"hidden"`        // channels in between
	Dim    int `json:"dim,omitempty"` // axes of the grid, 1 to 3; 0 means 2

	// Scales are the sizes of the grids of the branches relative to the input's, finest first: a side of n points has floor(n scale). The
	// default is 1, 1/2, 1/4.
	Scales []float64 `json:"scales,omitempty"`
	// Modes is how many Fourier modes each branch keeps along each axis, both signs together, as in spectral.Config: one list per scale. The
	// default is 32 scale along every axis, at most 16; in three dimensions half of that.
	Modes [][]int `json:"modes,omitempty"`
	// Layers is the number of Fourier blocks of a branch; 0 means 3.
	Layers int `json:"layers,omitempty"`
	// Fusion joins the branches; the default is FuseHierarchical.
	Fusion Fusion `json:"fusion,omitempty"`
	// LiftingHidden and ProjectionHidden are the widths of the perceptrons at both ends; 0 means 4 Hidden.
	LiftingHidden    int `json:"lifting_hidden,omitempty"`
	ProjectionHidden int `json:"projection_hidden,omitempty"`
	// NoGrid leaves the coordinates out of the input.
	NoGrid bool `json:"no_grid,omitempty"`

	// Defects of SPAMoE's implementation that its checkpoints were trained with.
	Defects MultiscaleDefects `json:"defects,omitzero"`
}

// MultiscaleDefects reproduces what SPAMoE's implementation does wrong. The zero value is right.
type MultiscaleDefects struct {
	// FirstBlockOnly runs the first Fourier block of each branch; the others are parameters without effect.
	FirstBlockOnly bool `json:"first_block_only,omitempty"`
	// IgnoreScaleWeights leaves the weights of the scales in FuseAdaptive without effect.
	IgnoreScaleWeights bool `json:"ignore_scale_weights,omitempty"`
	// Spectral are those of the Fourier blocks.
	Spectral spectral.Defects `json:"spectral,omitzero"`
}

// Fusion is a way to join functions on grids of different scales.
type Fusion string

// The fusions, named as SPAMoE names them.
const (
	// FuseHierarchical starts at the coarsest grid and joins one finer grid after the other: u <- GELU(W [resample u, v_i] + b).
	FuseHierarchical Fusion = "hierarchical"
	// FuseAdaptive brings all to the first scale's grid, weighs them by n softmax(weights) and joins them with a perceptron.
	FuseAdaptive Fusion = "adaptive"
)

// ReferenceMultiscale returns the settings with which SPAMoE uses its multiscale operator in two dimensions, with its defects.
func ReferenceMultiscale(in, out, hidden int) MultiscaleConfig {
	return MultiscaleConfig{In: in, Out: out, Hidden: hidden,
		Defects: MultiscaleDefects{FirstBlockOnly: true, IgnoreScaleWeights: true, Spectral: spectral.ReferenceDefects()}}
}

func (c MultiscaleConfig) defaults() MultiscaleConfig {
	orDefault(&c.Dim, 2)
	orDefault(&c.Layers, 3)
	orDefault(&c.LiftingHidden, 4*c.Hidden)
	orDefault(&c.ProjectionHidden, 4*c.Hidden)
	if len(c.Scales) == 0 {
		c.Scales = []float64{1, 0.5, 0.25}
	}
	if len(c.Modes) == 0 && c.Dim > 0 {
		most, points := 16, 32.0
		if c.Dim == 3 {
			most, points = 8, 16
		}
		for _, s := range c.Scales {
			c.Modes = append(c.Modes, slices.Repeat([]int{max(1, min(most, int(points*s)))}, c.Dim))
		}
	}
	if c.Fusion == "" {
		c.Fusion = FuseHierarchical
	}
	return c
}

// Check reports the first thing in c that cannot work.
func (c MultiscaleConfig) Check() error {
	c = c.defaults()
	switch {
	case c.In < 1 || c.Out < 1 || c.Hidden < 1:
		return fmt.Errorf("mno: %d input, %d hidden and %d output channels; want at least 1 of each", c.In, c.Hidden, c.Out)
	case c.Dim < 1 || c.Dim > 3:
		return fmt.Errorf("mno: dim %d; want 1 to 3", c.Dim)
	case c.LiftingHidden < 1 || c.ProjectionHidden < 1:
		return fmt.Errorf("mno: lifting_hidden %d, projection_hidden %d; want at least 1", c.LiftingHidden, c.ProjectionHidden)
	case len(c.Modes) != len(c.Scales):
		return fmt.Errorf("mno: modes %v for the scales %v; want one list for each", c.Modes, c.Scales)
	case c.Fusion != FuseHierarchical && c.Fusion != FuseAdaptive:
		return fmt.Errorf("mno: fusion %q; want %q or %q", c.Fusion, FuseHierarchical, FuseAdaptive)
	}
	for i, s := range c.Scales {
		if !(s > 0 && s <= 4) {
			return fmt.Errorf("mno: scales %v; want positive numbers up to 4", c.Scales)
		}
		if len(c.Modes[i]) != c.Dim {
			return fmt.Errorf("mno: modes %v of scale %v for %d axes", c.Modes[i], s, c.Dim)
		}
		blocks := c.blocks(i)
		if err := blocks.Check(); err != nil {
			return fmt.Errorf("mno: scale %v: %w", s, err)
		}
	}
	if c.Scales[0] != 1 {
		return fmt.Errorf("mno: scales %v; want 1 first, the grid of the result", c.Scales)
	}
	return nil
}

func (c *MultiscaleConfig) blocks(i int) spectral.BlockConfig {
	return spectral.BlockConfig{Channels: c.Hidden, Modes: c.Modes[i], Layers: c.Layers, Defects: c.Defects.Spectral}
}

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
	c = c.defaults()
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

// Forward maps x, nb x In x n1 .. nd, to nb x Out x n1 .. nd. Every scale needs at least one point along each axis.
func (m *Multiscale) Forward(x *autograd.Value) *autograd.Value {
	c := &m.Config
	if x.Rank() != c.Dim+2 || x.Shape[1] != c.In {
		panic(fmt.Sprintf("mno: Multiscale: shape %v; want [batch, %d, %d axes]", x.Shape, c.In, c.Dim))
	}
	for _, s := range c.Scales {
		if slices.Min(scaled(x.Shape[2:], s)) < 1 {
			panic(fmt.Sprintf("mno: Multiscale: shape %v has no points left at scale %v", x.Shape, s))
		}
	}
	return x.Tape().Scope(func() *autograd.Value { return m.run(x) })
}

func (m *Multiscale) run(x *autograd.Value) *autograd.Value {
	t := x.Tape()
	if m.grid != nil {
		x = m.grid.ForwardChannelsFirst(x)
	}
	branches := make([]*autograd.Value, len(m.Config.Scales))
	for i := range branches {
		branches[i] = t.Scope(func() *autograd.Value { return m.branch(i, x) })
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
		x = m.Config.Defects.Spectral.Resample(x, scaled(x.Shape[2:], s)...)
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

// scaled returns the sides of a grid at a scale.
func scaled(n []int, scale float64) []int {
	out := make([]int, len(n))
	for a, v := range n {
		out[a] = int(float64(v) * scale)
	}
	return out
}

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
	all := make([]*autograd.Value, len(branches))
	for i, v := range branches {
		all[i] = m.onGrid(v, branches[0])
	}
	v := autograd.Concat(all[0].Rank()-1, all...)
	if !m.Config.Defects.IgnoreScaleWeights {
		n, nc := len(branches), m.Config.Hidden
		w := autograd.Scale(autograd.Softmax(t.Param(m.ScaleWeights)), float32(n))
		v = autograd.MulLast(v, autograd.Reshape(autograd.Broadcast(autograd.Reshape(w, n, 1), n, nc), n*nc))
	}
	return m.FusionOut.Forward(autograd.ReLU(m.FusionIn.Forward(v)))
}
