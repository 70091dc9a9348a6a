package encoder

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/golden"
	"github.com/spamoe/spamoe/internal/testdata"
)

// ropeTol is what float32 leaves of angles up to 2 pi.
const ropeTol = 2e-6

func TestRopeGolden(t *testing.T) {
	for _, name := range []string{"encoder_dino_tiny", "encoder_dino_tiny_1000x350"} {
		c := golden.Load(t, name)
		var config struct {
			Grid     []int
			Backbone struct {
				Width int     `json:"embed_dim"`
				Heads int     `json:"num_heads"`
				T     float64 `json:"rope_temperature"`
			}
		}
		c.Config(&config)
		d := config.Backbone.Width / config.Backbone.Heads
		r := newRope(config.Grid[0], config.Grid[1], 0, d, config.Backbone.T)
		want := c.Read("rope_embed_sin_cos.npy")
		require.Equal(t, []int{config.Grid[0] * config.Grid[1], 2 * d}, want.Shape)
		// A row holds the sines of all d channels, the second half like the first, then the cosines.
		for p := range want.Shape[0] {
			row := want.Data[p*2*d:]
			for i := range d {
				require.InDelta(t, row[i], r.Sin[p*d/2+i%(d/2)], ropeTol)
				require.InDelta(t, row[d+i], r.Cos[p*d/2+i%(d/2)], ropeTol)
			}
		}
	}
}

// TestNames holds the names and shapes of our models against timm's and the reference's.
func TestNames(t *testing.T) {
	text, err := os.ReadFile(testdata.Shared(t, "golden", "state_dict_lists", "timm_state_dicts.json"))
	require.NoError(t, err)
	type entry struct {
		Name  string
		Shape []int
	}
	var lists map[string]struct {
		List []entry `json:"state_dict"`
	}
	require.NoError(t, json.Unmarshal(text, &lists))
	withBias := Reference(KindViT, 128)
	withBias.ViT.QKVBias = true
	for list, c := range map[string]Config{"Encoder_Dino_default_128_10": Reference(KindViT, 128),
		"Encoder_ConvNeXt_default_128_10": Reference(KindConvNeXt, 128), "vit_small_patch16_dinov3_qkvb_in1": withBias} {
		t.Run(list, func(t *testing.T) {
			m, err := New(c, nil)
			require.NoError(t, err)
			var model any = m
			if c.ViT.QKVBias {
				model = m.ViT
			}
			var got []entry
			for name, p := range autograd.Params(model) {
				got = append(got, entry{name, append([]int{}, p.Shape...)})
			}
			require.Equal(t, lists[list].List, got)
		})
	}
}
