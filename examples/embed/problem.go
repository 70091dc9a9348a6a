package main

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/spamoe/spamoe/examples/diffusion"
)

// The random coefficients.
const (
	spread    = 1.5 // standard deviation of log a over the square
	roughness = 2   // alpha and
	scale     = 4   // tau of the Gaussian field, see diffusion.Field
)

// problem is one linear system A u = b on a grid of n cells per side. All vectors are (n+1) x (n+1), zero on the boundary.
type problem struct {
	*diffusion.Scheme
	log []float64 // of the coefficient
	b   []float64
}

// newProblem draws a coefficient, a = exp(spread psi) with psi a Gaussian field scaled to the mean square 1, and a right-hand side: the
// sum of all sources with independent normal factors. The field is drawn on the grid of fieldCells cells,
// a multiple of n, so that the same rng gives the same medium at all resolutions.
func newProblem(n, fieldCells int, rng *rand.Rand) *problem {
	psi := diffusion.Field(fieldCells, roughness, scale, rng)
	square := 0.0
	for _, v := range psi {
		square += v * v
	}
	factor := spread / math.Sqrt(square/float64(len(psi)))
	m, step := n+1, fieldCells/n
	p := &problem{log: make([]float64, m*m), b: make([]float64, m*m)}
	a := make([]float64, m*m)
	for i := range m {
		for j := range m {
			p.log[i*m+j] = factor * psi[i*step*(fieldCells+1)+j*step]
			a[i*m+j] = math.Exp(p.log[i*m+j])
		}
	}
	p.Scheme = diffusion.New(n, a)
	for _, s := range sources(n) {
		floats.AddScaled(p.b, rng.NormFloat64(), s)
	}
	return p
}

// sine sets the inner vertices of v to sin(k pi x) sin(l pi y).
func sine(v []float64, n, k, l int) {
	m := n + 1
	for i := 1; i < n; i++ {
		x := math.Sin(math.Pi * float64(k*i) / float64(n))
		for j := 1; j < n; j++ {
			v[i*m+j] = x * math.Sin(math.Pi*float64(l*j)/float64(n))
		}
	}
}

// sources returns the right-hand sides of which the operator learns the solutions: the sines of the side x side lowest frequencies.
func sources(n int) [][]float64 { return sines(n, side) }

// sines returns the sines of the side x side lowest frequencies.
func sines(n, side int) [][]float64 {
	var s [][]float64
	for k := 1; k <= side; k++ {
		for l := 1; l <= side; l++ {
			v := make([]float64, (n+1)*(n+1))
			sine(v, n, k, l)
			s = append(s, v)
		}
	}
	return s
}

// side squared is the dimension of the coarse space.
const side = 4
