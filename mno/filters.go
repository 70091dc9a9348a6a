package mno

import (
	"cmp"
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"
)

// MaxK is the largest number of polynomials per axis.
const MaxK = 8

// Basis names the orthogonal polynomials of a multiwavelet basis.
type Basis string

// The bases. The empty basis is Legendre.
const (
	Legendre  Basis = "legendre"  // orthonormal with weight 1
	Chebyshev Basis = "chebyshev" // of the first kind, orthonormal with weight 1/sqrt(1 - (2x-1)^2)
)

// Filters are the K x K matrices that relate polynomials phi_i, and wavelets psi_i, on [0, 1] to polynomials on its halves:
//
//	phi_i(x) = sqrt 2 sum over j of H0[i, j] phi_j(2x) + H1[i, j] phi_j(2x-1)
//	psi_i(x) = sqrt 2 sum over j of G0[i, j] phi_j(2x) + G1[i, j] phi_j(2x-1)
//
// PHI0 and PHI1 hold the scalar products of sqrt 2 phi_i(2x) among each other and of sqrt 2 phi_i(2x-1): the identity for Legendre
// polynomials. For Chebyshev ones the scalar product is the sum over the 2K Gauss-Chebyshev nodes of [0, 1], K of which lie in each
// half. With H = [H0 H1], G = [G0 G1] and M the block-diagonal matrix of PHI0 and PHI1,
//
//	H M H' = I,   G M G' = I,   H M G' = 0,
//
// and so [H; G]' [H; G] M = I: what the two rows of filters decompose, their transposes times M put together again. The psi_i have
// K vanishing moments, psi_j is orthogonal to phi_i(2x) on the left half for i < j, and its product with phi_j(2x) is positive,
// which makes them unique. Alpert, SIAM J. Math. Anal. 24 (1993) 246; Gupta et al., arXiv 2109.13459, section 2.
type Filters struct {
	Basis      Basis
	K          int
	H0, H1     *mat.Dense
	G0, G1     *mat.Dense
	PHI0, PHI1 *mat.Dense
}

// NewFilters returns the filters of k polynomials, 1 to MaxK.
//
// Functions are represented by their values at quadrature nodes times the square roots of the weights, so that scalar products are
// those of vectors of 2k numbers. There the wavelets span the orthogonal complement of the polynomials; a QR decomposition finds
// it, and a second one the rotation to the wavelets defined above. No powers of x occur. Coefficients of Chebyshev wavelets grow with k,
// to 70 at k = 8, since PHI0 comes close to singular; a last step makes them orthonormal with respect to PHI0 and PHI1 as they are
// rounded. All identities hold to 1e-12 for every k.
func NewFilters(basis Basis, k int) (*Filters, error) {
	if err := checkBasis(basis, k); err != nil {
		return nil, fmt.Errorf("mno: %w", err)
	}
	p := legendre
	if basis == Chebyshev {
		p = chebyshev
	}
	half, weight := nodes(basis, k)
	// coarse has the polynomials on [0, 1] at the nodes of the left half, then the right one; fine[s] those on half s.
	coarse := mat.NewDense(k, 2*k, nil)
	var fine [2]*mat.Dense
	for s := range fine {
		fine[s] = mat.NewDense(k, k, nil)
		for m := range k {
			x, w := half[s][m], math.Sqrt(weight[m])
			setColumn(coarse, s*k+m, p(k, (x+float64(s))/2), w)
			setColumn(fine[s], m, p(k, x), math.Sqrt2*w)
		}
	}
	wavelets := complement(coarse, fine[0])
	f := &Filters{Basis: cmp.Or(basis, Legendre), K: k}
	f.H0, f.G0, f.PHI0 = expand(coarse, wavelets, fine[0], 0, basis)
	f.H1, f.G1, f.PHI1 = expand(coarse, wavelets, fine[1], 1, basis)
	if basis == Chebyshev {
		f.refine()
	}
	return f, nil
}

func checkBasis(basis Basis, k int) error {
	switch {
	case basis != "" && basis != Legendre && basis != Chebyshev:
		return fmt.Errorf("basis %q; want %q or %q", basis, Legendre, Chebyshev)
	case k < 1 || k > MaxK:
		return fmt.Errorf("%d polynomials; want 1 to %d", k, MaxK)
	}
	return nil
}

// nodes returns the k quadrature nodes of each half, each mapped to [0, 1], and their weights as nodes of the whole interval.
func nodes(basis Basis, k int) (half [2][]float64, weight []float64) {
	weight = make([]float64, k)
	if basis != Chebyshev {
		x := make([]float64, k)
		quad.Legendre{}.FixedLocations(x, weight, 0, 1)
		for m := range weight {
			weight[m] /= 2
		}
		return [2][]float64{x, x}, weight
	}
	for m := range k {
		// The nodes of [0, 1] are (1 -+ cos t)/2; the left half's are 2 times (1 - cos t)/2 = sin^2 (t/2) on [0, 1].
		s := math.Sin(float64(2*m+1) * math.Pi / float64(8*k))
		half[0] = append(half[0], 2*s*s)
		half[1] = append(half[1], 1-2*s*s)
		weight[m] = math.Pi / float64(4*k)
	}
	return half, weight
}

// legendre returns the first k orthonormal Legendre polynomials at x in [0, 1], by their three-term recurrence.
func legendre(k int, x float64) []float64 {
	p := make([]float64, k+1)
	t := 2*x - 1
	p[0], p[1] = 1, t
	for i := 1; i+1 < k; i++ {
		p[i+1] = (float64(2*i+1)*t*p[i] - float64(i)*p[i-1]) / float64(i+1)
	}
	for i := range k {
		p[i] *= math.Sqrt(float64(2*i + 1))
	}
	return p[:k]
}

// chebyshev returns the first k orthonormal Chebyshev polynomials at x in [0, 1].
func chebyshev(k int, x float64) []float64 {
	p := make([]float64, k)
	t := math.Acos(2*x - 1)
	for i := range p {
		p[i] = 2 / math.SqrtPi * math.Cos(float64(i)*t)
	}
	p[0] /= math.Sqrt2
	return p
}

func setColumn(m *mat.Dense, j int, v []float64, scale float64) {
	for i, x := range v {
		m.Set(i, j, scale*x)
	}
}

// complement returns the wavelets at the nodes, k x 2k: an orthonormal basis of what is orthogonal to the rows of coarse, with
// its scalar products with the rows of left, which live on the left half, an upper triangle of positive diagonal.
func complement(coarse, left *mat.Dense) *mat.Dense {
	k, _ := coarse.Dims()
	var qr, triangle mat.QR
	var q, o, a, r, w mat.Dense
	qr.Factorize(coarse.T())
	qr.QTo(&q)
	rest := q.Slice(0, 2*k, k, 2*k)
	a.Mul(q.Slice(0, k, k, 2*k).T(), left.T()) // scalar products of the rest with left
	triangle.Factorize(&a)
	triangle.QTo(&o)
	triangle.RTo(&r)
	w.Mul(o.T(), rest.T())
	for i := range k {
		if r.At(i, i) < 0 {
			row := w.RawRowView(i)
			for j := range row {
				row[j] = -row[j]
			}
		}
	}
	return &w
}

// expand returns the filters of half s: the coefficients of polynomials and wavelets in the half's polynomials, and the scalar
// products of these.
func expand(coarse, wavelets, fine *mat.Dense, s int, basis Basis) (h, g, phi *mat.Dense) {
	k, _ := fine.Dims()
	h, g, phi = &mat.Dense{}, &mat.Dense{}, mat.NewDense(k, k, nil)
	polynomials, psi := coarse.Slice(0, k, s*k, (s+1)*k), wavelets.Slice(0, k, s*k, (s+1)*k)
	if basis != Chebyshev {
		h.Mul(polynomials, fine.T())
		g.Mul(psi, fine.T())
		for i := range k {
			phi.Set(i, i, 1)
		}
	} else {
		var lu mat.LU
		lu.Factorize(fine.T())
		solve(&lu, h, polynomials)
		solve(&lu, g, psi)
		phi.Mul(fine, fine.T())
	}
	return h, g, phi
}

// solve finds the coefficients c with c fine = values.
func solve(lu *mat.LU, c *mat.Dense, values mat.Matrix) {
	var t mat.Dense
	if err := lu.SolveTo(&t, false, values.T()); err != nil {
		panic(fmt.Sprintf("mno: polynomials at quadrature nodes: %v", err))
	}
	c.CloneFrom(t.T())
}
