package reference

import (
	"encoding/json"
	"fmt"

	"github.com/spamoe/spamoe/encoder"
)

// Encoder reads the configuration of an encoder of SPAMoE; op says which: "encoder_dino" or "encoder_convnext". The sizes of a ViT may
// stand in it or in a part of it called "backbone"; what is absent is that of ViT-S/16, or ConvNeXt-T.
func Encoder(op string, config []byte) (encoder.Config, error) {
	type sizes struct {
		Width       int     `json:"embed_dim"`
		Depth       int     `json:"depth"`
		Heads       int     `json:"num_heads"`
		QKVBias     bool    `json:"qkv_bias"`
		MLPRatio    int     `json:"mlp_ratio"`
		Registers   *int    `json:"num_reg_tokens"`
		Patch       int     `json:"patch"`
		Temperature float64 `json:"rope_temperature"`
	}
	c := struct {
		sizes
		Backbone json.RawMessage `json:"backbone"`
		Model    string          `json:"model"` // a name for people
		Grid     []int           `json:"grid"`  // of the patches: follows from the input
		In       int             `json:"in_chans"`
		Out      int             `json:"out_channels"`
		Types    int             `json:"num_types"`
		Size     json.RawMessage `json:"img_size"` // one number or two
		TypeAct  string          `json:"type_act"`
		Depths   []int           `json:"depths"`
		Dims     []int           `json:"dims"`
		Temp     float64         `json:"router_temp"` // lies with the weights
		Clamp    float64         `json:"clamp"`
	}{TypeAct: "softmax"}
	err := strict(config, &c)
	if err == nil && c.Backbone != nil {
		err = strict(c.Backbone, &c.sizes)
	}
	var size [2]int
	if err == nil && c.Size != nil {
		if err = json.Unmarshal(c.Size, &size[0]); err == nil {
			size[1] = size[0]
		} else {
			var list []int
			if err = json.Unmarshal(c.Size, &list); err == nil && len(list) != 2 {
				err = fmt.Errorf("img_size %s; want one number or two", c.Size)
			}
			copy(size[:], list)
		}
	}
	if err == nil && c.TypeAct != "softmax" {
		err = fmt.Errorf("type_act %q; want softmax", c.TypeAct)
	}
	kind := encoder.KindViT
	switch op {
	case "encoder_dino":
	case "encoder_convnext":
		kind = encoder.KindConvNeXt
	default:
		return encoder.Config{}, fmt.Errorf("reference: no encoder is called %q", op)
	}
	if err != nil {
		return encoder.Config{}, fmt.Errorf("reference: configuration of %s: %w", op, err)
	}
	out := encoder.Reference(kind, c.Out)
	out.In, out.Types, out.Size = c.In, c.Types, size
	v := &out.ViT
	v.Width, v.Depth, v.Heads, v.QKVBias, v.MLPRatio, v.Patch, v.Temperature = c.Width, c.Depth, c.Heads, c.QKVBias, c.MLPRatio, c.Patch, c.Temperature
	if c.Registers != nil {
		v.Registers = *c.Registers
		if v.Registers == 0 {
			v.Registers = -1
		}
	}
	out.ConvNeXt.Depths, out.ConvNeXt.Widths, out.ConvNeXt.Clamp = c.Depths, c.Dims, c.Clamp
	return out, out.Check()
}
