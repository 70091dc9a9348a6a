package fno

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/spectral"
)

// Config describes a model. In, Out, Hidden and Modes are required; the zero value of everything else is a sound choice.
type Config struct {
	In     int `json:"in"`     // channels of the input function
	Out    int `json:"out"`    // channels of the output function
	Hidden int `json:"hidden"` // channels in between
	// Modes is how many Fourier modes are kept along each axis, both signs together; their number is the dimension, 1 to 3.
	Modes []int `json:"modes"`
	// MaxModes sizes the weights so that Modes can grow while training (Model.SetModes). Default: Modes.
	MaxModes []int `json:"max_modes,omitempty"`
	// Layers is the number of Fourier blocks; 0 means 4.
	Layers int `json:"layers,omitempty"`

	// LiftingRatio and ProjectionRatio are the hidden widths of the two perceptrons over Hidden; 0 means 2.
	LiftingRatio    float64 `json:"lifting_ratio,omitempty"`
	ProjectionRatio float64 `json:"projection_ratio,omitempty"`
	// LinearLifting lifts by one matrix instead of a perceptron.
	LinearLifting bool `json:"linear_lifting,omitempty"`
	// NoGrid leaves the coordinates out of the input; the model is then equivariant to translations of periodic functions.
	NoGrid bool `json:"no_grid,omitempty"`

	// Padding extends the domain by zeros while the blocks run, for functions that are not periodic: a fraction of each side's
	// length, one for all axes or one per axis. Points are rounded, halves to even.
	Padding []float64 `json:"padding,omitempty"`
	// PadEnd pads at the end of each axis only instead of at both ends.
	PadEnd bool `json:"pad_end,omitempty"`
	// Scale is each block's factor on the resolution: one number per block, or one for all.
	Scale []float64 `json:"scale,omitempty"`

	// Skip, MLPSkip, MLPExpansion, MLPDropout and NoMLP are parts of a block: see spectral.BlockConfig.
	Skip         spectral.Skip `json:"skip,omitempty"`
	NoMLP        bool          `json:"no_mlp,omitempty"`
	MLPSkip      spectral.Skip `json:"mlp_skip,omitempty"`
	MLPExpansion float64       `json:"mlp_expansion,omitempty"`
	MLPDropout   float32       `json:"mlp_dropout,omitempty"`
	// Normalise names a normalisation in the blocks; the default is none. NormGroups and Embedding size it.
	Normalise  spectral.Normalisation `json:"normalise,omitempty"`
	NormGroups int                    `json:"norm_groups,omitempty"`
	Embedding  int                    `json:"embedding,omitempty"`
	// Preactivation applies activation and normalisation ahead of the convolutions.
	Preactivation bool `json:"preactivation,omitempty"`
	// Tanh bounds what enters the convolutions.
	Tanh bool `json:"tanh,omitempty"`

	// Separable gives each channel its own spectrum instead of mixing channels in Fourier space.
	Separable bool `json:"separable,omitempty"`
	// Complex says that functions are complex: tensors have a last axis of 2.
	Complex bool `json:"complex,omitempty"`
	// Rank, if not 0, stores the spectral weights as Tucker decompositions with about Rank times as many numbers: a TFNO.
	Rank float64 `json:"rank,omitempty"`
	// Norm scales the Fourier transforms; the default is spectral.NormForward.
	Norm spectral.Norm `json:"norm,omitempty"`
	// Defects of other implementations that their checkpoints were trained with.
	Defects spectral.Defects `json:"defects,omitzero"`
}

// Reference returns the settings with which SPAMoE uses its fork of neuraloperator, 8 blocks, with the fork's defects.
func Reference(in, out, hidden int, modes ...int) Config {
	return Config{In: in, Out: out, Hidden: hidden, Modes: modes, Layers: 8, Defects: spectral.ReferenceDefects()}
}

// Upstream returns neuraloperator's own settings, with its defects.
func Upstream(in, out, hidden int, modes ...int) Config {
	return Config{In: in, Out: out, Hidden: hidden, Modes: modes, Layers: 4, Defects: spectral.UpstreamDefects()}
}

// Clone returns a copy of c that shares no memory with it.
func (c Config) Clone() Config {
	c.Modes, c.MaxModes = slices.Clone(c.Modes), slices.Clone(c.MaxModes)
	c.Padding, c.Scale = slices.Clone(c.Padding), slices.Clone(c.Scale)
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
	return c
}

// Check reports the first thing in c that cannot work.
func (c Config) Check() error {
	c = c.defaults()
	switch {
	case c.In < 1 || c.Out < 1 || c.Hidden < 1:
		return fmt.Errorf("fno: %d input, %d hidden and %d output channels; want at least 1 of each", c.In, c.Hidden, c.Out)
	case !(c.LiftingRatio > 0) || !(c.ProjectionRatio > 0):
		return fmt.Errorf("fno: lifting_ratio %v, projection_ratio %v; want positive numbers", c.LiftingRatio, c.ProjectionRatio)
	case max(c.LiftingRatio, c.ProjectionRatio)*float64(c.Hidden) > 1<<30:
		return fmt.Errorf("fno: lifting_ratio %v, projection_ratio %v of %d hidden channels; want widths up to 2^30",
			c.LiftingRatio, c.ProjectionRatio, c.Hidden)
	case len(c.Padding) > 1 && len(c.Padding) != len(c.Modes):
		return fmt.Errorf("fno: padding %v for %d axes", c.Padding, len(c.Modes))
	}
	for _, p := range c.Padding {
		if !(p >= 0 && p <= 4) {
			return fmt.Errorf("fno: padding %v; want fractions from 0 to 4", c.Padding)
		}
	}
	if err := c.blocks().Check(); err != nil {
		return fmt.Errorf("fno: %w", err)
	}
	return nil
}

func (c Config) blocks() spectral.BlockConfig {
	return spectral.BlockConfig{Channels: c.Hidden, Modes: c.Modes, MaxModes: c.MaxModes, Layers: c.Layers, Skip: c.Skip, NoMLP: c.NoMLP,
		MLPSkip: c.MLPSkip, MLPExpansion: c.MLPExpansion, MLPDropout: c.MLPDropout, Normalise: c.Normalise, NormGroups: c.NormGroups,
		Embedding: c.Embedding, Preactivation: c.Preactivation, Tanh: c.Tanh, Scale: c.Scale, Separable: c.Separable,
		Complex: c.Complex, Rank: c.Rank, Norm: c.Norm, Defects: c.Defects}
}
