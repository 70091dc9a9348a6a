package reference

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/moe"
)

func TestSPAMoE(t *testing.T) {
	c, err := SPAMoE([]byte(`{"encoder": {"embed_dim": 48, "num_heads": 3, "out_channels": 6}, "encoder_out": 6, "hidden": 4, "top_k": 1,
		"band_sharpness": 30, "use_soft_bands": false, "router_alpha": 0.3, "experts": [
		{"type": "domain", "n_layers": 2},
		{"type": "scale", "scale_factors": [1, 0.5], "n_scales": 2, "fusion_mode": "adaptive"},
		{"type": "local", "n_dim": 2, "n_modes": [5, 7], "default_in_shape": [70, 70]}]}`), [][][]float32{{{1}}, {{2}}, {{3}}, {{4}}, {{5}}})
	require.NoError(t, err)
	require.Equal(t, 10, c.Encoder.Types)
	require.Equal(t, []string{"type_head"}, c.Encoder.Freeze)
	require.Equal(t, encoder.Defects{ShiftTokens: true}, c.Encoder.Defects)
	require.Equal(t, []int{6, 3, 1}, []int{c.Mixture.Channels, c.Mixture.Experts, c.Mixture.TopK})
	require.Equal(t, []float64{0.3, 30}, []float64{c.Mixture.Balance, c.Mixture.BandSharpness})
	require.True(t, c.Mixture.HardBands)
	f, m, l := c.Experts[0].FNO, c.Experts[1].Multiscale, c.Experts[2].LNO
	require.Equal(t, [][]int{{6, 1, 4}, {6, 1, 4}, {6, 1, 4}}, [][]int{{f.In, f.Out, f.Hidden}, {m.In, m.Out, m.Hidden}, {l.In, l.Out, l.Hidden}})
	require.Equal(t, []int{16, 16}, f.Modes)
	require.Equal(t, 2, f.Layers)
	require.Equal(t, []float64{1, 0.5}, m.Scales)
	require.Equal(t, []int{5, 7}, l.Modes)
	require.Equal(t, [][]float32{{5}}, l.Defects.Integral.Table[4])

	c, err = SPAMoE([]byte(`{"encoder": "convnext", "experts": [{"type": "domain"}], "top_k": 1, "routing_mode": "random", "router_alpha": 0}`), nil)
	require.NoError(t, err)
	require.Equal(t, encoder.KindConvNeXt, c.Encoder.Kind)
	require.Equal(t, []string{"backbone.head.fc"}, c.Encoder.Freeze)
	require.Equal(t, []int{128, 128}, []int{c.Encoder.Out, c.Experts[0].FNO.Hidden})
	require.Equal(t, moe.Random, c.Mixture.Routing)
	require.Less(t, c.Mixture.Balance, 0.0, "no loss")

	for text, want := range map[string]string{
		`{"encoder": "vit", "width": 3}`:                                                `unknown field "width"`,
		`{"encoder": "resnet"}`:                                                         `encoder "resnet"; want one of convnext, convnext_tiny, vit`,
		`{"encoder": [1]}`:                                                              "encoder [1]; want a name or an object",
		`{"encoder": {"out_channels": 6}}`:                                              "out_channels 6, encoder_out is 128",
		`{"encoder": {"colour": 6}}`:                                                    `unknown field "colour"`,
		`{"encoder": "vit", "experts": []}`:                                             "0 experts",
		`{"encoder": "vit", "experts": [{"type": "domain"}], "top_k": 2}`:               "top_k 2; want 1 to 1",
		`{"encoder": "vit", "experts": [{"type": "geometry"}]}`:                         `expert 0: type "geometry"; want domain, scale or local`,
		`{"encoder": "vit", "experts": [{"type": "domain", "domain_type": "wavelet"}]}`: `domain_type "wavelet"; want "fourier"`,
		`{"encoder": "vit", "experts": [{"type": "scale", "n_dim": 3}]}`:                "n_dim 3; want 2",
		`{"encoder": "vit", "experts": [{"type": "domain", "in_channels": 3}]}`:         "in_channels is given",
		`{"encoder": "vit", "experts": [{"type": "domain", "layers": 3}]}`:              `unknown field "layers"`,
	} {
		_, err := SPAMoE([]byte(text), nil)
		require.ErrorContains(t, err, want, text)
	}
}
