package lno

import (
	"fmt"
	"math"
	"slices"

	"github.com/spamoe/spamoe/spectral"
)

// Config describes a model. In, Out, Hidden, Modes and Grid are required; the zero value of everything else is a sound choice.
type Config struct {
	In     int `json:"in"`     // channels of the input function
	Out    int `json:"out"`    // channels of the output function
	Hidden int `json:"hidden"` // channels in between
	// Modes is how many Fourier modes are kept along each axis, both signs together; their number is the dimension, 1 to 3.
	Modes []int `json:"modes"`
	// MaxModes sizes the weights so that Modes can grow while training (Model.SetModes). Default: Modes.
	MaxModes []int `json:"max_modes,omitempty"`
	// Grid is the grid that the model is mostly used on, that of training: differential kernels have a cell of width 1 there, and the
	// default radius of integral kernels counts its cells. On other grids integral kernels stay the same in the unit of the domain, and so
	// do differential ones where all axes are refined by one factor. Where the factors differ, differential kernels do not: they divide by
	// one width, the geometric mean of the axes', so that derivatives along them come out too small or too large. For grids of
	// other proportions set Differential to []bool{false}.
	Grid []int `json:"grid"`
	// Layers is the number of blocks; 0 means 4.
	Layers int `json:"layers,omitempty"`

	// LiftingRatio and ProjectionRatio are the hidden widths of the two perceptrons over Hidden; 0 means 2.
	LiftingRatio    float64 `json:"lifting_ratio,omitempty"`
	ProjectionRatio float64 `json:"projection_ratio,omitempty"`
	// NoGrid leaves the coordinates out of the input; the model is then equivariant to translations of periodic functions.
	NoGrid bool `json:"no_grid,omitempty"`

	// Differential says which blocks have a differential kernel: one for all, or one per block. Default: all. On grids of other proportions
	// than Grid they change their meaning.
	Differential []bool `json:"differential,omitempty"`
	// Stencil is how many points a differential kernel has along each axis; 0 means 3.
	Stencil int `json:"stencil,omitempty"`
	// Depthwise gives each channel derivatives of its own instead of mixing the channels.
	Depthwise bool `json:"depthwise,omitempty"`

	// Integral says which blocks have a local integral kernel: one for all, or one per block. Default: all in two dimensions, none
	// in others, where there is none to be had.
	Integral []bool `json:"integral,omitempty"`
	// Basis, Radius, Domain, IntegralGroups and NoIntegralBias are Basis, Radius, Domain, Groups and NoBias of IntegralConfig.
	Basis          Basis     `json:"basis,omitzero"`
	Radius         float64   `json:"radius,omitempty"`
	Domain         []float64 `json:"domain,omitempty"`
	IntegralGroups int       `json:"integral_groups,omitempty"`
	NoIntegralBias bool      `json:"no_integral_bias,omitempty"`

	// Padding says how functions go on beyond the grid for both local kernels. The default is Replicate, or Periodic with NoGrid: the
	// coordinates are not periodic, and a derivative across their jump would grow as cells get smaller.
	Padding Padding `json:"padding,omitempty"`

	// Skip is the path around the kernels of a block; the default is spectral.SkipLinear.
	Skip spectral.Skip `json:"skip,omitempty"`
	// MLP puts a channel perceptron behind the kernels of each block, and a path around it from the block's input: MLPSkip, by default
	// spectral.SkipGate. MLPExpansion is its hidden width over Hidden; 0 means 0.5.
	MLP          bool          `json:"mlp,omitempty"`
	MLPSkip      spectral.Skip `json:"mlp_skip,omitempty"`
	MLPExpansion float64       `json:"mlp_expansion,omitempty"`
	MLPDropout   float32       `json:"mlp_dropout,omitempty"`
	// Normalise names a normalisation in the blocks; the default is none. NormGroups and Embedding size it.
	Normalise  spectral.Normalisation `json:"normalise,omitempty"`
	NormGroups int                    `json:"norm_groups,omitempty"`
	Embedding  int                    `json:"embedding,omitempty"`
	// Tanh bounds what enters the kernels.
	Tanh bool `json:"tanh,omitempty"`
	// Scale is each block's factor on the resolution: one number per block, or one for all.
	Scale []float64 `json:"scale,omitempty"`

	// Separable gives each channel its own spectrum instead of mixing channels in Fourier space.
	Separable bool `json:"separable,omitempty"`
	// Rank, if not 0, stores the spectral weights as Tucker decompositions with about Rank times as many numbers.
	Rank float64 `json:"rank,omitempty"`
	// Norm scales the Fourier transforms; the default is spectral.NormForward.
	Norm spectral.Norm `json:"norm,omitempty"`
	// Defects of the reference that its checkpoints were trained with.
	Defects Defects `json:"defects,omitzero"`
}

// Defects reproduces what the reference does wrong. The zero value is right.
type Defects struct {
	Spectral spectral.Defects `json:"spectral,omitzero"`
	Integral IntegralDefects  `json:"integral,omitzero"`
	// MixedWidth takes for the width of a cell the first size of Grid over the last size of the actual grid. Ours is the mean, over the
	// axes, of the ratios of sizes (the geometric one), which is the same where both grids are square.
	MixedWidth bool `json:"mixed_width,omitempty"`
}

// ReferenceDefects are those of SPAMoE's fork of neuraloperator.
func ReferenceDefects() Defects {
	return Defects{Spectral: spectral.ReferenceDefects(), Integral: ReferenceIntegralDefects(), MixedWidth: true}
}

// Reference returns the settings with which SPAMoE uses its fork of neuraloperator, 3 blocks, with the fork's defects.
func Reference(in, out, hidden int, modes, grid []int) Config {
	return Config{In: in, Out: out, Hidden: hidden, Modes: modes, Grid: grid, Layers: 3, Padding: Periodic, Defects: ReferenceDefects()}
}

// Clone returns a copy of c that shares no memory with it.
func (c Config) Clone() Config {
	c.Modes, c.MaxModes, c.Grid = slices.Clone(c.Modes), slices.Clone(c.MaxModes), slices.Clone(c.Grid)
	c.Differential, c.Integral = slices.Clone(c.Differential), slices.Clone(c.Integral)
	c.Basis, c.Domain, c.Scale = c.Basis.clone(), slices.Clone(c.Domain), slices.Clone(c.Scale)
	c.Defects.Integral = c.Defects.Integral.clone()
	return c
}

// defaults fills in what 0 stands for.
func (c Config) defaults() Config {
	if c.Layers == 0 {
		c.Layers = 4
	}
	if c.LiftingRatio == 0 {
		c.LiftingRatio = 2
	}
	if c.ProjectionRatio == 0 {
		c.ProjectionRatio = 2
	}
	if c.Stencil == 0 {
		c.Stencil = 3
	}
	if c.Padding == "" {
		c.Padding = Replicate
		if c.NoGrid {
			c.Padding = Periodic
		}
	}
	if c.Skip == "" {
		c.Skip = spectral.SkipLinear
	}
	if c.MLPSkip == "" {
		c.MLPSkip = spectral.SkipGate
	}
	if c.MLPExpansion == 0 {
		c.MLPExpansion = 0.5
	}
	return c
}

// Check reports the first thing in c that cannot work.
func (c Config) Check() error {
	c = c.defaults()
	d := len(c.Modes)
	switch {
	case c.In < 1 || c.Out < 1 || c.Hidden < 1:
		return fmt.Errorf("lno: %d input, %d hidden and %d output channels; want at least 1 of each", c.In, c.Hidden, c.Out)
	case !(c.LiftingRatio > 0) || !(c.ProjectionRatio > 0):
		return fmt.Errorf("lno: lifting_ratio %v, projection_ratio %v; want positive numbers", c.LiftingRatio, c.ProjectionRatio)
	case max(c.LiftingRatio, c.ProjectionRatio)*float64(c.Hidden) > 1<<30:
		return fmt.Errorf("lno: lifting_ratio %v, projection_ratio %v of %d hidden channels; want widths up to 2^30",
			c.LiftingRatio, c.ProjectionRatio, c.Hidden)
	case len(c.Grid) != d || d > 0 && slices.Min(c.Grid) < 1:
		return fmt.Errorf("lno: grid %v for modes %v; want a positive number for each axis", c.Grid, c.Modes)
	case len(c.Domain) != 0 && len(c.Domain) != d:
		return fmt.Errorf("lno: domain %v of %d axes", c.Domain, d)
	case d != 2 && (len(c.Domain) != 0 || c.Radius != 0 || c.IntegralGroups != 0 || slices.Contains(c.Integral, true)):
		return fmt.Errorf("lno: integral kernels over %d axes; there are some for 2 only", d)
	}
	for name, list := range map[string][]bool{"differential": c.Differential, "integral": c.Integral} {
		if len(list) > 1 && len(list) != c.Layers {
			return fmt.Errorf("lno: %s %v for %d blocks", name, list, c.Layers)
		}
	}
	blocks := spectral.BlockConfig{Channels: c.Hidden, Modes: c.Modes, MaxModes: c.MaxModes, Layers: c.Layers, Skip: c.Skip, NoMLP: !c.MLP,
		MLPSkip: c.MLPSkip, MLPExpansion: c.MLPExpansion, MLPDropout: c.MLPDropout, Normalise: c.Normalise, NormGroups: c.NormGroups,
		Embedding: c.Embedding, Scale: c.Scale, Separable: c.Separable, Rank: c.Rank, Norm: c.Norm}
	if err := blocks.Check(); err != nil {
		return fmt.Errorf("lno: %w", err)
	}
	if err := c.differential().Check(); err != nil {
		return err
	}
	if !c.any(c.Integral, d == 2) {
		return nil
	}
	return c.integral().Check()
}

// has reports whether block i has a kernel, by a list like Differential.
func (c *Config) has(list []bool, i int, otherwise bool) bool {
	if len(list) == 0 {
		return otherwise
	}
	return list[min(i, len(list)-1)]
}

func (c *Config) any(list []bool, otherwise bool) bool {
	return len(list) == 0 && otherwise || slices.Contains(list, true)
}

// conv is the configuration of the spectral convolution of block i.
func (c *Config) conv(i int) spectral.Config {
	out := spectral.Config{In: c.Hidden, Out: c.Hidden, Modes: c.Modes, MaxModes: c.MaxModes, Separable: c.Separable, Norm: c.Norm,
		Rank: c.Rank, Defects: c.Defects.Spectral}
	if len(c.Scale) > 0 {
		out.Scale = []float64{c.Scale[min(i, len(c.Scale)-1)]}
	}
	return out
}

func (c *Config) differential() DifferentialConfig {
	out := DifferentialConfig{In: c.Hidden, Out: c.Hidden, Dim: len(c.Modes), Kernel: c.Stencil, Padding: c.Padding}
	if c.Depthwise {
		out.Groups = c.Hidden
	}
	return out
}

func (c *Config) integral() IntegralConfig {
	out := IntegralConfig{In: c.Hidden, Out: c.Hidden, Grid: [2]int(c.Grid), Basis: c.Basis, Radius: c.Radius, Groups: c.IntegralGroups,
		NoBias: c.NoIntegralBias, Padding: c.Padding, Defects: c.Defects.Integral}
	copy(out.Domain[:], c.Domain)
	return out
}

// width returns the size of a cell of a grid of n points, that of Grid being 1.
func (c *Config) width(n []int) float64 {
	if c.Defects.MixedWidth {
		return float64(c.Grid[0]) / float64(n[len(n)-1])
	}
	log := 0.0
	for a := range n {
		log += math.Log(float64(c.Grid[a]) / float64(n[a]))
	}
	return math.Exp(log / float64(len(n)))
}
