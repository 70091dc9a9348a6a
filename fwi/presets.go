package fwi

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/lno"
	"github.com/spamoe/spamoe/mno"
	"github.com/spamoe/spamoe/moe"
)

// GatherLog is the factor k in sign(x) log1p(k|x|) by which our models compress gathers. OpenFWI's own normalisation has 1, which
// leaves reflections from depth, a thousandth of the direct wave, next to nothing: an FNO trained for 12 epochs on 510 pairs of
// FlatVel_A reached a validation MAE of 322 m/s with 1 and of 163 m/s with 100.
const GatherLog = 100

// scale is what distinguishes the presets of SPAMoE.
type scale struct {
	width, modes   int // channels of the latent and the operators; Fourier modes
	vit            encoder.ViTConfig
	rows           int // rows that records are resampled to; 0: all 1000
	fno, mno, lno  int // layers
	levels, mnoDim int // of the multiwavelet operator: polynomials per axis and functions in between
}

var presets = map[string]scale{
	// Minutes on a CPU.
	"tiny": {width: 16, modes: 12, vit: encoder.ViTConfig{Width: 96, Depth: 3, Heads: 3}, rows: 250, fno: 3, mno: 2, lno: 2, levels: 2, mnoDim: 4},
	// Hours on a CPU.
	"small": {width: 48, modes: 16, vit: encoder.ViTConfig{Width: 192, Depth: 6, Heads: 3}, rows: 500, fno: 4, mno: 3, lno: 3, levels: 3, mnoDim: 5},
	// The sizes of the paper.
	"paper": {width: 128, modes: 16, fno: 4, mno: 3, lno: 3, levels: 4, mnoDim: 8},
}

// Presets lists the names of the presets.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// Preset returns the configuration of SPAMoE at a named size: "tiny" learns in minutes on a CPU, "small" in hours, "paper" has the
// sizes of the paper. Gathers are 5x1000x70, maps 1x70x70; gathers are normalised by the range of all families together after
// sign(x) log1p(GatherLog |x|).
func Preset(name string) (Config, error) {
	s, ok := presets[name]
	if !ok {
		return Config{}, fmt.Errorf("preset %q is unknown; wanted one of %s", name, strings.Join(Presets(), ", "))
	}
	c := seismic("spamoe")
	lo, hi := openfwi.GatherRange()
	c.Join, c.Rows, c.XNorm = true, s.rows, MinMax(GatherLog, lo, hi)
	modes := []int{s.modes, s.modes}
	c.SPAMoE = &SPAMoEConfig{
		Encoder: encoder.Config{Out: s.width, ViT: s.vit},
		Mixture: moe.Config{Channels: s.width, Noise: 1},
		Experts: []OperatorConfig{
			{FNO: &fno.Config{In: s.width, Out: 1, Hidden: s.width, Modes: modes, Layers: s.fno}},
			{MNO: &mno.Config{In: s.width, Out: 1, K: s.levels, Channels: s.mnoDim, Blocks: s.mno}},
			{LNO: &lno.Config{In: s.width, Out: 1, Hidden: s.width, Modes: modes, Grid: []int{70, 70}, Layers: s.lno}},
		},
	}
	return c, nil
}

// ReferenceConfig returns the configuration of SPAMoE as its authors' implementation runs it, with all its defects, so that its
// checkpoints give its answers: ViT-S/16, 128 channels, top 2 of a Fourier, a multiscale and a local operator.
func ReferenceConfig() Config {
	const width = 128
	c := seismic("spamoe")
	c.Join = true
	four := fno.Reference(width, 1, width, 16, 16)
	four.Layers = 4
	multi := mno.ReferenceMultiscale(width, 1, width)
	multi.Scales = []float64{1, 0.6, 0.3}
	local := lno.Reference(width, 1, width, []int{16, 16}, []int{70, 70})
	c.SPAMoE = &SPAMoEConfig{
		Encoder: encoder.Reference(encoder.KindViT, width),
		Mixture: moe.Reference(width, 2),
		Experts: []OperatorConfig{{FNO: &four}, {Multiscale: &multi}, {LNO: &local}},
	}
	return c
}

// seismic returns what all models of OpenFWI's data share.
func seismic(network string) Config {
	lo, hi := openfwi.GatherRange()
	return Config{Network: network, X: []int{5, 1000, 70}, Y: []int{1, 70, 70}, Unit: "m/s",
		XNorm: MinMax(openfwi.LogFactor, lo, hi), YNorm: MinMax(0, openfwi.VelocityMin, openfwi.VelocityMax)}
}
