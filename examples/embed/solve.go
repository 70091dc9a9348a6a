package main

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/spamoe/spamoe/examples/diffusion"
)

// tolerance is the relative residual ||b - A u|| / ||b|| at which an iteration ends, and most its length where it does not converge.
const (
	tolerance = 1e-8
	most      = 2000
)

// result is what an iteration found.
type result struct {
	u       []float64
	history []float64 // the relative residual ||b - A u|| / ||b|| at the start and after each iteration
}

func (r *result) iterations() int { return len(r.history) - 1 }

// solve solves A u = b by flexible conjugate gradients (Notay, SIAM J. Sci. Comput. 22, 2000) from a start u, which is kept. The
// residual that the iteration carries along is compared with the true one before the result is returned, and where that is still too
// large the iteration starts again from there: the answer does not depend on what the preconditioner does.
func solve(s *diffusion.Scheme, m preconditioner, b, start []float64) (*result, error) {
	size := len(b)
	u := append([]float64(nil), start...)
	r, z, p, q, last := make([]float64, size), make([]float64, size), make([]float64, size), make([]float64, size), make([]float64, size)
	goal := tolerance * norm(b)
	out := &result{u: u}
	residual := func() float64 {
		s.Apply(q, u)
		floats.SubTo(r, b, q)
		return norm(r)
	}
	miss := residual()
	out.history = append(out.history, miss/norm(b))
	for !(miss <= goal) { // true for NaN
		clear(p)
		before := 1.0
		for first := true; !(miss <= goal); first = false {
			if out.iterations() == most {
				return nil, fmt.Errorf("conjugate gradients reached a relative residual of %.1e in %d iterations; wanted %.0e",
					out.history[most], most, tolerance)
			}
			m.apply(z, r)
			now := floats.Dot(r, z)
			if first {
				copy(p, z)
			} else {
				floats.AddScaledTo(p, z, (now-floats.Dot(last, z))/before, p)
			}
			before = now
			copy(last, r)
			s.Apply(q, p)
			step := floats.Dot(p, r) / floats.Dot(p, q)
			floats.AddScaled(u, step, p)
			floats.AddScaled(r, -step, q)
			miss = norm(r)
			out.history = append(out.history, miss/norm(b))
		}
		miss = residual()
	}
	return out, nil
}

func norm(x []float64) float64 { return math.Sqrt(floats.Dot(x, x)) }
