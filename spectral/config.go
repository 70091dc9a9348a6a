package spectral

import (
	"fmt"
	"slices"
)

// Config describes a spectral convolution. In, Out and Modes are required.
type Config struct {
	In  int `json:"in"`
	Out int `json:"out"`
	// Modes is how many Fourier modes are kept along each axis of the grid, both signs together: the length gives the dimension,
	// 1 to 3. Along the last axis of real data the spectrum has one half only, and m modes mean frequencies 0 .. m/2.
	Modes []int `json:"modes"`
	// MaxModes, in the same units and at least Modes, sizes the weight, so that Modes can grow while training (SetModes). Default:
	// Modes.
	MaxModes []int `json:"max_modes,omitempty"`
	// Separable multiplies each channel by its own spectrum instead of mixing the channels; In equals Out.
	Separable bool `json:"separable,omitempty"`
	// Complex says that the data are complex: x has a last axis of 2.
	Complex bool `json:"complex,omitempty"`
	// Norm scales the transforms; the default is NormForward.
	Norm Norm `json:"norm,omitempty"`
	// Scale is the size of the output grid relative to the input's, one factor for all axes or one per axis. Default: 1.
	Scale []float64 `json:"scale,omitempty"`
	// NoBias leaves out the bias.
	NoBias bool `json:"no_bias,omitempty"`
	// Rank, if not 0, stores the weight as a Tucker decomposition with about Rank times as many numbers (Kossaifi et al., arXiv
	// 2310.00120).
	Rank float64 `json:"rank,omitempty"`
	// Defects of other implementations that their checkpoints were trained with.
	Defects Defects `json:"defects,omitzero"`
}

// Defects reproduces what other implementations do wrong. The zero value is right.
type Defects struct {
	// RollOddGrids undoes fftshift by another fftshift, as SPAMoE's fork of neuraloperator does: on grids of an odd size n every
	// frequency k of an axis but the last comes out as k-1.
	RollOddGrids bool `json:"roll_odd_grids,omitempty"`
	// TailResize changes the resolution by padding or cutting the spectrum at its end, where the negative frequencies are, as
	// neuraloperator does: along all axes but the last they turn into other frequencies.
	TailResize bool `json:"tail_resize,omitempty"`
	// FloorCrop takes a part of the weight from floor((m-k)/2) on, as neuraloperator does, which moves every weight to the next
	// frequency where m is even and k odd. Ours keeps each weight at its frequency.
	FloorCrop bool `json:"floor_crop,omitempty"`
	// LowestComplex applies to complex data: neuraloperator shifts the last axis before the weights and not after, and keeps its
	// lowest frequencies, -n/2 and up, which come out as 0 and up. With one axis it does not shift at all and keeps 0 and up.
	LowestComplex bool `json:"lowest_complex,omitempty"`
	// CopyModes resamples in three dimensions as neuraloperator does, by copying modes as they lie: the mode n/2 of an even n keeps
	// its weight, and where the smaller of two sizes, m, is odd, the mode (m-1)/2 of the coarse grid goes with -(m+1)/2 of the fine.
	CopyModes bool `json:"copy_modes,omitempty"`
}

// ReferenceDefects are those of SPAMoE's fork of neuraloperator.
func ReferenceDefects() Defects {
	return Defects{RollOddGrids: true, TailResize: true, FloorCrop: true, LowestComplex: true, CopyModes: true}
}

// UpstreamDefects are those of neuraloperator itself.
func UpstreamDefects() Defects {
	return Defects{TailResize: true, FloorCrop: true, LowestComplex: true, CopyModes: true}
}

// Norm says which of a transform and its inverse carries the factor that makes them inverse to each other; N is the number of grid
// points.
type Norm string

// The norms, named as PyTorch names them. For a forward transform followed by its inverse:
const (
	NormForward  Norm = "forward"  // 1/N, then 1
	NormOrtho    Norm = "ortho"    // 1/sqrt(N) both
	NormBackward Norm = "backward" // 1, then 1/N
)

// scales returns the factors of the transform and of the inverse for n points. The empty norm is NormForward.
func (n Norm) scales(in, out int) (forward, inverse float64) {
	switch n {
	case "", NormForward:
		return 1 / float64(in), 1
	case NormBackward:
		return 1, 1 / float64(out)
	case NormOrtho:
		return rsqrt(in), rsqrt(out)
	}
	panic(n.unknown().Error())
}

// unknown is the error of a norm that is none.
func (n Norm) unknown() error {
	return fmt.Errorf("spectral: norm %q; want %q, %q or %q", n, NormForward, NormOrtho, NormBackward)
}

// clone returns a copy of c with slices of its own.
func (c Config) clone() Config {
	c.Modes, c.MaxModes, c.Scale = slices.Clone(c.Modes), slices.Clone(c.MaxModes), slices.Clone(c.Scale)
	return c
}

// Check reports the first thing in c that cannot work.
func (c Config) Check() error {
	d := len(c.Modes)
	switch {
	case c.In < 1 || c.Out < 1:
		return fmt.Errorf("spectral: %d input and %d output channels; want at least 1", c.In, c.Out)
	case d < 1 || d > 3:
		return fmt.Errorf("spectral: modes %v of %d axes; want 1 to 3", c.Modes, d)
	case slices.Min(c.Modes) < 1:
		return fmt.Errorf("spectral: modes %v; want at least 1 along each axis", c.Modes)
	case c.MaxModes != nil && len(c.MaxModes) != d:
		return fmt.Errorf("spectral: max_modes %v for modes %v", c.MaxModes, c.Modes)
	case c.Separable && c.In != c.Out:
		return fmt.Errorf("spectral: a separable convolution from %d to %d channels; want as many out as in", c.In, c.Out)
	case c.Norm != "" && c.Norm != NormForward && c.Norm != NormOrtho && c.Norm != NormBackward:
		return c.Norm.unknown()
	case len(c.Scale) > 1 && len(c.Scale) != d:
		return fmt.Errorf("spectral: scale %v for %d axes", c.Scale, d)
	case !(c.Rank >= 0 && c.Rank <= 1):
		return fmt.Errorf("spectral: rank %v; want 0 (dense) to 1", c.Rank)
	case c.Rank > 0 && c.Separable:
		return fmt.Errorf("spectral: a separable convolution has no Tucker decomposition here; set rank to 0")
	}
	for _, s := range c.Scale {
		if !(s > 0) {
			return fmt.Errorf("spectral: scale %v; want positive factors", c.Scale)
		}
	}
	for i, m := range c.MaxModes {
		if m < c.Modes[i] {
			return fmt.Errorf("spectral: modes %v exceed max_modes %v", c.Modes, c.MaxModes)
		}
	}
	return nil
}

// stored returns how many modes of each axis the weight, or a spectrum, stores: the last axis of real data has one half only.
func (c *Config) stored(modes []int) []int {
	s := slices.Clone(modes)
	if !c.Complex {
		s[len(s)-1] = s[len(s)-1]/2 + 1
	}
	return s
}
