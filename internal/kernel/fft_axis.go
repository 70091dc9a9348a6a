package kernel

import "sync"

// The kinds of transform along one axis.
type fftKind int

const (
	fftComplex     fftKind = iota // n complex to n complex
	fftForwardReal                // n real to n/2+1 complex, inner = 1
	fftInverseReal                // n/2+1 complex to n real, inner = 1
)

// fftJob is one pass along an axis: x and dst are outer x n x inner (n is the length of the complex or real sequences; a half
// spectrum has n/2+1 there).
type fftJob[T Float] struct {
	kind            fftKind
	dst, x          []T
	n, inner, lanes int
	inverse         bool
	scale           T
	plan            *fftPlan[T]
	body            func(lo, hi int)
}

var fftJobs32, fftJobs64 sync.Pool

func fftAxis[T Float](kind fftKind, dst, x []T, outer, n, inner int, inverse bool, scale T) {
	if fftByMatrix(kind, dst, x, outer, n, inner, inverse, scale) {
		return
	}
	pool := fftPoolOf[T](&fftJobs32, &fftJobs64)
	j, _ := pool.Get().(*fftJob[T])
	if j == nil {
		j = &fftJob[T]{}
		j.body = j.blocks
	}
	j.kind, j.dst, j.x, j.n, j.inner, j.inverse, j.scale = kind, dst, x, n, inner, inverse, scale
	j.lanes = outer * inner
	length := n
	if kind != fftComplex && n%2 == 0 {
		length = n / 2 // two real numbers make one complex
	}
	j.plan = fftPlanOf[T](length)
	Parallel((j.lanes+fftLanes-1)/fftLanes, 1+(1<<12)/(n*fftLanes+1), j.body)
	j.dst, j.x, j.plan = nil, nil, nil
	pool.Put(j)
}

// blocks transforms the blocks [lo, hi) of lanes.
func (j *fftJob[T]) blocks(lo, hi int) {
	size := (j.n + 1) * fftLanes
	w := getFFTWork[T](4 * size)
	defer putFFTWork(w)
	re, im, wre, wim := w.buf[:size], w.buf[size:2*size], w.buf[2*size:3*size], w.buf[3*size:4*size]
	for b := lo; b < hi; b++ {
		first := b * fftLanes
		lanes := min(fftLanes, j.lanes-first)
		even := j.n%2 == 0
		switch {
		case j.kind == fftComplex:
			j.load(re, im, first, lanes, j.n)
			fr, fi := re, im
			if j.inverse {
				fi, fr = j.plan.run(im, re, wim, wre, lanes)
			} else {
				fr, fi = j.plan.run(re, im, wre, wim, lanes)
			}
			j.store(fr, fi, first, lanes, j.n)
		case j.kind == fftForwardReal && even:
			j.load(re, im, first, lanes, j.n/2)
			fr, fi := j.plan.run(re, im, wre, wim, lanes)
			or, oi := wre, wim
			if &fr[0] == &wre[0] {
				or, oi = re, im
			}
			j.plan.joinReal(or, oi, fr, fi, lanes)
			j.store(or, oi, first, lanes, j.n/2+1)
		case j.kind == fftForwardReal:
			j.loadReal(re, first, lanes)
			clear(im[:j.n*lanes])
			fr, fi := j.plan.run(re, im, wre, wim, lanes)
			j.store(fr, fi, first, lanes, j.n/2+1)
		case even:
			j.load(re, im, first, lanes, j.n/2+1)
			j.plan.splitReal(wre, wim, re, im, lanes)
			fi, fr := j.plan.run(wim, wre, im, re, lanes)
			j.store(fr, fi, first, lanes, j.n/2)
		default:
			j.load(re, im, first, lanes, j.n/2+1)
			mirror(re, im, j.n, lanes)
			_, fr := j.plan.run(im, re, wim, wre, lanes)
			j.storeReal(fr, first, lanes)
		}
	}
}

// load gathers count complex numbers of each lane into the planes.
func (j *fftJob[T]) load(re, im []T, first, lanes, count int) {
	if j.inner == 1 {
		for l := range lanes {
			x := j.x[2*(first+l)*count:][:2*count]
			for k := range count {
				re[k*lanes+l], im[k*lanes+l] = x[2*k], x[2*k+1]
			}
		}
		return
	}
	for l := 0; l < lanes; {
		o, i := (first+l)/j.inner, (first+l)%j.inner
		run := min(lanes-l, j.inner-i)
		for k := range count {
			x := j.x[2*((o*count+k)*j.inner+i):][:2*run]
			r, m := re[k*lanes+l:][:run], im[k*lanes+l:][:run]
			for q := range r {
				r[q], m[q] = x[2*q], x[2*q+1]
			}
		}
		l += run
	}
}

// store is the reverse of load, with the scale.
func (j *fftJob[T]) store(re, im []T, first, lanes, count int) {
	if j.inner == 1 {
		for l := range lanes {
			y := j.dst[2*(first+l)*count:][:2*count]
			for k := range count {
				y[2*k], y[2*k+1] = j.scale*re[k*lanes+l], j.scale*im[k*lanes+l]
			}
		}
		return
	}
	for l := 0; l < lanes; {
		o, i := (first+l)/j.inner, (first+l)%j.inner
		run := min(lanes-l, j.inner-i)
		for k := range count {
			y := j.dst[2*((o*count+k)*j.inner+i):][:2*run]
			r, m := re[k*lanes+l:][:run], im[k*lanes+l:][:run]
			for q := range r {
				y[2*q], y[2*q+1] = j.scale*r[q], j.scale*m[q]
			}
		}
		l += run
	}
}

func (j *fftJob[T]) loadReal(re []T, first, lanes int) {
	for l := range lanes {
		for k, v := range j.x[(first+l)*j.n:][:j.n] {
			re[k*lanes+l] = v
		}
	}
}

func (j *fftJob[T]) storeReal(re []T, first, lanes int) {
	for l := range lanes {
		y := j.dst[(first+l)*j.n:][:j.n]
		for k := range y {
			y[k] = j.scale * re[k*lanes+l]
		}
	}
}

// joinReal turns the transform Z of z[j] = x[2j] + i x[2j+1], n points, into that of x, points 0..n of 2n:
//
//	X[k] = E + exp(-i pi k / n) O,   E = (Z[k] + conj Z[n-k]) / 2,   O = (Z[k] - conj Z[n-k]) / 2i.
func (p *fftPlan[T]) joinReal(yr, yi, zr, zi []T, lanes int) {
	for k := range p.n + 1 {
		wr, wi := p.half[2*k], p.half[2*k+1]
		a, b := k%p.n*lanes, (p.n-k)%p.n*lanes
		ar, ai := zr[a:][:lanes], zi[a:][:lanes]
		br, bi := zr[b:][:lanes], zi[b:][:lanes]
		or, oi := yr[k*lanes:][:lanes], yi[k*lanes:][:lanes]
		for q := range ar {
			er, ei := (ar[q]+br[q])/2, (ai[q]-bi[q])/2
			dr, di := (ai[q]+bi[q])/2, (br[q]-ar[q])/2
			or[q], oi[q] = er+wr*dr-wi*di, ei+wr*di+wi*dr
		}
	}
}

// splitReal is the reverse of joinReal, times 2, and without the imaginary parts of the first and the last point:
//
//	Z[k] = (X[k] + conj X[n-k]) + i exp(i pi k / n) (X[k] - conj X[n-k]).
func (p *fftPlan[T]) splitReal(zr, zi, xr, xi []T, lanes int) {
	clear(xi[:lanes])
	clear(xi[p.n*lanes:][:lanes])
	for k := range p.n {
		wr, wi := p.half[2*k], -p.half[2*k+1]
		ar, ai := xr[k*lanes:][:lanes], xi[k*lanes:][:lanes]
		br, bi := xr[(p.n-k)*lanes:][:lanes], xi[(p.n-k)*lanes:][:lanes]
		or, oi := zr[k*lanes:][:lanes], zi[k*lanes:][:lanes]
		for q := range ar {
			er, ei := ar[q]+br[q], ai[q]-bi[q]
			dr, di := ar[q]-br[q], ai[q]+bi[q]
			or[q], oi[q] = er-wr*di-wi*dr, ei+wr*dr-wi*di
		}
	}
}

// mirror completes a half spectrum of odd length n; the imaginary part of its first point is dropped.
func mirror[T Float](re, im []T, n, lanes int) {
	clear(im[:lanes])
	for k := 1; k <= n/2; k++ {
		copy(re[(n-k)*lanes:][:lanes], re[k*lanes:][:lanes])
		for q := range lanes {
			im[(n-k)*lanes+q] = -im[k*lanes+q]
		}
	}
}

// fftWork is pooled scratch memory.
type fftWork[T Float] struct{ buf []T }

var fftWorks32, fftWorks64 sync.Pool

func getFFTWork[T Float](n int) *fftWork[T] {
	w, _ := fftPoolOf[T](&fftWorks32, &fftWorks64).Get().(*fftWork[T])
	if w == nil {
		w = &fftWork[T]{}
	}
	if len(w.buf) < n {
		w.buf = make([]T, n)
	}
	return w
}

func putFFTWork[T Float](w *fftWork[T]) { fftPoolOf[T](&fftWorks32, &fftWorks64).Put(w) }

func fftPoolOf[T Float](single, double *sync.Pool) *sync.Pool {
	if _, ok := any(T(0)).(float32); ok {
		return single
	}
	return double
}
