package main

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/dsp/fourier"
)

// The two values of the coefficient, and the parameters of the random field that chooses between them.
const (
	low, high = 3, 12
	roughness = 2 // alpha: the field has the covariance (-Laplace + tau^2)^-alpha
	scale     = 3 // tau: one over the correlation length
)

// medium draws whether the coefficient is high (1) or low (0) at the vertices (i/n, j/n) of the unit square, 0 <= i, j <= n: high
// where a Gaussian random field is positive.
func medium(n int, rng *rand.Rand) []float32 {
	mask := make([]float32, (n+1)*(n+1))
	for i, v := range field(n, rng) {
		if v > 0 {
			mask[i] = 1
		}
	}
	return mask
}

// field draws a Gaussian random field at the vertices, with the covariance (-Laplace + tau^2)^-alpha, Neumann boundary conditions and
// no mean (Li et al., arXiv 2010.08895, appendix A.3.2): the Karhunen-Loeve series
//
//	psi(x, y) = sum over k, l of xi[k,l] (pi^2 (k^2 + l^2) + tau^2)^(-alpha/2) cos(pi k x) cos(pi l y),
//
// 0 <= k, l <= n, not both 0, xi independent and standard normal. It is one cosine transform along each axis.
func field(n int, rng *rand.Rand) []float64 {
	m := n + 1
	psi := make([]float64, m*m)
	for k := range m {
		for l := range m {
			c := rng.NormFloat64() * math.Pow(math.Pi*math.Pi*float64(k*k+l*l)+scale*scale, -roughness/2.0)
			// The transform below counts inner coefficients twice, the first and the last once.
			if k > 0 && k < n {
				c /= 2
			}
			if l > 0 && l < n {
				c /= 2
			}
			psi[k*m+l] = c
		}
	}
	psi[0] = 0
	dct := fourier.NewDCT(m)
	for range 2 { // the rows, and after the transposition the columns
		for i := range m {
			row := psi[i*m : (i+1)*m]
			dct.Transform(row, row)
		}
		transpose(psi, m)
	}
	return psi
}

// transpose transposes the m x m matrix a in place.
func transpose(a []float64, m int) {
	for i := range m {
		for j := range i {
			a[i*m+j], a[j*m+i] = a[j*m+i], a[i*m+j]
		}
	}
}
