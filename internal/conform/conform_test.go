package conform

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/testdata"
)

func TestGolden(t *testing.T) {
	dir := testdata.Shared(t, "golden")
	passed, failed, skipped, err := RunAll(context.Background(), dir, Options{}, func(r Result) {
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
	require.Positive(t, passed)
	require.Zero(t, skipped)
}

// Networks whose cost is in products are right on products of bfloat16, within what these lose.
func TestBFloat16(t *testing.T) {
	for _, name := range []string{"encoder_dino_vits16_hash", "emo_default_hash", "emo_tiny"} {
		t.Run(name, func(t *testing.T) {
			r := Run(testdata.Shared(t, "golden", name), Options{BFloat16: true})
			require.Equal(t, Passed, r.Status, r.Detail)
			require.Contains(t, r.Detail, "of their size")
			t.Log(r.Detail)
		})
	}
}

func TestDeviation(t *testing.T) {
	e, err := outputDeviation("y", []float64{3, 4}, func(i int) float64 { return []float64{3.1, 4}[i] })
	require.NoError(t, err)
	require.InDelta(t, 0.02, e, 1e-12)
	_, err = outputDeviation("y", []float64{3, 4}, func(i int) float64 { return []float64{2, 4}[i] })
	require.ErrorContains(t, err, "output y: off by 0.2 of their size")
	_, err = outputDeviation("y", []float64{1}, func(int) float64 { return math.NaN() })
	require.Error(t, err)
	c := &testCase{}
	e, err = c.gradientDeviation([]gradient{{"w", []float32{3}, []float32{3}}, {"b", nil, []float32{0}}, {"v", []float32{4.5}, []float32{4}}})
	require.NoError(t, err)
	require.InDelta(t, 0.1, e, 1e-6)
	_, err = c.gradientDeviation([]gradient{{"w", nil, []float32{3}}})
	require.Error(t, err)
}
