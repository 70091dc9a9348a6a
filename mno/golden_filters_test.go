package mno

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/internal/golden"
)

// The stored filters were made from monomial coefficients, which loses digits as k grows; the case says how many.
func TestGoldenFilters(t *testing.T) {
	c := golden.Load(t, "mwt_filters")
	var about struct {
		Tolerance struct {
			Upto6 float64 `json:"rel_to_max_k_up_to_6"`
		}
	}
	c.Decode(&about)
	require.Positive(t, about.Tolerance.Upto6)
	file, err := checkpoint.Read(c.Path("filters.safetensors"))
	require.NoError(t, err)
	compared := 0
	cases(t, func(t *testing.T, basis Basis, k int) {
		f, err := NewFilters(basis, k)
		require.NoError(t, err)
		for name, m := range map[string]*mat.Dense{"H0": f.H0, "H1": f.H1, "G0": f.G0, "G1": f.G1, "PHI0": f.PHI0, "PHI1": f.PHI1} {
			stored, ok := file.Tensor(fmt.Sprintf("%s_k%d_%s", basis, k, name))
			if !ok {
				continue
			}
			want := stored.Float64()
			require.Len(t, want, k*k)
			largest := 0.0
			for _, w := range want {
				largest = max(largest, math.Abs(w))
			}
			for i, w := range want {
				require.InDelta(t, w, m.At(i/k, i%k), about.Tolerance.Upto6*largest, "%s[%d, %d]", name, i/k, i%k)
			}
			compared++
		}
	})
	require.Equal(t, len(file.Names()), compared)
}
