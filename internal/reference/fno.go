package reference

import (
	"fmt"

	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/spectral"
)

// FNO reads the configuration of a Fourier neural operator; op says whose defaults fill in what it leaves out: "fno1d_fork",
// "fno2d_fork" and "fno3d_fork" (SPAMoE's classes of a fixed dimension), "fno_fork" (its general class) or "fno_upstream".
func FNO(op string, config []byte) (fno.Config, error) {
	c := struct {
		NModes       []int                  `json:"n_modes"`
		Height       int                    `json:"n_modes_height"`
		Width        int                    `json:"n_modes_width"`
		Depth        int                    `json:"n_modes_depth"`
		MaxNModes    []int                  `json:"max_n_modes"`
		In           int                    `json:"in_channels"`
		Out          int                    `json:"out_channels"`
		Hidden       int                    `json:"hidden_channels"`
		Layers       int                    `json:"n_layers"`
		Lifting      float64                `json:"lifting_channel_ratio"`
		Projection   float64                `json:"projection_channel_ratio"`
		Norm         spectral.Normalisation `json:"norm"`
		Dropout      float32                `json:"channel_mlp_dropout"`
		Expansion    float64                `json:"channel_mlp_expansion"`
		Skip         spectral.Skip          `json:"fno_skip"`
		MLPSkip      spectral.Skip          `json:"channel_mlp_skip"`
		MLP          *bool                  `json:"use_channel_mlp"`
		Padding      Numbers                `json:"domain_padding"`
		PaddingMode  string                 `json:"domain_padding_mode"`
		Scaling      Numbers                `json:"resolution_scaling_factor"`
		Preactivated bool                   `json:"preactivation"`
		Separable    bool                   `json:"separable"`
		Complex      bool                   `json:"complex_data"`
		Stabilizer   string                 `json:"stabilizer"`
		Training     bool                   `json:"training"` // a mode of the pass, not of the model
	}{Layers: 4, In: 3, Out: 1}
	defects := spectral.ReferenceDefects()
	fixed := false // FNO1d .. FNO3d ignore the ratios that they are given
	switch op {
	case "fno1d_fork", "fno3d_fork":
		fixed = true
	case "fno2d_fork":
		fixed = true
		c.Layers = 8
	case "fno_fork":
		c.Padding, c.Dropout = Numbers{0.1}, 0.2
	case "fno_upstream":
		defects = spectral.UpstreamDefects()
	default:
		return fno.Config{}, fmt.Errorf("reference: no Fourier neural operator is called %q", op)
	}
	if err := strict(config, &c); err != nil {
		return fno.Config{}, fmt.Errorf("reference: configuration of %s: %w", op, err)
	}
	if fixed {
		c.Lifting, c.Projection = 0, 0
	}
	if c.NModes == nil {
		for _, m := range []int{c.Height, c.Width, c.Depth} {
			if m > 0 {
				c.NModes = append(c.NModes, m)
			}
		}
	}
	out := fno.Config{In: c.In, Out: c.Out, Hidden: c.Hidden, Modes: c.NModes, MaxModes: maxModes(c.MaxNModes, c.Complex), Layers: c.Layers,
		LiftingRatio: c.Lifting, ProjectionRatio: c.Projection, Padding: c.Padding, PadEnd: c.PaddingMode == "one-sided",
		Scale: c.Scaling, Skip: c.Skip, NoMLP: c.MLP != nil && !*c.MLP, MLPSkip: c.MLPSkip, MLPExpansion: c.Expansion,
		MLPDropout: c.Dropout, Normalise: c.Norm, Preactivation: c.Preactivated, Tanh: c.Stabilizer == "tanh", Separable: c.Separable,
		Complex: c.Complex, Defects: defects}
	return out, out.Check()
}
