package encoder_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/conform"
	"github.com/spamoe/spamoe/internal/testdata"
)

// TestGolden runs the small cases. That of ViT-S/16, which takes seconds, is run with all others by package conform.
func TestGolden(t *testing.T) {
	for _, name := range []string{"encoder_dino_tiny", "encoder_dino_tiny_1000x350", "encoder_convnext_tiny"} {
		for _, bf16 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/bf16=%v", name, bf16), func(t *testing.T) {
				r := conform.Run(testdata.Shared(t, "golden", name), conform.Options{BFloat16: bf16})
				require.Equal(t, conform.Passed, r.Status, r.Detail)
				t.Log(r.Detail)
			})
		}
	}
}
