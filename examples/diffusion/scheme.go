package diffusion

import "fmt"

// Scheme is the finite-volume discretisation on the vertices (i h, j h), h = 1/N. The volume around a vertex is a square of side h;
// over the face between two vertices flows k (u_1 - u_2), with the harmonic mean k = 2 a_1 a_2 / (a_1 + a_2) of the coefficients,
// which keeps the flux continuous where the coefficient jumps. The balance of a volume is
//
//	(A u)(p) = sum over its faces of k (u(p) - u(p')) = h^2 f(p).
//
// A is symmetric, positive definite and an M-matrix, hence u >= 0 for f >= 0, and the scheme is of second order where a is smooth.
type Scheme struct {
	N    int
	East []float64 // k between (i, j) and (i, j+1); both arrays are (N+1) x (N+1)
	Next []float64 // k between (i, j) and (i+1, j)
}

// New returns the scheme for a coefficient a > 0 at the (n+1) x (n+1) vertices. It panics where a has another length.
func New(n int, a []float64) *Scheme {
	m := n + 1
	if n < 1 || len(a) != m*m {
		panic(fmt.Sprintf("diffusion: New: %d values of a coefficient for %d cells per side", len(a), n))
	}
	s := &Scheme{N: n, East: make([]float64, m*m), Next: make([]float64, m*m)}
	mean := func(a, b float64) float64 { return 2 * a * b / (a + b) }
	for i := range m {
		for j := range m {
			p := i*m + j
			if j < n {
				s.East[p] = mean(a[p], a[p+1])
			}
			if i < n {
				s.Next[p] = mean(a[p], a[p+m])
			}
		}
	}
	return s
}

// Apply sets y = A u at the inner vertices. u, (N+1) x (N+1), is zero on the boundary, and so is y: its boundary is left as it is.
func (s *Scheme) Apply(y, u []float64) {
	m := s.N + 1
	for i := 1; i < s.N; i++ {
		for p := i*m + 1; p < i*m+s.N; p++ {
			y[p] = s.East[p]*(u[p]-u[p+1]) + s.East[p-1]*(u[p]-u[p-1]) + s.Next[p]*(u[p]-u[p+m]) + s.Next[p-m]*(u[p]-u[p-m])
		}
	}
}

// Diagonal returns the diagonal of A at vertex p = i (N+1) + j, an inner one.
func (s *Scheme) Diagonal(p int) float64 {
	return s.East[p] + s.East[p-1] + s.Next[p] + s.Next[p-s.N-1]
}
