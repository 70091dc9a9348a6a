package reference

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spamoe/spamoe/lno"
	"github.com/spamoe/spamoe/spectral"
)

// Flags is a list of booleans, written as a list or as one boolean for all.
type Flags []bool

// UnmarshalJSON reads either.
func (f *Flags) UnmarshalJSON(b []byte) error {
	*f = nil
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		return json.Unmarshal(b, (*[]bool)(f))
	}
	var one bool
	if err := json.Unmarshal(b, &one); err != nil {
		return fmt.Errorf("reference: %s is neither a boolean nor a list of booleans: %w", b, err)
	}
	*f = Flags{one}
	return nil
}

// LocalNO reads the configuration of the fork's LocalNO. Table, or nil, holds the samples of the basis that its rounding gave: see
// lno.IntegralDefects.
func LocalNO(config []byte, table [][][]float32) (lno.Config, error) {
	c := struct {
		NModes     []int                  `json:"n_modes"`
		MaxNModes  []int                  `json:"max_n_modes"`
		In         int                    `json:"in_channels"`
		Out        int                    `json:"out_channels"`
		Hidden     int                    `json:"hidden_channels"`
		Dim        int                    `json:"n_dim"` // told by n_modes as well
		Shape      []int                  `json:"default_in_shape"`
		Layers     int                    `json:"n_layers"`
		Disco      Flags                  `json:"disco_layers"`
		Kernel     Numbers                `json:"disco_kernel_shape"`
		Radius     float64                `json:"radius_cutoff"`
		Domain     []float64              `json:"domain_length"`
		Groups     int                    `json:"disco_groups"`
		Bias       *bool                  `json:"disco_bias"` // default true
		Diff       Flags                  `json:"diff_layers"`
		Padding    lno.Padding            `json:"conv_padding_mode"`
		Stencil    int                    `json:"fin_diff_kernel_size"`
		Mix        *bool                  `json:"mix_derivatives"` // default true
		Lifting    float64                `json:"lifting_channel_ratio"`
		Projection float64                `json:"projection_channel_ratio"`
		Norm       spectral.Normalisation `json:"norm"`
		MLP        bool                   `json:"use_channel_mlp"`
		Dropout    float32                `json:"channel_mlp_dropout"`
		Expansion  float64                `json:"channel_mlp_expansion"`
		MLPSkip    spectral.Skip          `json:"channel_mlp_skip"`
		Skip       spectral.Skip          `json:"local_no_skip"`
		Scaling    Numbers                `json:"resolution_scaling_factor"`
		Stabilizer string                 `json:"stabilizer"`
		Separable  bool                   `json:"separable"`
	}{Layers: 4, Kernel: Numbers{2, 4}}
	if err := strict(config, &c); err != nil {
		return lno.Config{}, fmt.Errorf("reference: configuration of a local operator: %w", err)
	}
	if c.Dim != 0 && c.Dim != len(c.NModes) {
		return lno.Config{}, fmt.Errorf("reference: a local operator of n_dim %d with n_modes %v", c.Dim, c.NModes)
	}
	if c.Padding == "" || c.Padding == "circular" {
		c.Padding = lno.Periodic
	}
	shape := make([]int, 0, 2)
	for _, k := range c.Kernel {
		shape = append(shape, int(k))
	}
	if len(shape) == 1 {
		shape = append(shape, shape[0]) // one number stands for two there
	}
	out := lno.Config{In: c.In, Out: c.Out, Hidden: c.Hidden, Modes: c.NModes, MaxModes: maxModes(c.MaxNModes, false), Grid: c.Shape, Layers: c.Layers,
		LiftingRatio: c.Lifting, ProjectionRatio: c.Projection, Differential: c.Diff, Stencil: c.Stencil, Depthwise: c.Mix != nil && !*c.Mix,
		Integral: c.Disco, Basis: lno.Basis{Shape: shape}, Radius: c.Radius, Domain: c.Domain, IntegralGroups: c.Groups,
		NoIntegralBias: c.Bias != nil && !*c.Bias, Padding: c.Padding, Skip: c.Skip, MLP: c.MLP, MLPSkip: c.MLPSkip,
		MLPExpansion: c.Expansion, MLPDropout: c.Dropout, Normalise: c.Norm, Tanh: c.Stabilizer == "tanh", Scale: c.Scaling,
		Separable: c.Separable, Defects: lno.ReferenceDefects()}
	out.Defects.Integral.Table = table
	return out, out.Check()
}

// Integral is a configuration of the fork's EquidistantDiscreteContinuousConv2d, with the sizes that followed from it there.
type Integral struct {
	In       int       `json:"in_channels"`
	Out      int       `json:"out_channels"`
	InShape  [2]int    `json:"in_shape"`
	OutShape [2]int    `json:"out_shape"`
	Kernel   Numbers   `json:"kernel_shape"`
	Basis    lno.Kind  `json:"basis_type"`
	Domain   []float64 `json:"domain_length"`
	Periodic bool      `json:"periodic"`
	Groups   int       `json:"groups"`
	Bias     *bool     `json:"bias"` // default true
	Radius   float64   `json:"radius_cutoff"`
	Height   int       `json:"psi_local_h"`
	Width    int       `json:"psi_local_w"`
	Weight   float64   `json:"q_weight"`
}

// Config returns our configuration; table is as for LocalNO.
func (c *Integral) Config(table [][][]float32) (lno.IntegralConfig, error) {
	out := lno.IntegralConfig{In: c.In, Out: c.Out, Grid: c.InShape, Basis: lno.Basis{Kind: c.Basis}, Radius: c.Radius, Groups: c.Groups,
		NoBias: c.Bias != nil && !*c.Bias, Defects: lno.ReferenceIntegralDefects()}
	if c.Periodic {
		out.Padding = lno.Periodic
	}
	copy(out.Domain[:], c.Domain)
	for a, n := range c.OutShape {
		if n < 1 || c.InShape[a]%n != 0 {
			return out, fmt.Errorf("reference: an integral kernel from a grid of %v to one of %v points; want whole strides", c.InShape, c.OutShape)
		}
		out.Stride[a] = c.InShape[a] / n
	}
	for _, k := range c.Kernel {
		out.Basis.Shape = append(out.Basis.Shape, int(k))
	}
	switch {
	case len(c.Kernel) == 1 && c.Basis != lno.Zernike:
		out.Basis.Shape = append(out.Basis.Shape, int(c.Kernel[0])) // one number stands for two there
	case len(c.Kernel) == 2 && c.Basis == lno.Zernike:
		out.Basis.Shape = out.Basis.Shape[:1]
	}
	out.Defects.Table = table
	return out, out.Check()
}
