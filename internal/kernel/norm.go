package kernel

import (
	"fmt"
	"math"
)

var (
	layerNorm32     = layerNormGeneric[float32]
	layerNorm64     = layerNormGeneric[float64]
	layerNormGrad32 = layerNormGradGeneric[float32]
	layerNormGrad64 = layerNormGradGeneric[float64]
	normParam32     = normParamGeneric[float32]
	normParam64     = normParamGeneric[float64]
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
	if len(dst) == 0 {
		return
	}
	f := pick[func(dst, mean, rstd, x, w, b []T, rows, n int, eps float64)](layerNorm32, layerNorm64)
	Parallel(rows, rowGrain(n, 2), func(lo, hi int) {
		f(dst[lo*n:hi*n], mean[lo:hi], rstd[lo:hi], x[lo*n:hi*n], w, b, hi-lo, n, eps)
	})
}

func layerNormGeneric[T Float](dst, mean, rstd, x, w, b []T, rows, n int, eps float64) {
	for i := range rows {
		d, r := dst[i*n:(i+1)*n], x[i*n:(i+1)*n]
		m, v := moments(r)
		s := 1 / math.Sqrt(v+eps)
		mean[i], rstd[i] = T(m), T(s)
		for j := range r {
			y := (float64(r[j]) - m) * s
			if w != nil {
				y *= float64(w[j])
			}
			if b != nil {
				y += float64(b[j])
			}
			d[j] = T(y)
		}
	}
}

// moments returns the mean and the biased variance of x, from two passes.
func moments[T Float](x []T) (mean, variance float64) {
	mean = sumGeneric(x, nil) / float64(len(x))
	for _, v := range x {
		d := float64(v) - mean
		variance += d * d
	}
	return mean, variance / float64(len(x))
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
		f := pick[func(sw, sb []float64, gy, x, mean, rstd []T, rows, n int)](normParam32, normParam64)
		sumRows(rows, n, 2*n, func(sum []float64, lo, hi int) {
			f(sum[:n], sum[n:], gy[lo*n:hi*n], x[lo*n:hi*n], mean[lo:hi], rstd[lo:hi], hi-lo, n)
		}, func(sum []float64) {
			storeSums(gw, sum[:n], accW)
			storeSums(gb, sum[n:], accW)
		})
	}
	if gx == nil || len(x) == 0 {
		return
	}
	checkRows("LayerNormGrad", rows, n, len(gx))
	f := pick[func(gx, gy, x, w, mean, rstd []T, rows, n int, acc bool)](layerNormGrad32, layerNormGrad64)
	Parallel(rows, rowGrain(n, 2), func(lo, hi int) {
		f(gx[lo*n:hi*n], gy[lo*n:hi*n], x[lo*n:hi*n], w, mean[lo:hi], rstd[lo:hi], hi-lo, n, accX)
	})
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

func layerNormGradGeneric[T Float](gx, gy, x, w, mean, rstd []T, rows, n int, acc bool) {
	for i := range rows {
		d, g, r := gx[i*n:(i+1)*n], gy[i*n:(i+1)*n], x[i*n:(i+1)*n]
		m, s := float64(mean[i]), float64(rstd[i])
		var sum, dot float64
		for j := range r {
			v := float64(g[j])
			if w != nil {
				v *= float64(w[j])
			}
			sum += v
			dot += v * (float64(r[j]) - m) * s
		}
		sum /= float64(n)
		dot /= float64(n)
		for j := range r {
			v := float64(g[j])
			if w != nil {
				v *= float64(w[j])
			}
			put(&d[j], T(s*(v-sum-(float64(r[j])-m)*s*dot)), acc)
		}
	}
}
