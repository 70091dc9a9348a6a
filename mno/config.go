package mno

import (
	"cmp"
	"fmt"
)

// Config describes a multiwavelet operator. In and Out are required; the zero value of everything else is a sound choice.
type Config struct {
	In  int `json:"in"`            // channels of the input function
	Out int `json:"out"`           // channels of the output function
	Dim int `json:"dim,omitempty"` // axes of the grid, 1 or 2; 0 means 2

	// Basis is that of the multiwavelets, K the number of polynomials per axis; 0 means 3.
	Basis Basis `json:"basis,omitempty"`
	K     int   `json:"k,omitempty"`
	// Channels is the number of functions, of K^Dim coefficients per cell, in between; 0 means 4.
	Channels int `json:"channels,omitempty"`
	// Modes is how many frequencies, of each sign, the Fourier kernels keep along each axis; 0 means 8. It is half of what the other operators
	// call Modes, which count both signs.
	Modes int `json:"modes,omitempty"`
	// Blocks is the number of multiwavelet blocks; 0 means 4.
	Blocks int `json:"blocks,omitempty"`
	// ProjectionHidden is the width of the perceptron at the end; 0 means 128.
	ProjectionHidden int `json:"projection_hidden,omitempty"`
	// NoGrid leaves the coordinates out of the input.
	NoGrid bool `json:"no_grid,omitempty"`

	// Levels bounds how often a grid is halved; 0 does not. A model that is used on several grids needs it, 3 say: without it 64 points have
	// 6 levels and 72 have 3, and what was trained at one depth does not carry over to another (figures in the package's documentation).
	Levels int `json:"levels,omitempty"`
	// Coarsest is the exponent of the shortest side, 2^Coarsest, that halving may lead to. It does not replace Levels: finer grids are halved
	// more often, and the coarsest one always has about as many points, whose meaning changes.
	Coarsest int `json:"coarsest,omitempty"`
	// StopAtOdd decomposes only as long as all sides are even: 70 x 70 then has one level. Otherwise a grid is continued by reflection to
	// a multiple of 2^levels, and the result is cropped. Where Levels is 0 there are as many levels as lengthen no side by more than an
	// eighth, and at least one if a side can be doubled: 70 becomes 72 with three levels.
	StopAtOdd bool `json:"stop_at_odd,omitempty"`

	// Defects of other implementations that their checkpoints were trained with.
	Defects Defects `json:"defects,omitzero"`
}

// Defects reproduces what the operator's authors' implementation does wrong in two dimensions. The zero value is right.
type Defects struct {
	// DiagonalDetails keeps the details from GG only. Those of HG and GH are lost, so that nothing is reconstructed exactly. The wavelets
	// are then those of Filters as they are, else balanced ones; a file brings its own.
	DiagonalDetails bool `json:"diagonal_details,omitempty"`
	// OverlapModes takes the weights of negative frequencies from the first row on whatever the grid is, so that on grids with fewer
	// than 2 Modes points they belong to other frequencies, and lets them replace the weights of positive ones.
	OverlapModes bool `json:"overlap_modes,omitempty"`
}

// Reference returns the settings of the implementation of the operator's authors, gaurav71531/mwt-operator: MWT1d or MWT2d, with k
// polynomials, channels c and modes alpha, 3 blocks, and its defects. Its output has one channel.
func Reference(dim, in, k, channels, modes int) Config {
	return Config{In: in, Out: 1, Dim: dim, K: k, Channels: channels, Modes: modes, Blocks: 3, NoGrid: true, StopAtOdd: true,
		Defects: Defects{DiagonalDetails: true, OverlapModes: true}}
}

// defaults fills in what 0 stands for.
func (c Config) defaults() Config {
	c.Dim = cmp.Or(c.Dim, 2)
	c.K = cmp.Or(c.K, 3)
	c.Channels = cmp.Or(c.Channels, 4)
	c.Modes = cmp.Or(c.Modes, 8)
	c.Blocks = cmp.Or(c.Blocks, 4)
	c.ProjectionHidden = cmp.Or(c.ProjectionHidden, 128)
	if c.Basis == "" {
		c.Basis = Legendre
	}
	return c
}

// Check reports the first thing in c that cannot work.
func (c Config) Check() error {
	c = c.defaults()
	if c.In < 1 || c.Out < 1 {
		return fmt.Errorf("mno: %d input and %d output channels; want at least 1 of each", c.In, c.Out)
	}
	if c.Dim != 1 && c.Dim != 2 {
		return fmt.Errorf("mno: dim %d; want 1 or 2", c.Dim)
	}
	if err := checkBasis(c.Basis, c.K); err != nil {
		return fmt.Errorf("mno: %w", err)
	}
	for _, v := range []struct {
		name   string
		n, min int
	}{{"channels", c.Channels, 1}, {"modes", c.Modes, 1}, {"blocks", c.Blocks, 1}, {"projection_hidden", c.ProjectionHidden, 1},
		{"levels", c.Levels, 0}, {"coarsest", c.Coarsest, 0}} {
		if v.n < v.min {
			return fmt.Errorf("mno: %s %d; want at least %d", v.name, v.n, v.min)
		}
	}
	if c.Coarsest > 30 {
		return fmt.Errorf("mno: coarsest %d; want at most 30", c.Coarsest)
	}
	return nil
}

// width is the number of coefficients of a cell.
func (c *Config) width() int { return c.Channels * power(c.K, c.Dim) }

// depth returns how often a grid of these sides is halved.
func (c *Config) depth(n []int) int {
	for l := 0; ; l++ {
		if c.Levels > 0 && l == c.Levels {
			return l
		}
		for _, m := range n {
			if m>>l<<l != m || m>>l%2 != 0 || m>>(l+1) < 1<<c.Coarsest {
				return l
			}
		}
	}
}

// fit writes the sides, at least n, of the grid that the blocks work on.
func (c *Config) fit(size, n []int) {
	copy(size, n)
	if c.StopAtOdd {
		return
	}
	for l := 1; c.Levels == 0 || l <= c.Levels; l++ {
		step := 1 << l
		for _, m := range n {
			next := up(m, step)
			// A reflection is shorter than what it reflects, on both sides.
			if more := next - m; next < step<<c.Coarsest || (more+1)/2 >= m || c.Levels == 0 && l > 1 && 8*more > m {
				return
			}
		}
		for a, m := range n {
			size[a] = up(m, step)
		}
	}
}

// up returns the first multiple of step from n on.
func up(n, step int) int { return (n + step - 1) / step * step }
