package reference

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/encoder"
)

func TestEncoder(t *testing.T) {
	c, err := Encoder("encoder_dino", []byte(`{"out_channels": 8, "embed_dim": 48, "num_heads": 3, "num_reg_tokens": 0, "img_size": 20}`))
	require.NoError(t, err)
	require.Equal(t, encoder.KindViT, c.Kind)
	require.Equal(t, [2]int{20, 20}, c.Size)
	require.Equal(t, -1, c.ViT.Registers)
	require.True(t, c.Defects.ShiftTokens)
	require.Zero(t, c.Floor.Bound())
	for text, want := range map[string]string{
		`{"out_channels": 8, "type_act": "sigmoid"}`:    `type_act "sigmoid"; want softmax`,
		`{"out_channels": 8, "mode": "resize1120"}`:     `unknown field "mode"`,
		`{"out_channels": 8, "img_size": [1, 2, 3]}`:    "want one number or two",
		`{"out_channels": 8, "backbone": {"width": 3}}`: `unknown field "width"`,
		`{"out_channels": 8, "embed_dim": 7}`:           "width 7 for 6 heads",
	} {
		_, err := Encoder("encoder_dino", []byte(text))
		require.ErrorContains(t, err, want, text)
	}
	_, err = Encoder("encoder_resnet", []byte(`{"out_channels": 8}`))
	require.ErrorContains(t, err, `no encoder is called "encoder_resnet"`)
}
