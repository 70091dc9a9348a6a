package wave

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCorrelateAgrees(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for vectors := range 5 {
		n := vectors * lane
		q, wave, before := normal[float32](rng, n+1), normal[float32](rng, n+1), normal[float32](rng, n+1)
		want := append([]float32(nil), before...)
		for i := range n {
			want[i] += float32((q[i] - 0.25) * wave[i])
		}
		for name, run := range correlators() {
			got := append([]float32(nil), before...)
			run(got[:n], q[:n], wave[:n], 0.25)
			require.Equal(t, want, got, "%s, %d vectors", name, vectors)
		}
	}
}
