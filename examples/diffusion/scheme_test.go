package diffusion

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The scheme is symmetric with the diagonal it names, and its energy is the
// sum over faces of k times the squared jump.
func TestScheme(t *testing.T) {
	const n, m = 7, 8
	rng := rand.New(rand.NewPCG(1, 2))
	a, u, v := make([]float64, m*m), make([]float64, m*m), make([]float64, m*m)
	for i := range a {
		a[i] = 0.1 + rng.Float64()
	}
	for i := 1; i < n; i++ {
		for j := 1; j < n; j++ {
			u[i*m+j], v[i*m+j] = rng.NormFloat64(), rng.NormFloat64()
		}
	}
	s := New(n, a)
	dot := func(x, y []float64) (sum float64) {
		for i := range x {
			sum += x[i] * y[i]
		}
		return sum
	}
	au, av := make([]float64, m*m), make([]float64, m*m)
	s.Apply(au, u)
	s.Apply(av, v)
	require.InDelta(t, dot(au, v), dot(u, av), 1e-12)
	energy := 0.0
	for i := range m {
		for j := range n {
			e, d := u[i*m+j]-u[i*m+j+1], u[j*m+i]-u[(j+1)*m+i]
			energy += s.East[i*m+j]*e*e + s.Next[j*m+i]*d*d
		}
	}
	require.InDelta(t, energy, dot(u, au), 1e-12)
	p := 3*m + 4
	require.InDelta(t, 2*a[p]*a[p+1]/(a[p]+a[p+1]), s.East[p], 1e-15)
	unit := make([]float64, m*m)
	unit[p] = 1
	s.Apply(av, unit)
	require.Equal(t, s.Diagonal(p), av[p])
	require.Equal(t, -s.Next[p], av[p+m])
	require.Panics(t, func() { New(n, a[1:]) })
}
