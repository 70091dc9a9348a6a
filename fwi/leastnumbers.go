package fwi

import (
	"math"

	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/fwi/inversionnet"
	"github.com/spamoe/spamoe/lno"
	"github.com/spamoe/spamoe/mno"
	"github.com/spamoe/spamoe/moe"
	"github.com/spamoe/spamoe/spectral"
)

// leastNumbers returns a lower bound on how many numbers the network of a configuration has, from its largest weights. It is what Load
// compares with a file before it makes the network, so that no configuration asks for more memory than its file accounts for. A size
// of 0, which stands for a default, counts as 1.
func (cfg Config) leastNumbers() float64 {
	switch {
	case cfg.Network == "inversionnet":
		return leastInversionNet(cfg.InversionNet)
	case cfg.Network != "spamoe":
		return cfg.OperatorConfig.leastNumbers()
	case cfg.SPAMoE == nil:
		return 0
	}
	n := leastEncoder(cfg.SPAMoE.Encoder) + leastRouter(cfg.SPAMoE.Mixture)
	for _, x := range cfg.SPAMoE.Experts {
		n += x.leastNumbers()
	}
	return n
}

func (c OperatorConfig) leastNumbers() float64 {
	switch c.Name() {
	case "fno":
		return leastFNO(*c.FNO)
	case "mno":
		return leastMNO(*c.MNO)
	case "multiscale":
		return leastMultiscale(*c.Multiscale)
	case "lno":
		return leastLNO(*c.LNO)
	}
	return 0
}

// times multiplies sizes.
func times(sizes ...int) float64 {
	n := 1.0
	for _, s := range sizes {
		n *= float64(max(1, s))
	}
	return n
}

// widened is a size times a ratio, rounded down.
func widened(size int, ratio float64) float64 {
	return max(1, math.Floor(ratio*float64(size)))
}

// leastBlocks is for Fourier blocks: their spectral weights, perceptrons and what an embedding enters.
func leastBlocks(c spectral.BlockConfig) float64 {
	modes := c.Modes
	if c.MaxModes != nil {
		modes = c.MaxModes
	}
	weight := 2 * times(c.Channels)
	if !c.Separable {
		weight *= times(c.Channels)
	}
	for i, m := range modes {
		if i == len(modes)-1 && !c.Complex {
			m = m/2 + 1
		}
		weight *= times(m)
	}
	if c.Rank > 0 {
		weight *= c.Rank / 8 // about Rank of it: ranks of up to five axes are rounded, to two thirds at worst
	}
	n := weight
	if !c.NoMLP {
		n += 2 * times(c.Channels) * widened(c.Channels, c.MLPExpansion)
	}
	if c.Normalise == spectral.NormaliseAdaIN {
		n += 512 * (times(c.Embedding) + 2*times(c.Channels)) // the perceptron of an nn.AdaIN
	}
	return times(c.Layers) * n
}

// leastEnds is for the perceptrons at both ends of an operator, of these widths.
func leastEnds(in, hidden, out int, lifting, projection float64) float64 {
	return lifting*(times(in)+times(hidden)) + projection*(times(hidden)+times(out))
}

func leastFNO(c fno.Config) float64 {
	lifting := widened(c.Hidden, c.LiftingRatio)
	if c.LinearLifting {
		lifting = 0
	}
	return leastEnds(c.In, c.Hidden, c.Out, lifting, widened(c.Hidden, c.ProjectionRatio)) + leastBlocks(spectral.BlockConfig{
		Channels: c.Hidden, Modes: c.Modes, MaxModes: c.MaxModes, Layers: c.Layers, NoMLP: c.NoMLP, MLPExpansion: c.MLPExpansion,
		Normalise: c.Normalise, Embedding: c.Embedding, Separable: c.Separable, Complex: c.Complex, Rank: c.Rank})
}

func leastMNO(c mno.Config) float64 {
	width := times(c.Channels, c.K)
	modes := times(c.Modes)
	if c.Dim != 1 {
		width *= times(c.K)
		modes *= modes
	}
	return times(c.Blocks)*2*width*width*modes + width*(times(c.In)+times(c.ProjectionHidden)) + times(c.Out)
}

func leastMultiscale(c mno.MultiscaleConfig) float64 {
	n := leastEnds(c.In, c.Hidden, c.Out, times(c.LiftingHidden), times(c.ProjectionHidden))
	for i := range max(1, len(c.Scales)) {
		b := spectral.BlockConfig{Channels: c.Hidden, Layers: c.Layers}
		if i < len(c.Modes) {
			b.Modes = c.Modes[i]
		}
		n += leastBlocks(b)
	}
	return n
}

func leastLNO(c lno.Config) float64 {
	n := leastEnds(c.In, c.Hidden, c.Out, widened(c.Hidden, c.LiftingRatio), widened(c.Hidden, c.ProjectionRatio)) +
		leastBlocks(spectral.BlockConfig{Channels: c.Hidden, Modes: c.Modes, MaxModes: c.MaxModes, Layers: c.Layers, NoMLP: !c.MLP,
			MLPExpansion: c.MLPExpansion, Normalise: c.Normalise, Embedding: c.Embedding, Separable: c.Separable, Rank: c.Rank})
	mixed := times(c.Hidden, c.Hidden)
	taps, own := 1.0, 1.0
	for range c.Modes {
		taps *= times(c.Stencil)
	}
	if c.Depthwise {
		own = times(c.Hidden)
	}
	n += leastKernels(c, c.Differential, true) * mixed / own * taps
	return n + leastKernels(c, c.Integral, len(c.Modes) == 2)*mixed/times(c.IntegralGroups)*times(c.Basis.Len())
}

// leastKernels is how many blocks of an LNO have a kernel, by a list like Config.Differential and what it means to have none.
func leastKernels(c lno.Config, list []bool, otherwise bool) float64 {
	n := 0
	for _, has := range list {
		if has {
			n++
		}
	}
	switch {
	case len(list) > 1:
		return float64(n)
	case n == 1 || len(list) == 0 && otherwise:
		return times(c.Layers)
	}
	return 0
}

func leastEncoder(c encoder.Config) float64 {
	n, width := 0.0, c.ViT.Width
	if c.Kind == encoder.KindConvNeXt {
		width = 1
		for i := range min(len(c.ConvNeXt.Widths), len(c.ConvNeXt.Depths)) {
			width = c.ConvNeXt.Widths[i]
			n += 8 * float64(c.ConvNeXt.Depths[i]) * times(width, width)
		}
	} else {
		v := c.ViT
		n = times(v.Depth)*(4+2*times(v.MLPRatio))*times(width, width) + times(c.In, v.Patch, v.Patch, width) + float64(v.Registers)*times(width)
	}
	return n + times(width)*(times(c.Shuffle, c.Shuffle, c.Out)+float64(c.Types))
}

func leastRouter(c moe.Config) float64 {
	if c.Routing != "" && c.Routing != moe.Learned {
		return 0
	}
	n := times(c.Channels, c.Experts)
	if !c.NoAttention {
		n += 4 * times(c.Channels, c.Channels)
	}
	return n
}

func leastInversionNet(c inversionnet.Config) float64 {
	w := c.Widths
	return 3*(times(w[0], w[1])+times(w[1], w[1])+times(w[2], w[2])) + 9*times(w[3], w[3]) + 25*times(w[4], w[4])
}
