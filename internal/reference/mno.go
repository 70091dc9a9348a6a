package reference

import (
	"fmt"

	"github.com/spamoe/spamoe/mno"
)

// Multiwavelet reads the configuration of a multiwavelet operator of gaurav71531/mwt-operator, or of one of its blocks; op is "mwt1d", "mwt2d",
// "mwt_cz1d" or "mwt_cz2d". A block has no input width; its In is 1.
func Multiwavelet(op string, config []byte) (mno.Config, error) {
	c := struct {
		In     int       `json:"ich"`
		K      int       `json:"k"`
		Alpha  int       `json:"alpha"`
		C      int       `json:"c"`
		Blocks int       `json:"nCZ"`
		L      int       `json:"L"`
		Base   mno.Basis `json:"base"`
	}{In: 1, K: 3, Alpha: 2, C: 1, Blocks: 3, Base: mno.Legendre}
	dim := 0
	switch op {
	case "mwt1d":
		dim = 1
	case "mwt2d":
		dim = 2
	case "mwt_cz1d":
		dim, c.Alpha = 1, 5
	case "mwt_cz2d":
		dim, c.Alpha = 2, 5
	default:
		return mno.Config{}, fmt.Errorf("reference: no multiwavelet operator is called %q", op)
	}
	if err := strict(config, &c); err != nil {
		return mno.Config{}, fmt.Errorf("reference: configuration of %s: %w", op, err)
	}
	out := mno.Reference(dim, c.In, c.K, c.C, c.Alpha)
	out.Blocks, out.Coarsest, out.Basis = c.Blocks, c.L, c.Base
	return out, out.Check()
}

// Multiscale reads the configuration of SPAMoE's MultiscaleNO2d.
func Multiscale(config []byte) (mno.MultiscaleConfig, error) {
	c := struct {
		In         int        `json:"in_channels"`
		Out        int        `json:"out_channels"`
		Hidden     int        `json:"hidden_channels"`
		NScales    int        `json:"n_scales"`
		Scales     []float64  `json:"scale_factors"`
		Modes      [][]int    `json:"n_modes_list"`
		Layers     int        `json:"n_layers"`
		Fusion     mno.Fusion `json:"fusion_mode"`
		Connection string     `json:"scale_connection"` // has no effect there
		Lifting    int        `json:"lifting_channels"`
		Projection int        `json:"projection_channels"`
	}{NScales: 3, Layers: 4}
	if err := strict(config, &c); err != nil {
		return mno.MultiscaleConfig{}, fmt.Errorf("reference: configuration of multiscale_no2d: %w", err)
	}
	if c.Scales == nil {
		for s := 1.0; len(c.Scales) < c.NScales; s /= 2 {
			c.Scales = append(c.Scales, s)
		}
	}
	out := mno.ReferenceMultiscale(c.In, c.Out, c.Hidden)
	out.Scales, out.Layers, out.Fusion = c.Scales[:min(c.NScales, len(c.Scales))], c.Layers, c.Fusion
	out.LiftingHidden, out.ProjectionHidden = c.Lifting, c.Projection
	if c.Modes != nil {
		out.Modes = c.Modes[:min(len(out.Scales), len(c.Modes))]
	}
	return out, out.Check()
}
