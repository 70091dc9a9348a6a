package kernel

import "fmt"

// The norms below work on channels-first data: x is nb x nc x ns, with ns the number of grid points. A normalised set is one
// group of one sample, or one channel of all samples; the affine map always goes by channel.

// Moments computes the mean and the biased variance of every row of x, in float64. x is rows x n, mean and variance have rows
// elements.
func Moments[T Float](mean, variance, x []T, rows, n int) {
	checkRows("Moments", rows, n, len(x))
	checkLen("Moments", "mean", len(mean), rows)
	checkLen("Moments", "variance", len(variance), rows)
	Parallel(rows, rowGrain(n, 2), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			m, v := moments(x[i*n : (i+1)*n])
			mean[i], variance[i] = T(m), T(v)
		}
	})
}

// ChannelMoments computes the mean and the biased variance of every channel of x over samples and grid, the statistics of batch
// normalisation. x is nb x nc x ns, mean and variance have nc elements.
func ChannelMoments[T Float](mean, variance, x []T, nb, nc, ns int) {
	checkRows("ChannelMoments", nb*nc, ns, len(x))
	checkLen("ChannelMoments", "mean", len(mean), nc)
	checkLen("ChannelMoments", "variance", len(variance), nc)
	Parallel(nc, rowGrain(nb*ns, 2), func(lo, hi int) {
		for c := lo; c < hi; c++ {
			// Samples are merged by the parallel formula of Chan, Golub and LeVeque: no cancellation.
			var m, v float64
			for b := range nb {
				i := (b*nc + c) * ns
				mb, vb := moments(x[i : i+ns])
				d := mb - m
				m += d / float64(b+1)
				v += (vb - v + d*(mb-m)) / float64(b+1)
			}
			mean[c], variance[c] = T(m), T(v)
		}
	})
}

// ChannelAffine computes dst[b,c,i] = x[b,c,i] scale[c] + shift[c]. dst and x are nb x nc x ns, scale and shift have nc elements
// or are nil, which means 1 and 0; dst may be x.
func ChannelAffine[T Float](dst, x, scale, shift []T, nb, nc, ns int) {
	checkRows("ChannelAffine", nb*nc, ns, len(dst), len(x))
	if scale != nil {
		checkLen("ChannelAffine", "scale", len(scale), nc)
	}
	if shift != nil {
		checkLen("ChannelAffine", "shift", len(shift), nc)
	}
	f := pick[elemFunc[T]](scaleShiftElem.f32, scaleShiftElem.f64)
	Parallel(nb*nc, rowGrain(ns, 1), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			a, b := affine(scale, shift, r%nc)
			f(dst[r*ns:(r+1)*ns], x[r*ns:(r+1)*ns], nil, a, b, false)
		}
	})
}

func affine[T Float](scale, shift []T, c int) (a, b T) {
	a = 1
	if scale != nil {
		a = scale[c]
	}
	if shift != nil {
		b = shift[c]
	}
	return a, b
}

// ChannelNorm computes dst = (x - mean) rstd w + b, where w and b go by channel (nil means 1 and 0) and the moments by
// normalised set: mean and rstd have nc elements if batch is true (batch normalisation), nb x groups elements otherwise (group
// normalisation, Wu and He, arXiv 1803.08494; groups = nc is instance normalisation). dst and x are nb x nc x ns; dst may be x.
func ChannelNorm[T Float](dst, x, mean, rstd, w, b []T, nb, nc, ns, groups int, batch bool) {
	checkNorm("ChannelNorm", mean, rstd, nb, nc, groups, batch)
	checkRows("ChannelNorm", nb*nc, ns, len(dst), len(x))
	f := pick[elemFunc[T]](scaleShiftElem.f32, scaleShiftElem.f64)
	Parallel(nb*nc, rowGrain(ns, 1), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			k := normSet(r, nc, groups, batch)
			scale, shift := affine(w, b, r%nc)
			scale *= rstd[k]
			f(dst[r*ns:(r+1)*ns], x[r*ns:(r+1)*ns], nil, scale, shift-mean[k]*scale, false)
		}
	})
}

// normSet returns the normalised set of row r = b nc + c.
func normSet(r, nc, groups int, batch bool) int {
	if batch {
		return r % nc
	}
	return r / (nc / groups)
}

func checkNorm[T Float](name string, mean, rstd []T, nb, nc, groups int, batch bool) {
	sets := nc
	if !batch {
		if groups < 1 || nc%groups != 0 {
			panic(fmt.Sprintf("kernel: %s: %d channels do not form %d groups", name, nc, groups))
		}
		sets = nb * groups
	}
	checkLen(name, "mean", len(mean), sets)
	checkLen(name, "rstd", len(rstd), sets)
}

// ChannelNormGrad computes the gradients of ChannelNorm when mean and rstd are the moments of x itself. With h = (x-mean) rstd,
// g = gy w and averages over the normalised set,
//
//	gx = rstd (g - avg(g) - h avg(g h)),  gw[c] = sum of gy h,  gb[c] = sum of gy
//
// gx is added to if accX, gw and gb if accW; each may be nil: it is not computed. gx may be gy.
func ChannelNormGrad[T Float](gx, gw, gb, gy, x, mean, rstd, w []T, nb, nc, ns, groups int, batch, accX, accW bool) {
	checkNorm("ChannelNormGrad", mean, rstd, nb, nc, groups, batch)
	checkRows("ChannelNormGrad", nb*nc, ns, len(gy), len(x))
	rows := nb * nc
	// sums[2r] is the sum over row r of gy, sums[2r+1] that of gy h.
	sums := make([]float64, 2*rows)
	sum := pick[func(x, y []T) float64](sumReducer.f32, sumReducer.f64)
	dot := pick[func(x, y []T) float64](dotReducer.f32, dotReducer.f64)
	Parallel(rows, rowGrain(ns, 2), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			g, v := gy[r*ns:(r+1)*ns], x[r*ns:(r+1)*ns]
			k := normSet(r, nc, groups, batch)
			s := sum(g, nil)
			sums[2*r] = s
			sums[2*r+1] = (dot(g, v) - s*float64(mean[k])) * float64(rstd[k])
		}
	})
	for c := range nc {
		var sw, sb float64
		for b := range nb {
			sb += sums[2*(b*nc+c)]
			sw += sums[2*(b*nc+c)+1]
		}
		if gw != nil {
			put(&gw[c], T(sw), accW)
		}
		if gb != nil {
			put(&gb[c], T(sb), accW)
		}
	}
	if gx == nil {
		return
	}
	checkRows("ChannelNormGrad", rows, ns, len(gx))
	avg := make([]float64, 2*len(mean))
	for r := range rows {
		a, _ := affine(w, nil, r%nc)
		k := normSet(r, nc, groups, batch)
		avg[2*k] += float64(a) * sums[2*r]
		avg[2*k+1] += float64(a) * sums[2*r+1]
	}
	n := float64(rows * ns / max(1, len(mean)))
	f := pick[elemFunc[T]](addScaledElem.f32, addScaledElem.f64)
	shift := pick[elemFunc[T]](addScalarElem.f32, addScalarElem.f64)
	Parallel(rows, rowGrain(ns, 2), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			d := gx[r*ns : (r+1)*ns]
			k := normSet(r, nc, groups, batch)
			a, _ := affine(w, nil, r%nc)
			m, s := float64(mean[k]), float64(rstd[k])
			// gx = (s a) gy + c x + e, from the formula above with h written out.
			c := -s * s * avg[2*k+1] / n
			e := -s*avg[2*k]/n - c*m
			f(d, gy[r*ns:(r+1)*ns], x[r*ns:(r+1)*ns], T(s)*a, T(c), accX)
			shift(d, d, nil, T(e), 0, false)
		}
	})
}
