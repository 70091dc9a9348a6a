package encoder

import (
	"cmp"
	"fmt"
	"slices"
)

// Kind names a backbone.
type Kind string

// The backbones.
const (
	KindViT      Kind = "vit"      // DINOv3's vision transformer; the default
	KindConvNeXt Kind = "convnext" // DINOv3's ConvNeXt
)

// Config describes an encoder. Out is required; the zero value of everything else is that of SPAMoE: ViT-S/16 and a grid of 70 x 70.
type Config struct {
	Kind Kind `json:"kind,omitempty"`
	// In is the number of channels of the image; 0 means 1.
	In int `json:"in,omitempty"`
	// Out is the number of channels of the latent map.
	Out int `json:"out"`
	// Size is the latent grid, {rows, columns}; 0 means 70.
	Size [2]int `json:"size,omitzero"`
	// Shuffle is the side r of the block of latent points that a token of a ViT makes: the projection gives r x r points for every patch,
	// which are laid side by side (Shi et al., arXiv 1609.05158) before the result is brought to Size. 0 means 1, a point per patch, as in
	// SPAMoE, whose latent cannot show anything smaller than a patch.
	Shuffle int `json:"shuffle,omitempty"`
	// Types is the number of classes of the type head, which says from the global features what family a record is of; 0 means no
	// head.
	Types int `json:"types,omitempty"`

	ViT      ViTConfig      `json:"vit,omitzero"`
	ConvNeXt ConvNeXtConfig `json:"convnext,omitzero"`
	// Floor is the bound on the latent map's spectrum.
	Floor FloorConfig `json:"floor,omitzero"`

	// FreezeBlocks keeps the patch embedding, the tokens and the first blocks of a ViT as they are (of a ConvNeXt, the stem and the
	// first stages); -1 keeps the whole backbone.
	FreezeBlocks int `json:"freeze_blocks,omitempty"`
	// Freeze keeps parameters by name: see Model.Freeze.
	Freeze []string `json:"freeze,omitempty"`

	// Defects of the reference that its checkpoints were trained with.
	Defects Defects `json:"defects,omitzero"`
}

// ViTConfig sizes a vision transformer. The zero value is ViT-S/16 of DINOv3.
type ViTConfig struct {
	Width    int `json:"width,omitempty"`     // channels of a token; 0 means 384
	Depth    int `json:"depth,omitempty"`     // number of blocks; 0 means 12
	Heads    int `json:"heads,omitempty"`     // attention heads; 0 means 6
	Patch    int `json:"patch,omitempty"`     // side of a patch; 0 means 16
	MLPRatio int `json:"mlp_ratio,omitempty"` // hidden width of the perceptrons over Width; 0 means 4
	// Registers is the number of register tokens; 0 means 4, -1 none.
	Registers int `json:"registers,omitempty"`
	// Temperature is the ratio of the longest to the shortest period of the rotations, but for one step; 0 means 100.
	Temperature float64 `json:"temperature,omitempty"`
	// QKVBias adds a bias to queries and values, as timm's variants "qkvb" have.
	QKVBias bool `json:"qkv_bias,omitempty"`
	// LayerScale is what gamma starts at; 0 means 0.1, for training from scratch. DINOv3 started at 1e-5, with which a short training
	// leaves the blocks next to idle.
	LayerScale float64 `json:"layer_scale,omitempty"`
}

// ConvNeXtConfig sizes a ConvNeXt. The zero value is ConvNeXt-T.
type ConvNeXtConfig struct {
	Depths []int `json:"depths,omitempty"` // blocks of each stage; none means 3, 3, 9, 3
	Widths []int `json:"widths,omitempty"` // channels of each stage; none means 96, 192, 384, 768
	// Clamp bounds the projected features, whose channels are scaled to a root mean square of 1 each; 0 means 5.
	Clamp float64 `json:"clamp,omitempty"`
	// LayerScale is what gamma starts at; 0 means 0.1. timm starts at 1e-6.
	LayerScale float64 `json:"layer_scale,omitempty"`
}

// Defects reproduces what the reference does wrong. The zero value is right.
type Defects struct {
	// ShiftTokens reads the tokens of the ViT in the wrong order: as class token, patches, registers, where they come as class token,
	// registers, patches. The grid of the latent map is shifted by as many tokens as there are registers, and the global features
	// are the mean of the class token and the last patches.
	ShiftTokens bool `json:"shift_tokens,omitempty"`
}

// Reference returns the encoder of SPAMoE for maps of out channels, with its defect and without the spectral floor, which it has not.
func Reference(kind Kind, out int) Config {
	return Config{Kind: kind, Out: out, Types: 10, ViT: ViTConfig{LayerScale: 1e-5}, ConvNeXt: ConvNeXtConfig{LayerScale: 1e-6},
		Floor: FloorConfig{Mode: FloorOff}, Defects: Defects{ShiftTokens: true}}
}

// Clone returns a copy of c that shares no memory with it.
func (c Config) Clone() Config {
	c.ConvNeXt.Depths, c.ConvNeXt.Widths = slices.Clone(c.ConvNeXt.Depths), slices.Clone(c.ConvNeXt.Widths)
	c.Freeze = slices.Clone(c.Freeze)
	return c
}

// defaults fills in what 0 stands for.
func (c Config) defaults() Config {
	c.Kind = cmp.Or(c.Kind, KindViT)
	c.In = cmp.Or(c.In, 1)
	c.Size[0] = cmp.Or(c.Size[0], 70)
	c.Size[1] = cmp.Or(c.Size[1], 70)
	c.Shuffle = cmp.Or(c.Shuffle, 1)
	c.ViT.Width = cmp.Or(c.ViT.Width, 384)
	c.ViT.Depth = cmp.Or(c.ViT.Depth, 12)
	c.ViT.Heads = cmp.Or(c.ViT.Heads, 6)
	c.ViT.Patch = cmp.Or(c.ViT.Patch, 16)
	c.ViT.MLPRatio = cmp.Or(c.ViT.MLPRatio, 4)
	c.ViT.Registers = cmp.Or(c.ViT.Registers, 4)
	c.ViT.Temperature = cmp.Or(c.ViT.Temperature, 100)
	c.ViT.LayerScale = cmp.Or(c.ViT.LayerScale, 0.1)
	if c.ConvNeXt.Depths == nil {
		c.ConvNeXt.Depths = []int{3, 3, 9, 3}
	}
	if c.ConvNeXt.Widths == nil {
		c.ConvNeXt.Widths = []int{96, 192, 384, 768}
	}
	c.ConvNeXt.Clamp = cmp.Or(c.ConvNeXt.Clamp, 5)
	c.ConvNeXt.LayerScale = cmp.Or(c.ConvNeXt.LayerScale, 0.1)
	c.Floor = c.Floor.defaults()
	return c
}

// registers is the number of register tokens.
func (c ViTConfig) registers() int { return max(c.Registers, 0) }

// Check reports the first thing in c that cannot work.
func (c Config) Check() error {
	c = c.defaults()
	switch {
	case c.Out < 1 || c.In < 1 || c.Types < 0:
		return fmt.Errorf("encoder: in %d, out %d, types %d; want at least 1, 1 and 0", c.In, c.Out, c.Types)
	case c.Size[0] < 1 || c.Size[1] < 1:
		return fmt.Errorf("encoder: size %v of the latent grid; want positive numbers", c.Size)
	case c.Shuffle < 1 || c.Shuffle > 1 && c.Kind != KindViT:
		return fmt.Errorf("encoder: shuffle %d for kind %q; want 1 or more for %q, 1 for others", c.Shuffle, c.Kind, KindViT)
	}
	blocks := 0
	switch c.Kind {
	case KindViT:
		v := c.ViT
		blocks = v.Depth
		switch {
		case v.Width < 1 || v.Depth < 1 || v.Heads < 1 || v.Patch < 1 || v.MLPRatio < 1 || v.Registers < -1:
			return fmt.Errorf("encoder: vit: width %d, depth %d, heads %d, patch %d, mlp_ratio %d, registers %d; want positive numbers, registers from -1 on",
				v.Width, v.Depth, v.Heads, v.Patch, v.MLPRatio, v.Registers)
		case v.Width%(4*v.Heads) != 0:
			return fmt.Errorf("encoder: vit: width %d for %d heads; want a multiple of 4 channels per head", v.Width, v.Heads)
		case !(v.Temperature > 0):
			return fmt.Errorf("encoder: vit: temperature %v; want a positive number", v.Temperature)
		}
	case KindConvNeXt:
		v := c.ConvNeXt
		blocks = len(v.Depths)
		if len(v.Depths) == 0 || len(v.Depths) != len(v.Widths) || slices.Min(v.Depths) < 0 || slices.Min(v.Widths) < 1 {
			return fmt.Errorf("encoder: convnext: depths %v, widths %v; want one of each for every stage, widths positive", v.Depths, v.Widths)
		}
		if !(v.Clamp > 0) {
			return fmt.Errorf("encoder: convnext: clamp %v; want a positive number", v.Clamp)
		}
	default:
		return fmt.Errorf("encoder: kind %q; want %q or %q", c.Kind, KindViT, KindConvNeXt)
	}
	if c.FreezeBlocks < -1 || c.FreezeBlocks > blocks {
		return fmt.Errorf("encoder: freeze_blocks %d; want -1 to %d", c.FreezeBlocks, blocks)
	}
	return c.Floor.check()
}
