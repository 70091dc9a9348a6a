package autograd_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/conform"
	"github.com/spamoe/spamoe/internal/testdata"
)

// The operations of this package against the numbers of PyTorch, from which all others are made.
func TestGolden(t *testing.T) {
	dir := testdata.Shared(t, "golden")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	ran := 0
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, "op_") && !strings.HasSuffix(name, "fft2") {
			ran++
			r := conform.Run(dir+"/"+name, conform.Options{})
			require.Equal(t, conform.Passed, r.Status, "%s: %s", name, r.Detail)
		}
	}
	require.Positive(t, ran)
}
