package fwi

import (
	"context"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/fwi/inversionnet"
	"github.com/spamoe/spamoe/lno"
	"github.com/spamoe/spamoe/mno"
	"github.com/spamoe/spamoe/moe"
	"github.com/spamoe/spamoe/spectral"
)

// The bound is below what a network has, and not far below.
func TestLeastNumbers(t *testing.T) {
	const slack = 64
	configs := map[string]Config{
		"inversionnet": {Network: "inversionnet", InversionNet: inversionnet.Config{Widths: [5]int{8, 16, 16, 24, 32}}},
		"convnext": {Network: "spamoe", SPAMoE: &SPAMoEConfig{
			Encoder: encoder.Config{Kind: encoder.KindConvNeXt, Out: 4, Types: 3, ConvNeXt: encoder.ConvNeXtConfig{Depths: []int{1, 2}, Widths: []int{8, 16}}},
			Mixture: moe.Config{Channels: 4, Experts: 1, NoAttention: true, Routing: moe.Uniform},
			Experts: []OperatorConfig{{FNO: &fno.Config{In: 4, Out: 1, Hidden: 4, Modes: []int{4, 4}}}}}},
	}
	for _, name := range []string{"tiny", "small"} {
		c, err := Preset(name)
		require.NoError(t, err)
		configs[name] = c
	}
	reference := ReferenceConfig()
	reference.SPAMoE.Encoder.ViT.Depth = 2
	configs["reference"] = reference
	for name, c := range map[string]OperatorConfig{
		"fno":          {FNO: &fno.Config{In: 1, Out: 2, Hidden: 12, Modes: []int{6, 6}}},
		"line":         {FNO: &fno.Config{In: 3, Out: 1, Hidden: 12, Modes: []int{7}, NoMLP: true, LinearLifting: true, NoGrid: true}},
		"wide":         {FNO: &fno.Config{In: 1, Out: 1, Hidden: 5, Modes: []int{2, 2}, LiftingRatio: 9, ProjectionRatio: 0.1, MLPExpansion: 7}},
		"volume":       {FNO: &fno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{4, 4, 4}, MaxModes: []int{6, 5, 4}}},
		"separable":    {FNO: &fno.Config{In: 1, Out: 1, Hidden: 8, Modes: []int{8, 8}, Separable: true, Skip: spectral.SkipNone}},
		"complex":      {FNO: &fno.Config{In: 1, Out: 1, Hidden: 6, Modes: []int{6, 6}, Complex: true}},
		"embedding":    {FNO: &fno.Config{In: 1, Out: 1, Hidden: 6, Modes: []int{4, 4}, Normalise: spectral.NormaliseAdaIN, Embedding: 40}},
		"tucker":       {FNO: &fno.Config{In: 1, Out: 1, Hidden: 16, Modes: []int{8, 8}, Rank: 0.1}},
		"small tucker": {FNO: &fno.Config{In: 1, Out: 1, Hidden: 3, Modes: []int{3, 3, 3}, Rank: 0.02}},
		"large tucker": {FNO: &fno.Config{In: 1, Out: 1, Hidden: 8, Modes: []int{8, 8}, Rank: 1}},
		"mno":          {MNO: &mno.Config{In: 1, Out: 1}},
		"mno line":     {MNO: &mno.Config{In: 2, Out: 1, Dim: 1, K: 4, Channels: 8, Modes: 5, Blocks: 2}},
		"multiscale":   {Multiscale: &mno.MultiscaleConfig{In: 1, Out: 1, Hidden: 8}},
		"two scales":   {Multiscale: &mno.MultiscaleConfig{In: 1, Out: 1, Hidden: 8, Scales: []float64{1, 0.5}, Modes: [][]int{{8, 8}, {4, 4}}, LiftingHidden: 3, ProjectionHidden: 3}},
		"lno":          {LNO: &lno.Config{In: 1, Out: 1, Hidden: 8, Modes: []int{6, 6}, Grid: []int{16, 16}}},
		"lno functions": {LNO: &lno.Config{In: 1, Out: 1, Hidden: 8, Modes: []int{2, 2}, Grid: []int{64, 64}, Layers: 3, Integral: []bool{true, false, true},
			Differential: []bool{false}, Basis: lno.Basis{Shape: []int{6, 6}}, IntegralGroups: 2}},
		"lno stencil":   {LNO: &lno.Config{In: 1, Out: 1, Hidden: 8, Modes: []int{2, 2}, Grid: []int{64, 64}, Stencil: 31, Integral: []bool{false}}},
		"lno with more": {LNO: &lno.Config{In: 1, Out: 1, Hidden: 8, Modes: []int{6, 6}, Grid: []int{16, 16}, MLP: true, Depthwise: true, Rank: 0.2}},
	} {
		configs[name] = Config{OperatorConfig: c}
	}
	for name, c := range configs {
		var net Network
		var err error
		switch c.Network {
		case "spamoe":
			net, err = NewSPAMoE(*c.SPAMoE, nil)
		case "inversionnet":
			net, err = inversionnet.New(c.InversionNet, nil)
		default:
			net, err = c.OperatorConfig.build(nil)
		}
		require.NoError(t, err, name)
		has := 0
		for _, e := range autograd.State(net) {
			if e.Tied == "" && e.Param != nil {
				has += e.Param.Len()
			}
		}
		require.LessOrEqual(t, c.leastNumbers(), float64(has), name)
		if name != "mno" && name != "multiscale" { // whose defaults are not in the bound
			require.GreaterOrEqual(t, slack*c.leastNumbers(), float64(has), name)
		}
	}
}

// A file whose configuration asks for more than the file holds is refused before anything is made of that size.
func TestLoadRefusesAnOversizedConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), ModelFile)
	require.NoError(t, newToyModel(t).Save(path))
	f, err := checkpoint.Read(path)
	require.NoError(t, err)
	const tooLarge = "its configuration wants a network of"
	for _, test := range []struct {
		want   string
		change func(c *Config)
	}{
		{tooLarge, func(c *Config) { c.FNO.Hidden = 1e6 }},
		{tooLarge, func(c *Config) { c.FNO.Modes = []int{1 << 30, 1 << 30} }},
		{tooLarge, func(c *Config) { c.FNO.Layers = 1e9 }},
		{tooLarge, func(c *Config) { c.FNO.LiftingRatio = 1e300 }},
		{tooLarge, func(c *Config) { c.FNO.MLPExpansion = 1e9 }},
		{tooLarge, func(c *Config) {
			c.Network, c.FNO, c.SPAMoE = "spamoe", nil, &SPAMoEConfig{Encoder: encoder.Config{ViT: encoder.ViTConfig{Width: 1 << 30}}}
		}},
		{tooLarge, func(c *Config) {
			c.Network, c.FNO = "lno", nil
			c.LNO = &lno.Config{In: 2, Out: 1, Hidden: 1, Modes: []int{1, 1}, Grid: []int{64, 64}, Layers: 9, Basis: lno.Basis{Shape: []int{64, 64}}}
		}},
		{"functions on a kernel of 811801 points", func(c *Config) {
			c.Network, c.FNO = "lno", nil
			c.LNO = &lno.Config{In: 2, Out: 1, Hidden: 1, Modes: []int{1, 1}, Grid: []int{1000, 1000}, Layers: 1, Radius: 0.9,
				Basis: lno.Basis{Shape: []int{64, 6}}}
		}},
		{"dim 1000000000; want 1 to 3", func(c *Config) {
			c.Network, c.OperatorConfig = "multiscale", OperatorConfig{Multiscale: &mno.MultiscaleConfig{In: 2, Out: 1, Hidden: 1, Dim: 1e9}}
		}},
		{"no more than 268435456 elements", func(c *Config) { c.Y = []int{1, 1 << 30, 1 << 30} }},
		{"resampling 1048576 rows to 1048576", func(c *Config) { c.X, c.Rows = []int{2, 1 << 20, 1}, 1<<20 }},
		{"scale 1e-320; wanted finite numbers", func(c *Config) { c.XNorm.Shift, c.XNorm.Scale = []float64{0}, []float64{1e-320} }},
	} {
		c := toyConfig()
		test.change(&c)
		text, err := json.Marshal(c)
		require.NoError(t, err)
		f.Metadata[checkpoint.ConfigKey] = string(text)
		bad := filepath.Join(t.TempDir(), "bad.safetensors")
		require.NoError(t, checkpoint.Write(bad, f.Tensors(), f.Metadata))
		_, err = Load(bad)
		require.ErrorContains(t, err, "bad.safetensors")
		require.ErrorContains(t, err, test.want)
	}
}

// A model whose numbers overflow is no prediction.
func TestPredictRefusesWhatIsNotFinite(t *testing.T) {
	m := newToyModel(t)
	m.Config.YNorm = Normalisation{Shift: []float64{3e38}, Scale: []float64{3e38}}
	x := make([]float32, 480)
	require.NoError(t, newToy(1).Read(0, x, nil))
	for _, p := range autograd.Params(m.Net) {
		for i := range p.Data {
			p.Data[i] *= 100
		}
	}
	_, err := m.Predict(context.Background(), x)
	require.ErrorContains(t, err, "the output for input 0 is ")
}
