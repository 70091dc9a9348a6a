package kernel

import "math/bits"

// bluestein turns a transform of any length n into a cyclic convolution of a length m >= 2n-1 that the mixed radices can do:
// with the chirp c[j] = exp(-i pi j^2 / n) and kn = (k^2 + n^2 - (k-n)^2) / 2,
//
//	X[k] = c[k] * sum over j of (x[j] c[j]) conj(c[k-j]).
type bluestein[T Float] struct {
	n, m   int
	chirp  []T // n complex numbers
	filter []T // the transform of conj(c) on the circle of m points, over m
	plan   *fftPlan[T]
}

func newBluestein[T Float](n int) *bluestein[T] {
	m := 1 << bits.Len(uint(2*n-2))
	b := &bluestein[T]{n: n, m: m, chirp: make([]T, 2*n), filter: make([]T, 2*m), plan: fftPlanOf[T](m)}
	// The filter is computed in float64 so that only the signal's own rounding counts.
	re, im, wre, wim := make([]float64, m), make([]float64, m), make([]float64, m), make([]float64, m)
	for j := range n {
		k := j * j % (2 * n)
		b.chirp[2*j], b.chirp[2*j+1] = RootOfUnity[T](k, 2*n)
		c, s := RootOfUnity[float64](k, 2*n)
		re[j], im[j] = c, -s
		if j > 0 {
			re[m-j], im[m-j] = c, -s
		}
	}
	re, im = fftPlanOf[float64](m).run(re, im, wre, wim, 1)
	for k := range m {
		b.filter[2*k], b.filter[2*k+1] = T(re[k]/float64(m)), T(im[k]/float64(m))
	}
	return b
}

// run transforms the planes re and im in place.
func (b *bluestein[T]) run(re, im []T, lanes int) {
	size := b.m * lanes
	w := getFFTWork[T](4 * size)
	defer putFFTWork(w)
	ar, ai, wr, wi := w.buf[:size], w.buf[size:2*size], w.buf[2*size:3*size], w.buf[3*size:4*size]
	clear(ar[b.n*lanes:])
	clear(ai[b.n*lanes:])
	rotate(ar, ai, re, im, b.chirp, lanes)
	fr, fi := b.plan.run(ar, ai, wr, wi, lanes)
	rotate(fr, fi, fr, fi, b.filter, lanes)
	if &fr[0] != &ar[0] {
		ar, ai, wr, wi = wr, wi, ar, ai
	}
	gi, gr := b.plan.run(ai, ar, wi, wr, lanes) // planes swapped: the inverse
	rotate(re, im, gr, gi, b.chirp, lanes)
}

// rotate multiplies every lane of x by the complex numbers c.
func rotate[T Float](yr, yi, xr, xi, c []T, lanes int) {
	for k := range len(c) / 2 {
		cr, ci := c[2*k], c[2*k+1]
		ar, ai := xr[k*lanes:][:lanes], xi[k*lanes:][:lanes]
		br, bi := yr[k*lanes:][:lanes], yi[k*lanes:][:lanes]
		for q := range ar {
			br[q], bi[q] = ar[q]*cr-ai[q]*ci, ar[q]*ci+ai[q]*cr
		}
	}
}
