package conform

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/testdata"
)

func TestGolden(t *testing.T) {
	dir := testdata.Shared(t, "golden")
	passed, failed, skipped, err := RunAll(context.Background(), dir, func(r Result) {
		t.Run(r.Name, func(t *testing.T) {
			switch r.Status {
			case Failed:
				t.Errorf("%s: %s", r.Op, r.Detail)
			case Skipped:
				t.Skip(r.Detail)
			default:
				t.Log(r.Detail)
			}
		})
	})
	require.NoError(t, err)
	t.Logf("%d passed, %d failed, %d skipped", passed, failed, skipped)
}
