package diffusion

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The fast transforms sum the series.
func TestFieldIsItsSeries(t *testing.T) {
	const n = 6
	got := Field(n, 2, 3, rand.New(rand.NewPCG(4, 2)))
	want := make([]float64, (n+1)*(n+1))
	rng := rand.New(rand.NewPCG(4, 2))
	for k := range n + 1 {
		for l := range n + 1 {
			xi := rng.NormFloat64()
			if k == 0 && l == 0 {
				continue
			}
			amplitude := xi / (math.Pi*math.Pi*float64(k*k+l*l) + 9)
			for i := range n + 1 {
				for j := range n + 1 {
					want[i*(n+1)+j] += amplitude * math.Cos(math.Pi*float64(k*i)/n) * math.Cos(math.Pi*float64(l*j)/n)
				}
			}
		}
	}
	require.InDeltaSlice(t, want, got, 1e-14)
}
