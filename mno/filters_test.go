package mno

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// exact is how well the identities of the filters hold in float64.
const exact = 1e-12

// cases calls f for every basis and k.
func cases(t *testing.T, f func(t *testing.T, basis Basis, k int)) {
	for k := 1; k <= MaxK; k++ {
		for _, basis := range []Basis{Legendre, Chebyshev} {
			t.Run(fmt.Sprintf("%s%d", basis, k), func(t *testing.T) { f(t, basis, k) })
		}
	}
}

// product multiplies and rounds once, at the end: Chebyshev's G has elements of up to 70 at k = 8, and the rounding of plain products
// would hide what the filters themselves satisfy.
func product(ms ...mat.Matrix) *wide {
	out := widen(ms[0])
	for _, m := range ms[1:] {
		out = out.mul(widen(m))
	}
	return out
}

// wide is a matrix of numbers of 200 bits.
type wide struct {
	r, c int
	v    []*big.Float
}

func number() *big.Float { return new(big.Float).SetPrec(200) }

func widen(m mat.Matrix) *wide {
	r, c := m.Dims()
	w := &wide{r: r, c: c}
	for i := range r {
		for j := range c {
			w.v = append(w.v, number().SetFloat64(m.At(i, j)))
		}
	}
	return w
}

func (a *wide) mul(b *wide) *wide {
	out := &wide{r: a.r, c: b.c}
	for i := range a.r {
		for j := range b.c {
			s := number()
			for k := range a.c {
				s.Add(s, number().Mul(a.v[i*a.c+k], b.v[k*b.c+j]))
			}
			out.v = append(out.v, s)
		}
	}
	return out
}

func sum(a, b *wide) *mat.Dense {
	s := mat.NewDense(a.r, a.c, nil)
	for i := range a.v {
		v, _ := number().Add(a.v[i], b.v[i]).Float64()
		s.Set(i/a.c, i%a.c, v)
	}
	return s
}

func requireDiagonal(t *testing.T, want float64, m *mat.Dense, name string) {
	t.Helper()
	n, _ := m.Dims()
	for i := range n {
		for j := range n {
			w := 0.0
			if i == j {
				w = want
			}
			require.InDelta(t, w, m.At(i, j), exact, "%s[%d, %d]", name, i, j)
		}
	}
}

func TestFilterIdentities(t *testing.T) {
	check := func(t *testing.T, basis Basis, k int, f *Filters) {
		requireDiagonal(t, 1, sum(product(f.H0, f.PHI0, f.H0.T()), product(f.H1, f.PHI1, f.H1.T())), "H M H'")
		requireDiagonal(t, 1, sum(product(f.G0, f.PHI0, f.G0.T()), product(f.G1, f.PHI1, f.G1.T())), "G M G'")
		requireDiagonal(t, 0, sum(product(f.H0, f.PHI0, f.G0.T()), product(f.H1, f.PHI1, f.G1.T())), "H M G'")
		if basis == Legendre {
			requireDiagonal(t, 1, f.PHI0, "PHI0")
			requireDiagonal(t, 1, f.PHI1, "PHI1")
		}
		// The other way round: reconstruction after decomposition.
		back := sum(product(f.H0.T(), f.H0, f.PHI0), product(f.G0.T(), f.G0, f.PHI0))
		requireDiagonal(t, 1, back, "H0' H0 PHI0 + G0' G0 PHI0")
		cross := sum(product(f.H0.T(), f.H1, f.PHI1), product(f.G0.T(), f.G1, f.PHI1))
		requireDiagonal(t, 0, cross, "H0' H1 PHI1 + G0' G1 PHI1")
	}
	cases(t, func(t *testing.T, basis Basis, k int) {
		f, err := NewFilters(basis, k)
		require.NoError(t, err)
		check(t, basis, k, f)
		check(t, basis, k, f.Balanced())
	})
}

// The two-scale relation holds at any point, not at nodes only.
func TestTwoScaleRelation(t *testing.T) {
	cases(t, func(t *testing.T, basis Basis, k int) {
		f, err := NewFilters(basis, k)
		require.NoError(t, err)
		p := legendre
		if basis == Chebyshev {
			p = chebyshev
		}
		for _, x := range []float64{0, 0.03, 0.31, 0.5, 0.77, 1} {
			fine, left, right := p(k, x), p(k, x/2), p(k, (x+1)/2)
			for i := range k {
				l, r := 0.0, 0.0
				for j := range k {
					l += math.Sqrt2 * f.H0.At(i, j) * fine[j]
					r += math.Sqrt2 * f.H1.At(i, j) * fine[j]
				}
				require.InDelta(t, left[i], l, exact)
				require.InDelta(t, right[i], r, exact)
			}
		}
	})
}

// The wavelets are orthogonal to 1, x, .. x^(K-1), so that a polynomial has no details.
func TestVanishingMoments(t *testing.T) {
	cases(t, func(t *testing.T, basis Basis, k int) {
		f, err := NewFilters(basis, k)
		require.NoError(t, err)
		p := legendre
		if basis == Chebyshev {
			p = chebyshev
		}
		half, weight := nodes(basis, k)
		b := f.Balanced() // spans what f does, with smaller elements
		for degree := range k {
			moment := make([]float64, k)
			for s, g := range []*mat.Dense{b.G0, b.G1} {
				for m, x := range half[s] {
					fine := p(k, x)
					for i := range k {
						for j := range k {
							moment[i] += weight[m] * math.Pow((x+float64(s))/2, float64(degree)) * math.Sqrt2 * g.At(i, j) * fine[j]
						}
					}
				}
			}
			for i, v := range moment {
				require.InDelta(t, 0, v, exact, "psi_%d times x^%d", i, degree)
			}
		}
	})
}

func TestNewFiltersRefuses(t *testing.T) {
	for _, c := range []struct {
		basis Basis
		k     int
		want  string
	}{{Legendre, 0, "0 polynomials"}, {Legendre, 9, "9 polynomials"}, {"haar", 2, `basis "haar"`}} {
		_, err := NewFilters(c.basis, c.k)
		require.ErrorContains(t, err, c.want)
	}
}
