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
	ParallelWith(rows, RowGrain(n, 2), rowMoments[T]{mean, variance, x, n})
}

type rowMoments[T Float] struct {
	mean, variance, x []T
	n                 int
}

func (a *rowMoments[T]) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		m, v := moments(a.x[i*a.n : (i+1)*a.n])
		a.mean[i], a.variance[i] = T(m), T(v)
	}
}

// ChannelMoments computes the mean and the biased variance of every channel of x over samples and grid, the statistics of batch
// normalisation. x is nb x nc x ns, mean and variance have nc elements.
func ChannelMoments[T Float](mean, variance, x []T, nb, nc, ns int) {
	checkRows("ChannelMoments", nb*nc, ns, len(x))
	checkLen("ChannelMoments", "mean", len(mean), nc)
	checkLen("ChannelMoments", "variance", len(variance), nc)
	ParallelWith(nc, RowGrain(nb*ns, 2), channelMoments[T]{mean, variance, x, nb, nc, ns})
}

type channelMoments[T Float] struct {
	mean, variance, x []T
	nb, nc, ns        int
}

func (a *channelMoments[T]) Chunk(lo, hi int) {
	for c := lo; c < hi; c++ {
		// Samples are merged by the parallel formula of Chan, Golub and LeVeque: no cancellation.
		var m, v float64
		for b := range a.nb {
			i := (b*a.nc + c) * a.ns
			mb, vb := moments(a.x[i : i+a.ns])
			d := mb - m
			m += d / float64(b+1)
			v += (vb - v + d*(mb-m)) / float64(b+1)
		}
		a.mean[c], a.variance[c] = T(m), T(v)
	}
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
	ParallelWith(nb*nc, RowGrain(ns, 1), channelAffine[T]{dst, x, scale, shift, nc, ns})
}

type channelAffine[T Float] struct {
	dst, x, scale, shift []T
	nc, ns               int
}

func (c *channelAffine[T]) Chunk(lo, hi int) {
	f, ns := pick[elemFunc[T]](scaleShiftElem.f32, scaleShiftElem.f64), c.ns
	for r := lo; r < hi; r++ {
		a, b := affine(c.scale, c.shift, r%c.nc)
		f(c.dst[r*ns:(r+1)*ns], c.x[r*ns:(r+1)*ns], nil, a, b, false)
	}
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
	ParallelWith(nb*nc, RowGrain(ns, 1), channelNorm[T]{normSets{nc, groups, batch}, dst, x, mean, rstd, w, b, ns})
}

type channelNorm[T Float] struct {
	normSets
	dst, x, mean, rstd, w, b []T
	ns                       int
}

func (c *channelNorm[T]) Chunk(lo, hi int) {
	f, ns := pick[elemFunc[T]](scaleShiftElem.f32, scaleShiftElem.f64), c.ns
	for r := lo; r < hi; r++ {
		k := c.of(r)
		scale, shift := affine(c.w, c.b, r%c.nc)
		scale *= c.rstd[k]
		f(c.dst[r*ns:(r+1)*ns], c.x[r*ns:(r+1)*ns], nil, scale, shift-c.mean[k]*scale, false)
	}
}

// normSets tells the normalised sets apart.
type normSets struct {
	nc, groups int
	batch      bool
}

// of returns the normalised set of row r = b nc + c.
func (s normSets) of(r int) int {
	if s.batch {
		return r % s.nc
	}
	return r / (s.nc / s.groups)
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
	buf := sumScratch.Get().(*[]float64)
	defer sumScratch.Put(buf)
	*buf = grow(*buf, 2*(rows+len(mean)))
	g := channelNormGrad[T]{normSets: normSets{nc, groups, batch}, gx: gx, gy: gy, x: x, mean: mean, rstd: rstd, w: w,
		ns: ns, n: float64(rows * ns / max(1, len(mean))), acc: accX, sums: (*buf)[:2*rows], totals: (*buf)[2*rows:]}
	ParallelWith(rows, RowGrain(ns, 2), channelNormSums[T]{g})
	for c := range nc {
		var sw, sb float64
		for b := range nb {
			sb += g.sums[2*(b*nc+c)]
			sw += g.sums[2*(b*nc+c)+1]
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
	clear(g.totals)
	for r := range rows {
		a, _ := affine(w, nil, r%nc)
		k := g.of(r)
		g.totals[2*k] += float64(a) * g.sums[2*r]
		g.totals[2*k+1] += float64(a) * g.sums[2*r+1]
	}
	ParallelWith(rows, RowGrain(ns, 2), g)
}

// channelNormGrad computes gx from the sums of gy and of gy h over every row, and those of g and of g h over every normalised set.
type channelNormGrad[T Float] struct {
	normSets
	gx, gy, x, mean, rstd, w []T
	ns                       int
	n                        float64 // elements of a set
	acc                      bool
	sums, totals             []float64 // pairs
}

// channelNormSums computes the sums over rows.
type channelNormSums[T Float] struct{ channelNormGrad[T] }

func (a *channelNormSums[T]) Chunk(lo, hi int) {
	sum := pick[func(x, y []T) float64](sumReducer.f32, sumReducer.f64)
	dot := pick[func(x, y []T) float64](dotReducer.f32, dotReducer.f64)
	for r := lo; r < hi; r++ {
		g, v := a.gy[r*a.ns:(r+1)*a.ns], a.x[r*a.ns:(r+1)*a.ns]
		k := a.of(r)
		s := sum(g, nil)
		a.sums[2*r] = s
		a.sums[2*r+1] = (dot(g, v) - s*float64(a.mean[k])) * float64(a.rstd[k])
	}
}

func (g *channelNormGrad[T]) Chunk(lo, hi int) {
	f := pick[elemFunc[T]](addScaledElem.f32, addScaledElem.f64)
	shift := pick[elemFunc[T]](addScalarElem.f32, addScalarElem.f64)
	ns := g.ns
	for r := lo; r < hi; r++ {
		d := g.gx[r*ns : (r+1)*ns]
		k := g.of(r)
		a, _ := affine(g.w, nil, r%g.nc)
		m, s := float64(g.mean[k]), float64(g.rstd[k])
		// gx = (s a) gy + c x + e, from the formula above with h written out.
		c := -s * s * g.totals[2*k+1] / g.n
		e := -s*g.totals[2*k]/g.n - c*m
		f(d, g.gy[r*ns:(r+1)*ns], g.x[r*ns:(r+1)*ns], T(s)*a, T(c), g.acc)
		shift(d, d, nil, T(e), 0, false)
	}
}
