package reference

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spamoe/spamoe/spectral"
)

// SpectralConv is a configuration of neuraloperator's SpectralConv.
type SpectralConv struct {
	InChannels  int           `json:"in_channels"`
	OutChannels int           `json:"out_channels"`
	NModes      []int         `json:"n_modes"`
	MaxNModes   []int         `json:"max_n_modes"` // the last one halved already where the data are real
	FFTNorm     spectral.Norm `json:"fft_norm"`
	Bias        *bool         `json:"bias"` // default true
	Separable   bool          `json:"separable"`
	ComplexData bool          `json:"complex_data"`
	Scaling     Numbers       `json:"resolution_scaling_factor"`
	Forward     struct {
		OutputShape []int `json:"output_shape"`
	} `json:"forward_kwargs"`
}

// Config returns our configuration, with the given defects.
func (c *SpectralConv) Config(defects spectral.Defects) spectral.Config {
	out := spectral.Config{In: c.InChannels, Out: c.OutChannels, Modes: c.NModes, Separable: c.Separable, Complex: c.ComplexData,
		Norm: c.FFTNorm, Scale: c.Scaling, NoBias: c.Bias != nil && !*c.Bias, Defects: defects}
	out.MaxModes = maxModes(c.MaxNModes, c.ComplexData)
	return out
}

// maxModes turns stored modes into the total counts that our configurations have.
func maxModes(stored []int, complex bool) []int {
	if stored == nil {
		return nil
	}
	m := append([]int{}, stored...)
	if last := &m[len(m)-1]; !complex {
		*last = 2 * (*last - 1)
	}
	return m
}

// Numbers is a list of numbers, written as a list, as one number or as null.
type Numbers []float64

// UnmarshalJSON reads any of the three.
func (n *Numbers) UnmarshalJSON(b []byte) error {
	*n = nil
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		return json.Unmarshal(b, (*[]float64)(n))
	}
	var one *float64
	if err := json.Unmarshal(b, &one); err != nil {
		return fmt.Errorf("reference: %s is neither a number nor a list of numbers: %w", b, err)
	}
	if one != nil {
		*n = Numbers{*one}
	}
	return nil
}
