package main

import (
	"errors"

	"gonum.org/v1/gonum/mat"

	"github.com/spamoe/spamoe/examples/diffusion"
)

// direct solves A u = b for several right-hand sides by a Cholesky factorisation of the band matrix, in O(n^4) operations: for the
// training data, and to check the iterations.
func direct(s *diffusion.Scheme, bs [][]float64) ([][]float64, error) {
	inner, m := s.N-1, s.N+1
	size := inner * inner
	band := mat.NewSymBandDense(size, inner, nil)
	rhs := mat.NewDense(size, len(bs), nil)
	for i := range inner {
		for j := range inner {
			p, q := i*inner+j, (i+1)*m+j+1
			band.SetSymBand(p, p, s.Diagonal(q))
			if j+1 < inner {
				band.SetSymBand(p, p+1, -s.East[q])
			}
			if i+1 < inner {
				band.SetSymBand(p, p+inner, -s.Next[q])
			}
			for k, b := range bs {
				rhs.Set(p, k, b[q])
			}
		}
	}
	var factor mat.BandCholesky
	if !factor.Factorize(band) {
		return nil, errors.New("the matrix of the scheme is not positive definite; is the coefficient?")
	}
	var x mat.Dense
	if err := factor.SolveTo(&x, rhs); err != nil {
		var ill mat.Condition
		if !errors.As(err, &ill) {
			return nil, err
		}
	}
	us := make([][]float64, len(bs))
	for k := range us {
		us[k] = make([]float64, m*m)
		for i := range inner {
			for j := range inner {
				us[k][(i+1)*m+j+1] = x.At(i*inner+j, k)
			}
		}
	}
	return us, nil
}
