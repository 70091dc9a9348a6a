package mno

import (
	"cmp"
	"fmt"
	"slices"

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

// Clone returns a copy of c that shares no memory with it.
func (c MultiscaleConfig) Clone() MultiscaleConfig {
	c.Scales, c.Modes = slices.Clone(c.Scales), slices.Clone(c.Modes)
	for i, m := range c.Modes {
		c.Modes[i] = slices.Clone(m)
	}
	return c
}

func (c MultiscaleConfig) defaults() MultiscaleConfig {
	c.Dim = cmp.Or(c.Dim, 2)
	c.Layers = cmp.Or(c.Layers, 3)
	c.LiftingHidden = cmp.Or(c.LiftingHidden, 4*c.Hidden)
	c.ProjectionHidden = cmp.Or(c.ProjectionHidden, 4*c.Hidden)
	if len(c.Scales) == 0 {
		c.Scales = []float64{1, 0.5, 0.25}
	}
	if len(c.Modes) == 0 && c.Dim > 0 && c.Dim <= 3 {
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
		if err := c.blocks(i).Check(); err != nil {
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
