package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/fwi"
)

// SPAMoE reads the configuration of a whole SPAMoE, an EMO: the name or the sizes of its encoder, and the experts as its ExpertFactory
// takes them. Table is that of LocalNO. The type head is frozen, as it is wherever SPAMoE trains for maps.
func SPAMoE(config []byte, table [][][]float32) (fwi.SPAMoEConfig, error) {
	var c struct {
		router
		Encoder     json.RawMessage              `json:"encoder"`
		Latent      int                          `json:"encoder_out"`
		Hidden      int                          `json:"hidden"`
		TopK        int                          `json:"top_k"`
		RouterAlpha float64                      `json:"router_alpha"`
		Experts     []map[string]json.RawMessage `json:"experts"`
	}
	c.Latent, c.Hidden, c.TopK, c.RouterAlpha = 128, 128, 2, 0.1
	if err := strict(config, &c); err != nil {
		return fwi.SPAMoEConfig{}, fmt.Errorf("reference: configuration of a SPAMoE: %w", err)
	}
	c.Alpha = c.RouterAlpha
	enc, err := spamoeEncoder(c.Encoder, c.Latent)
	if err != nil {
		return fwi.SPAMoEConfig{}, err
	}
	out := fwi.SPAMoEConfig{Encoder: enc, Mixture: c.config(c.Latent, len(c.Experts), c.TopK)}
	for i, e := range c.Experts {
		x, err := ensembleExpert(e, c.Latent, c.Hidden, table)
		if err != nil {
			return out, fmt.Errorf("reference: expert %d: %w", i, err)
		}
		out.Experts = append(out.Experts, x)
	}
	return out, out.Mixture.Check()
}

// encoderNames are those by which SPAMoE asks timm for the encoders that this module has.
var encoderNames = map[string]string{
	"vit": "encoder_dino", "vit_small_patch16_dinov3": "encoder_dino", "convnext": "encoder_convnext", "convnext_tiny": "encoder_convnext",
}

// spamoeEncoder reads the encoder of a SPAMoE, a name or an object of sizes, which makes latents of the given width.
func spamoeEncoder(config json.RawMessage, width int) (encoder.Config, error) {
	op, name := "encoder_dino", "vit"
	sizes := map[string]json.RawMessage{}
	if err := json.Unmarshal(config, &sizes); err != nil {
		if err := json.Unmarshal(config, &name); err != nil {
			return encoder.Config{}, fmt.Errorf("reference: encoder %s; want a name or an object of sizes", config)
		}
		known, ok := encoderNames[name]
		if !ok {
			return encoder.Config{}, fmt.Errorf("reference: encoder %q; want one of %s", name, strings.Join(slices.Sorted(maps.Keys(encoderNames)), ", "))
		}
		op = known
	}
	if _, ok := sizes["depths"]; ok {
		op = "encoder_convnext"
	}
	for key, n := range map[string]int{"out_channels": width, "num_types": 10} {
		if _, ok := sizes[key]; !ok {
			sizes[key] = fmt.Appendf(nil, "%d", n)
		}
	}
	text, err := json.Marshal(sizes)
	if err != nil {
		return encoder.Config{}, err
	}
	c, err := Encoder(op, text)
	switch {
	case err != nil:
		return c, err
	case c.Out != width:
		return c, fmt.Errorf("reference: the encoder has out_channels %d, encoder_out is %d", c.Out, width)
	case c.Kind == encoder.KindConvNeXt:
		c.Freeze = []string{"backbone.head.fc"}
	default:
		c.Freeze = []string{"type_head"}
	}
	return c, nil
}

// ensembleExpert reads a configuration for ExpertFactory.create_expert_ensemble, for two axes: "type", a kind of that type, and what
// the operator's class takes. The other kinds that the factory knows are not SPAMoE's.
func ensembleExpert(config map[string]json.RawMessage, in, hidden int, table [][][]float32) (fwi.OperatorConfig, error) {
	config = maps.Clone(config)
	take := func(key, otherwise string) string {
		text, ok := config[key]
		delete(config, key)
		if !ok {
			return otherwise
		}
		return string(bytes.Trim(text, `"`))
	}
	kind := take("type", "domain")
	variant, ok := map[string][3]string{
		"domain": {"domain_type", "fourier", "fourier"}, "scale": {"scale_expert_type", "native", "native"}, "local": {"local_type", "basic", "basic"},
	}[kind]
	if !ok {
		return fwi.OperatorConfig{}, fmt.Errorf("type %q; want domain, scale or local", kind)
	}
	if v := take(variant[0], variant[1]); v != variant[2] {
		return fwi.OperatorConfig{}, fmt.Errorf("%s %q; want %q", variant[0], v, variant[2])
	}
	if n := take("n_dim", "2"); n != "2" {
		return fwi.OperatorConfig{}, fmt.Errorf("n_dim %s; want 2", n)
	}
	for key, n := range map[string]int{"in_channels": in, "out_channels": 1, "hidden_channels": hidden} {
		if _, ok := config[key]; ok {
			return fwi.OperatorConfig{}, fmt.Errorf("%s is given, which follows from the encoder and hidden", key)
		}
		config[key] = fmt.Appendf(nil, "%d", n)
	}
	if kind == "domain" {
		for _, key := range []string{"n_modes_height", "n_modes_width"} {
			if _, ok := config[key]; !ok {
				config[key] = []byte("16")
			}
		}
	}
	text, err := json.Marshal(config)
	if err != nil {
		return fwi.OperatorConfig{}, err
	}
	switch kind {
	case "domain":
		c, err := FNO("fno2d_fork", text)
		return fwi.OperatorConfig{FNO: &c}, err
	case "scale":
		c, err := Multiscale(text)
		return fwi.OperatorConfig{Multiscale: &c}, err
	}
	c, err := LocalNO(text, table)
	return fwi.OperatorConfig{LNO: &c}, err
}
