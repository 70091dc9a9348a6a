package fwi

import (
	"cmp"
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
// leaves reflections from depth, a thousandth of the direct wave, next to nothing: after 12 epochs on 510 pairs of FlatVel_A an FNO
// has a validation MAE of 322 m/s with 1 and of 163 m/s with 100.
const GatherLog = 100

// scale is what distinguishes the presets of SPAMoE.
type scale struct {
	width, modes int // channels of the latent and the operators; Fourier modes
	vit          encoder.ViTConfig
	// shots gives each shot a channel of its own instead of joining them side by side, and a patch a latent point for each of its own:
	// column and time of a record then lie where column and depth of the map do, which a transformer without pretraining would have
	// to learn.
	shots    bool
	rows     int     // rows that records are resampled to; 0: all 1000
	affinity float64 // of experts for bands: see moe.Config.AffinitySharpness; 0: the paper's
	// The Fourier operator may have channels and modes of its own, 0: width and modes.
	fnoWidth, fnoModes int
	fno, mno, lno      int // layers
	levels, mnoDim     int // of the multiwavelet operator: polynomials per axis and functions in between
}

// In tiny and small AffinitySharpness is far below the paper's 10, since an expert that sees one band only lacks what the others hold:
// after 3 epochs on 1275 pairs of FlatVel_A a SPAMoE like tiny, with three transformer blocks and a Fourier operator as small as the
// local one, is off by 206 m/s with 10 and by 167 m/s with 1.
var presets = map[string]scale{
	// Minutes on a CPU.
	"tiny": {width: 16, modes: 12, vit: encoder.ViTConfig{Width: 96, Depth: 2, Heads: 3, Patch: 5}, shots: true, rows: 70, affinity: 0.3,
		fnoWidth: 24, fnoModes: 16, fno: 4, mno: 2, lno: 2, levels: 2, mnoDim: 4},
	// Hours on a CPU.
	"small": {width: 48, modes: 16, vit: encoder.ViTConfig{Width: 192, Depth: 6, Heads: 3, Patch: 7}, shots: true, rows: 140, affinity: 0.3,
		fno: 4, mno: 3, lno: 3, levels: 3, mnoDim: 5},
	// The sizes of the paper.
	"paper": {width: 128, modes: 16, fno: 4, mno: 3, lno: 3, levels: 4, mnoDim: 8},
}

// Presets lists the names of the presets.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// Preset returns the configuration of SPAMoE at a named size: "tiny" learns in minutes on a CPU, "small" in hours, "paper" has the
// sizes of the paper. Gathers are 5x1000x70, maps 1x70x70; gathers are normalised by the range of all families together after
// sign(x) log1p(GatherLog |x|).
func Preset(name string) (Config, error) {
	c := seismic("spamoe")
	p, err := PresetFor(name, c.X, c.Y)
	if err != nil {
		return Config{}, err
	}
	lo, hi := openfwi.GatherRange()
	p.XNorm, p.YNorm, p.Unit = MinMax(GatherLog, lo, hi), c.YNorm, c.Unit
	return p, nil
}

// PresetFor is Preset for inputs of shape x and outputs of shape y, both channels x rows x columns, without normalisations and unit.
func PresetFor(name string, x, y []int) (Config, error) {
	s, ok := presets[name]
	if !ok {
		return Config{}, fmt.Errorf("preset %q is unknown; wanted one of %s", name, strings.Join(Presets(), ", "))
	}
	if len(x) != 3 || len(y) != 3 {
		return Config{}, fmt.Errorf("a spamoe maps planes to planes, channels x rows x columns; the data map shape %v to %v (a fno takes any)", x, y)
	}
	c := Config{Network: "spamoe", X: x, Y: y, Join: !s.shots}
	if s.rows < x[1] {
		c.Rows = s.rows
	}
	enc := encoder.Config{Out: s.width, ViT: s.vit, Size: [2]int{y[1], y[2]}}
	if in := c.inputShape(); s.shots {
		enc.In = in[0]
		enc.ViT.Patch = fitting(s.vit.Patch, in[1], in[2])
		enc.Shuffle = enc.ViT.Patch
	}
	modes := func(n int) []int { return []int{min(n, y[1]), min(n, y[2])} }
	c.SPAMoE = &SPAMoEConfig{
		Encoder: enc,
		Mixture: moe.Config{Channels: s.width, Noise: 1, AffinitySharpness: s.affinity},
		Experts: []OperatorConfig{
			{FNO: &fno.Config{In: s.width, Out: y[0], Hidden: cmp.Or(s.fnoWidth, s.width), Modes: modes(cmp.Or(s.fnoModes, s.modes)), Layers: s.fno}},
			{MNO: &mno.Config{In: s.width, Out: y[0], K: s.levels, Channels: s.mnoDim, Blocks: s.mno}},
			{LNO: &lno.Config{In: s.width, Out: y[0], Hidden: s.width, Modes: modes(s.modes), Grid: y[1:], Layers: s.lno}},
		},
	}
	return c, nil
}

// fitting returns the largest patch, from half of most up to it, that divides both sides, or most where none does.
func fitting(most, rows, cols int) int {
	for p := most; 2*p >= most && p > 0; p-- {
		if rows%p == 0 && cols%p == 0 {
			return p
		}
	}
	return most
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
