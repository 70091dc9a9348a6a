package encoder

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spamoe/spamoe/checkpoint"
)

// LoadPretrained fills the backbone with the weights in the file at path, which has timm's names for this model, as
// vit_small_patch16_dinov3.lvd1689m and convnext_tiny.dinov3_lvd1689m have. Leading "module.", "backbone.", "model." and "encoder."
// are stripped from names; classification heads and the mask token are left out. Weights for RGB images become weights for one
// channel by their mean over the colours, which every channel gets where the model has more.
//
// Apart from that the file must have exactly the backbone's names and shapes; the error lists all that are missing, unexpected or of
// another shape, and the model is then as it was. The projection and the type head keep their values.
func (m *Model) LoadPretrained(path string) error {
	f, err := checkpoint.Read(path)
	if err != nil {
		return err
	}
	tensors := map[string]checkpoint.Tensor{}
	for _, name := range f.Names() {
		short := stripped(name)
		if dropped(short) {
			continue
		}
		t, _ := f.Tensor(name)
		if short == "patch_embed.proj.weight" || short == "stem.0.weight" {
			t = m.colours(t)
		}
		if _, twice := tensors[short]; twice {
			return fmt.Errorf("encoder: %s has two tensors that are called %q without prefixes", path, short)
		}
		tensors[short] = t
	}
	g, err := checkpoint.NewFile(f.Name(), tensors, f.Metadata)
	if err != nil {
		return err
	}
	var backbone any = m.ConvNeXt
	if m.ViT != nil {
		backbone = m.ViT
	}
	return checkpoint.LoadParams(g, backbone)
}

// stripped returns name without the prefixes that training scripts put ahead of a model's own names.
func stripped(name string) string {
	for {
		short := name
		for _, p := range []string{"module.", "backbone.", "model.", "encoder."} {
			short = strings.TrimPrefix(short, p)
		}
		if short == name {
			return name
		}
		name = short
	}
}

// dropped reports names of weights that only classification and pretraining need. The norm of a ConvNeXt's head is no such weight.
func dropped(name string) bool {
	return name == "mask_token" || !strings.HasPrefix(name, "head.norm.") &&
		slices.ContainsFunc([]string{"head.", "fc.", "fc_norm.", "classifier."}, func(p string) bool { return strings.HasPrefix(name, p) })
}

// colours turns a convolution's weights for RGB images, out x 3 x k x k, into weights for the model's channels.
func (m *Model) colours(t checkpoint.Tensor) checkpoint.Tensor {
	in := m.Config.In
	if len(t.Shape) != 4 || t.Shape[1] != 3 || in == 3 || !t.DType.IsFloat() {
		return t
	}
	x := t.Float64()
	window := t.Shape[2] * t.Shape[3]
	y := make([]float32, 0, t.Shape[0]*in*window)
	for o := range t.Shape[0] {
		mean := make([]float32, window)
		for i := range mean {
			at := 3*o*window + i
			mean[i] = float32((x[at] + x[at+window] + x[at+2*window]) / 3)
		}
		for range in {
			y = append(y, mean...)
		}
	}
	return checkpoint.FromFloat32(y, t.Shape[0], in, t.Shape[2], t.Shape[3])
}
