package main

import (
	"math/rand/v2"

	"github.com/spamoe/spamoe/examples/diffusion"
)

// The two values of the coefficient, and the parameters of the random field that chooses between them.
const (
	low, high = 3, 12
	roughness = 2 // alpha: the field has the covariance (-Laplace + tau^2)^-alpha, see diffusion.Field
	scale     = 3 // tau: one over the correlation length
)

// medium draws whether the coefficient is high (1) or low (0) at the vertices (i/n, j/n) of the unit square, 0 <= i, j <= n: high
// where a Gaussian random field is positive.
func medium(n int, rng *rand.Rand) []float32 {
	mask := make([]float32, (n+1)*(n+1))
	for i, v := range diffusion.Field(n, roughness, scale, rng) {
		if v > 0 {
			mask[i] = 1
		}
	}
	return mask
}
