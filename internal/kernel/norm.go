package kernel

import (
	"fmt"
	"math"
)

var (
	squares32    = squaresGeneric[float32]
	squares64    = squaresGeneric[float64]
	normAffine32 = normAffineGeneric[float32]
	normAffine64 = normAffineGeneric[float64]
	normSums32   = normSumsGeneric[float32]
	normSums64   = normSumsGeneric[float64]
	normGrad32   = normGradGeneric[float32]
	normGrad64   = normGradGeneric[float64]
	normParam32  = normParamGeneric[float32]
	normParam64  = normParamGeneric[float64]
)

func checkLen(name, what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("kernel: %s: %s has %d elements, not %d", name, what, got, want))
	}
}

// LayerNorm normalises every row of x and maps it affinely (Ba, Kiros and Hinton, arXiv 1607.06450, equation 4):
//
//	mean[i] = (1/n) sum over j of x[i,j]
//	rstd[i] = 1 / sqrt((1/n) sum over j of (x[i,j]-mean[i])^2 + eps)
//	dst[i,j] = (x[i,j]-mean[i]) rstd[i] w[j] + b[j]
//
// dst and x are rows x n, mean and rstd have rows elements, w and b have n; a nil w is 1, a nil b is 0. dst may be x.
func LayerNorm[T Float](dst, mean, rstd, x, w, b []T, rows, n int, eps float64) {
	checkRows("LayerNorm", rows, n, len(dst), len(x))
	checkLen("LayerNorm", "mean", len(mean), rows)
	checkLen("LayerNorm", "rstd", len(rstd), rows)
	if w != nil {
		checkLen("LayerNorm", "w", len(w), n)
	}
	if b != nil {
		checkLen("LayerNorm", "b", len(b), n)
	}
	l := layerNorm[T]{dst, mean, rstd, x, orFilled(w, n, 1), orFilled(b, n, 0), n, eps}
	ParallelWith(rows, RowGrain(n, 2), l)
	giveBack(w, l.w)
	giveBack(b, l.b)
}

type layerNorm[T Float] struct {
	dst, mean, rstd, x, w, b []T
	n                        int
	eps                      float64
}

func (a *layerNorm[T]) Chunk(lo, hi int) {
	layerNormRows(a.dst[lo*a.n:hi*a.n], a.mean[lo:hi], a.rstd[lo:hi], a.x[lo*a.n:hi*a.n], a.w, a.b, a.n, a.eps)
}

var filled32, filled64 = new(Scratch[float32]), new(Scratch[float64])

// orFilled returns v, or n elements of a where v is nil.
func orFilled[T Float](v []T, n int, a T) []T {
	if v == nil {
		v = pick[*Scratch[T]](filled32, filled64).Get(n)
		fill(v, a)
	}
	return v
}

// giveBack takes back what orFilled returned for v.
func giveBack[T Float](v, filled []T) {
	if v == nil {
		pick[*Scratch[T]](filled32, filled64).Put(filled)
	}
}

func layerNormRows[T Float](dst, mean, rstd, x, w, b []T, n int, eps float64) {
	sum := pick[func(x, y []T) float64](sumReducer.f32, sumReducer.f64)
	squares := pick[func(x []T, m float64) float64](squares32, squares64)
	affine := pick[func(dst, x, w, b []T, m, s T)](normAffine32, normAffine64)
	for i := range mean {
		d, r := dst[i*n:(i+1)*n], x[i*n:(i+1)*n]
		m := sum(r, nil) / float64(n)
		s := 1 / math.Sqrt(squares(r, m)/float64(n)+eps)
		mean[i], rstd[i] = T(m), T(s)
		affine(d, r, w, b, T(m), T(s))
	}
}

// moments returns the mean and the biased variance of x, from two passes.
func moments[T Float](x []T) (mean, variance float64) {
	n := float64(len(x))
	mean = pick[func(x, y []T) float64](sumReducer.f32, sumReducer.f64)(x, nil) / n
	return mean, pick[func(x []T, m float64) float64](squares32, squares64)(x, mean) / n
}

// squaresGeneric returns the sum of (x - m)^2.
func squaresGeneric[T Float](x []T, m float64) float64 {
	s := 0.0
	for _, v := range x {
		d := float64(v) - m
		s += d * d
	}
	return s
}

// normAffineGeneric computes dst = (x - m) s w + b.
func normAffineGeneric[T Float](dst, x, w, b []T, m, s T) {
	for i, v := range x {
		dst[i] = (v-m)*s*w[i] + b[i]
	}
}

// LayerNormGrad computes the gradients of LayerNorm from gy and what LayerNorm saved. With h = (x-mean) rstd and g = gy w,
//
//	gx[i,j] = rstd[i] (g[i,j] - (1/n) sum over k of g[i,k] - h[i,j] (1/n) sum over k of g[i,k] h[i,k])
//	gw[j] = sum over i of gy[i,j] h[i,j]
//	gb[j] = sum over i of gy[i,j]
//
// gx is added to if accX, gw and gb if accW; each of them may be nil: it is not computed. w may be nil. gx may be gy.
func LayerNormGrad[T Float](gx, gw, gb, gy, x, w, mean, rstd []T, rows, n int, accX, accW bool) {
	checkRows("LayerNormGrad", rows, n, len(gy), len(x))
	checkLen("LayerNormGrad", "mean", len(mean), rows)
	checkLen("LayerNormGrad", "rstd", len(rstd), rows)
	if w != nil {
		checkLen("LayerNormGrad", "w", len(w), n)
	}
	if gw != nil {
		checkLen("LayerNormGrad", "gw", len(gw), n)
	}
	if gb != nil {
		checkLen("LayerNormGrad", "gb", len(gb), n)
	}
	if gw != nil || gb != nil {
		a := normParam[T]{newRowSums(rows, n, 2*n), gy, x, mean, rstd}
		ParallelWith(a.chunks, 1, a)
		sums := a.total()
		storeSums(gw, sums[:n], accW)
		storeSums(gb, sums[n:], accW)
		a.release()
	}
	if gx == nil || len(x) == 0 {
		return
	}
	checkRows("LayerNormGrad", rows, n, len(gx))
	g := layerNormGrad[T]{gx, gy, x, orFilled(w, n, 1), mean, rstd, n, accX}
	ParallelWith(rows, RowGrain(n, 2), g)
	giveBack(w, g.w)
}

type normParam[T Float] struct {
	rowSums
	gy, x, mean, rstd []T
}

func (a *normParam[T]) Chunk(first, end int) {
	n := a.n
	for c := first; c < end; c++ {
		sum, lo, hi := a.chunk(c)
		pick[func(sw, sb []float64, gy, x, mean, rstd []T, rows, n int)](normParam32, normParam64)(sum[:n], sum[n:], a.gy[lo*n:hi*n], a.x[lo*n:hi*n],
			a.mean[lo:hi], a.rstd[lo:hi], hi-lo, n)
	}
}

type layerNormGrad[T Float] struct {
	gx, gy, x, w, mean, rstd []T
	n                        int
	acc                      bool
}

func (a *layerNormGrad[T]) Chunk(lo, hi int) {
	n := a.n
	layerNormGradRows(a.gx[lo*n:hi*n], a.gy[lo*n:hi*n], a.x[lo*n:hi*n], a.w, a.mean[lo:hi], a.rstd[lo:hi], n, a.acc)
}

func layerNormGradRows[T Float](gx, gy, x, w, mean, rstd []T, n int, acc bool) {
	sums := pick[func(g, x, w []T, m float64) (sum, dot float64)](normSums32, normSums64)
	grad := pick[func(gx, g, x, w []T, m, s, c, e T, acc bool)](normGrad32, normGrad64)
	for i := range mean {
		g, r := gy[i*n:(i+1)*n], x[i*n:(i+1)*n]
		s := float64(rstd[i])
		sum, dot := sums(g, r, w, float64(mean[i]))
		grad(gx[i*n:(i+1)*n], g, r, w, mean[i], rstd[i], T(-s*s*s*dot/float64(n)), T(-s*sum/float64(n)), acc)
	}
}

// normSumsGeneric returns the sums of v = g w and of v (x - m).
func normSumsGeneric[T Float](g, x, w []T, m float64) (sum, dot float64) {
	for i, a := range g {
		v := float64(a) * float64(w[i])
		sum += v
		dot += v * (float64(x[i]) - m)
	}
	return sum, dot
}

// normGradGeneric computes gx = s g w + c (x - m) + e, or adds it.
func normGradGeneric[T Float](gx, g, x, w []T, m, s, c, e T, acc bool) {
	for i := range gx {
		put(&gx[i], s*(g[i]*w[i])+c*(x[i]-m)+e, acc)
	}
}

// normParamGeneric adds to sw[j] the sum over rows of gy h, and to sb[j] that of gy.
func normParamGeneric[T Float](sw, sb []float64, gy, x, mean, rstd []T, rows, n int) {
	for i := range rows {
		g, r := gy[i*n:(i+1)*n], x[i*n:(i+1)*n]
		m, s := float64(mean[i]), float64(rstd[i])
		for j, v := range g {
			sw[j] += float64(v) * ((float64(r[j]) - m) * s)
			sb[j] += float64(v)
		}
	}
}
