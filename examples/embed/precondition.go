package main

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"

	"github.com/spamoe/spamoe/examples/diffusion"
)

// preconditioner sets z to an approximation of A^-1 r.
type preconditioner interface{ apply(z, r []float64) }

// incomplete is the incomplete Cholesky factorisation without fill-in (Meijerink and van der Vorst, Math. Comp. 31, 1977),
//
//	P = (D + L) D^-1 (D + L'),
//
// L the lower triangle of A and D the diagonal with which P has the diagonal of A.
type incomplete struct {
	s       *diffusion.Scheme
	inverse []float64 // of D
}

func newIncomplete(s *diffusion.Scheme) *incomplete {
	m := s.N + 1
	c := &incomplete{s: s, inverse: make([]float64, m*m)}
	for i := 1; i < s.N; i++ {
		for p := i*m + 1; p < i*m+s.N; p++ {
			west, north := s.East[p-1], s.Next[p-m]
			c.inverse[p] = 1 / (s.Diagonal(p) - west*west*c.inverse[p-1] - north*north*c.inverse[p-m])
		}
	}
	return c
}

func (c *incomplete) apply(z, r []float64) {
	s, m := c.s, c.s.N+1
	for i := 1; i < s.N; i++ {
		for p := i*m + 1; p < i*m+s.N; p++ {
			z[p] = (r[p] + s.East[p-1]*z[p-1] + s.Next[p-m]*z[p-m]) * c.inverse[p]
		}
	}
	for i := s.N - 1; i >= 1; i-- {
		for p := i*m + s.N - 1; p > i*m; p-- {
			z[p] += (s.East[p]*z[p+1] + s.Next[p]*z[p+m]) * c.inverse[p]
		}
	}
}

// twoLevel adds a coarse space to a preconditioner P: A-DEF2 of Tang, Nabben, Vuik and Erlangga (J. Sci. Comput. 39, 2009),
//
//	M r = (I - Q A) P^-1 r + Q r,     Q = V (V' A V)^-1 V',
//
// which leaves no residual within the space that the columns of V span, V' (r - A M r) = 0. Here they are orthonormal in the inner product of A, V' A V = I.
type twoLevel struct {
	fine   preconditioner
	v, av  blas64.General // k x (n+1)^2: the vectors are rows
	weight blas64.Vector
}

// Vectors of which less than dependent is left when the others are taken out add nothing to the space but rounding errors.
const dependent = 1e-5

// newTwoLevel returns the two-level preconditioner over the span of vectors that are zero on the boundary. Ones that are not finite or
// depend on those before them are left out: any vectors give a sound preconditioner, be they good or not.
func newTwoLevel(s *diffusion.Scheme, fine preconditioner, vectors [][]float64) *twoLevel {
	size := (s.N + 1) * (s.N + 1)
	var v, av []float64
	for _, w := range vectors {
		w, aw := append([]float64(nil), w...), make([]float64, size)
		s.Apply(aw, w)
		before := floats.Dot(w, aw)
		for range 2 { // once is not enough (Kahan)
			for k := 0; k < len(v); k += size {
				c := floats.Dot(aw, v[k:k+size])
				for i := range w {
					w[i] -= c * v[k+i]
				}
				s.Apply(aw, w)
			}
		}
		after := floats.Dot(w, aw)
		if !(after > dependent*dependent*before && !math.IsInf(after, 1)) { // NaN too
			continue
		}
		floats.Scale(1/math.Sqrt(after), w)
		s.Apply(aw, w)
		v, av = append(v, w...), append(av, aw...)
	}
	k := len(v) / size
	return &twoLevel{fine: fine,
		v:      blas64.General{Rows: k, Cols: size, Stride: size, Data: v},
		av:     blas64.General{Rows: k, Cols: size, Stride: size, Data: av},
		weight: blas64.Vector{N: k, Data: make([]float64, k), Inc: 1},
	}
}

func (c *twoLevel) apply(z, r []float64) {
	c.fine.apply(z, r)
	c.correct(z, r)
}

// correct adds Q (r - A z) to z.
func (c *twoLevel) correct(z, r []float64) {
	if c.v.Rows == 0 {
		return
	}
	zv, rv := blas64.Vector{N: len(z), Data: z, Inc: 1}, blas64.Vector{N: len(r), Data: r, Inc: 1}
	blas64.Gemv(blas.NoTrans, 1, c.v, rv, 0, c.weight)
	blas64.Gemv(blas.NoTrans, -1, c.av, zv, 1, c.weight)
	blas64.Gemv(blas.Trans, 1, c.v, c.weight, 1, zv)
}
