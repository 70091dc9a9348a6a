package encoder

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/checkpoint"
)

// timm returns the tensors of a backbone as a file for RGB images has them, under a prefix.
func timm(m *Model, embed, prefix string) map[string]checkpoint.Tensor {
	var backbone any = m.ViT
	if m.ViT == nil {
		backbone = m.ConvNeXt
	}
	tensors := map[string]checkpoint.Tensor{}
	for name, p := range autograd.Params(backbone) {
		tensors[prefix+name] = checkpoint.FromFloat32(p.Data, p.Shape...)
		if name == embed {
			// Red, green and blue are 1, 2 and 6 times the first channel.
			shape := append([]int{}, p.Shape...)
			window, in := shape[2]*shape[3], shape[1]
			shape[1] = 3
			var rgb []float32
			for o := range shape[0] {
				for _, factor := range []float32{1, 2, 6} {
					for _, v := range p.Data[o*in*window:][:window] {
						rgb = append(rgb, factor*v)
					}
				}
			}
			tensors[prefix+name] = checkpoint.FromFloat32(rgb, shape...)
		}
	}
	return tensors
}

func TestLoadPretrained(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	for _, c := range []struct {
		Config
		embed, prefix string
	}{{small(), "patch_embed.proj.weight", ""}, {small(), "patch_embed.proj.weight", "module.encoder.backbone."},
		{smallConv(), "stem.0.weight", "model."}} {
		from := newModel(t, c.Config)
		tensors := timm(from, c.embed, c.prefix)
		for _, head := range []string{"head.weight", "head.fc.bias", "fc_norm.weight", "classifier.weight", "mask_token"} {
			tensors[c.prefix+head] = checkpoint.FromFloat32([]float32{1, 2}, 2)
		}
		require.NoError(t, checkpoint.Write(path, tensors, nil))
		to, err := New(c.Config, nil)
		require.NoError(t, err)
		require.NoError(t, to.LoadPretrained(path))
		want := map[string]*autograd.Param{}
		for name, p := range autograd.Params(from) {
			want[name] = p
		}
		for name, p := range autograd.Params(to) {
			switch {
			case name == "backbone."+c.embed:
				window := p.Shape[2] * p.Shape[3]
				for i, v := range p.Data { // every channel has the mean over the colours, 3 times the first channel
					first := want[name].Data[i/(p.Shape[1]*window)*p.Shape[1]*window+i%window]
					require.InEpsilon(t, 3*first, v, 1e-6)
				}
			case strings.HasPrefix(name, "backbone.head.fc.") || !strings.HasPrefix(name, "backbone."):
				if name != "router_temp" {
					require.Zero(t, p.Data[0], name)
				}
			default:
				require.Equal(t, want[name].Data, p.Data, name)
			}
		}
	}
}

func TestLoadPretrainedErrors(t *testing.T) {
	dir := t.TempDir()
	m := newModel(t, small())
	require.Error(t, m.LoadPretrained(filepath.Join(dir, "absent")))
	load := func(change func(map[string]checkpoint.Tensor)) error {
		path := filepath.Join(dir, "weights.safetensors")
		tensors := timm(m, "patch_embed.proj.weight", "backbone.")
		change(tensors)
		require.NoError(t, checkpoint.Write(path, tensors, nil))
		return m.LoadPretrained(path)
	}
	before := append([]float32{}, m.ViT.Norm.Weight.Data...)
	err := load(func(list map[string]checkpoint.Tensor) {
		delete(list, "backbone.norm.bias")
		list["backbone.pos_embed"] = checkpoint.FromFloat32([]float32{1}, 1)
		list["backbone.cls_token"] = checkpoint.FromFloat32(make([]float32, 8), 1, 1, 8)
		list["backbone.norm.weight"] = checkpoint.FromFloat32(make([]float32, 16), 16)
	})
	require.ErrorContains(t, err, "1 missing: norm.bias (16)")
	require.ErrorContains(t, err, "1 unexpected: pos_embed (1)")
	require.ErrorContains(t, err, "cls_token is 1x1x8, want 1x1x16")
	require.ErrorContains(t, err, dir)
	require.Equal(t, before, m.ViT.Norm.Weight.Data)
	err = load(func(list map[string]checkpoint.Tensor) { list["norm.bias"] = list["backbone.norm.bias"] })
	require.ErrorContains(t, err, `two tensors that are called "norm.bias"`)
	err = load(func(list map[string]checkpoint.Tensor) {
		list["backbone.patch_embed.proj.weight"] = checkpoint.FromFloat32(make([]float32, 16*4*16), 16, 4, 4, 4)
	})
	require.ErrorContains(t, err, "patch_embed.proj.weight is 16x4x4x4, want 16x1x4x4")
}
