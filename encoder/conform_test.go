package encoder_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/conform"
	"github.com/spamoe/spamoe/internal/testdata"
)

func TestGolden(t *testing.T) {
	for _, name := range []string{"encoder_dino_tiny", "encoder_dino_tiny_1000x350", "encoder_convnext_tiny", "encoder_dino_vits16_hash"} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "encoder_dino_vits16_hash" {
				t.Skip("a ViT-S/16 on 1386 patches takes seconds")
			}
			r := conform.Run(testdata.Shared(t, "golden", name))
			require.Equal(t, conform.Passed, r.Status, r.Detail)
			t.Log(r.Detail)
		})
	}
}
