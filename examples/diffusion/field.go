package diffusion

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Field draws a Gaussian random field at the (n+1) x (n+1) vertices (i/n, j/n) of the unit square, with the covariance
// (-Laplace + tau^2)^-alpha, Neumann boundary conditions and no mean (Li et al., arXiv 2010.08895, appendix A.3.2): the
// Karhunen-Loeve series
//
//	psi(x, y) = sum over k, l of xi[k,l] (pi^2 (k^2 + l^2) + tau^2)^(-alpha/2) cos(pi k x) cos(pi l y),
//
// 0 <= k, l <= n, not both 0, xi independent and standard normal. It is one cosine transform along each axis. n is at least 1.
func Field(n int, alpha, tau float64, rng *rand.Rand) []float64 {
	m := n + 1
	psi := make([]float64, m*m)
	for k := range m {
		for l := range m {
			c := rng.NormFloat64() * math.Pow(math.Pi*math.Pi*float64(k*k+l*l)+tau*tau, -alpha/2)
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
		Transpose(psi, m)
	}
	return psi
}

// Transpose transposes the m x m matrix a in place.
func Transpose(a []float64, m int) {
	for i := range m {
		for j := range i {
			a[i*m+j], a[j*m+i] = a[j*m+i], a[i*m+j]
		}
	}
}
