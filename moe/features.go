package moe

import (
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// floor is the power, relative to the mean over a sample's spectrum, below which logPower sees nothing: 60 dB.
const floor = 1e-6

// logPower returns L - mean of L with L = log10(floor + |f|^2 / S) / 2 of half spectra f, nb x nc x ny x nh x 2: decades of magnitude,
// relative to what is usual in the sample. S is the mean of |f|^2; both means are over the channels and the whole spectrum of a sample.
// A factor on a sample changes nothing, and one without any power gives zeros. nx is the number of columns of the plane.
func logPower(f *autograd.Value, nx int) *autograd.Value {
	t := f.Tape()
	nb, nc, ny, nh := f.Shape[0], f.Shape[1], f.Shape[2], f.Shape[3]
	np := ny * nh
	out := t.Alloc(f.Shape[:4]...)
	// mean returns, for every sample, the mean of x(i, k) over planes i and the bins k of the whole spectrum.
	mean := func(x func(i, k int) float64) []float64 {
		sums := make([]float64, nb*nc)
		kernel.Parallel(nb*nc, grain(np), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				for k := range np {
					sums[i] += x(i, k) * count(k%nh, nx)
				}
			}
		})
		return samples(sums, nc, 1/float64(nc*ny*nx))
	}
	inverse := mean(func(i, k int) float64 { // 1/S
		p := power(f.Data[2*i*np:], k)
		out.Data[i*np+k] = p
		return float64(p)
	})
	for b, s := range inverse {
		inverse[b] = 0
		if s > math.SmallestNonzeroFloat32 || s != s {
			inverse[b] = 1 / s
		}
		x := out.Data[b*nc*np:][:nc*np]
		kernel.Scale(x, x, float32(inverse[b]))
	}
	kernel.AddScalar(out.Data, out.Data, floor)
	kernel.Log(out.Data, out.Data)
	kernel.Scale(out.Data, out.Data, 0.5/math.Ln10)
	for b, m := range mean(func(i, k int) float64 { return float64(out.Data[i*np+k]) }) {
		x := out.Data[b*nc*np:][:nc*np]
		kernel.AddScalar(x, x, -float32(m))
	}
	return autograd.Record("moe.logPower", out, []*autograd.Value{f}, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		// With u = |f|^2/S, n_k the bins that k stands for and N their number in all, the gradient of L is gl = gy - n_k sum(gy)/N, and with
		// d = gl dL/du = gl / (2 ln 10 (floor + u)) that of |f|^2 is (d - n_k sum(d u)/N) / S.
		lift := samples(planeSums(gy, np), nc, 1/float64(nc*ny*nx))
		slope := func(i, k int) (d, u float64) {
			u = float64(power(f.Data[2*i*np:], k)) * inverse[i/nc]
			return (float64(gy[i*np+k]) - count(k%nh, nx)*lift[i/nc]) * (0.5 / math.Ln10) / (floor + u), u
		}
		shift := mean(func(i, k int) float64 {
			d, u := slope(i, k)
			return d * u / count(k%nh, nx)
		})
		gx := g.Zeroed(f)
		kernel.Parallel(nb*nc, grain(np), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				x, gx := f.Data[2*i*np:], gx[2*i*np:]
				for k := range np {
					d, _ := slope(i, k)
					gp := float32(2 * inverse[i/nc] * (d - count(k%nh, nx)*shift[i/nc]))
					gx[2*k] += gp * x[2*k]
					gx[2*k+1] += gp * x[2*k+1]
				}
			}
		})
	}))
}

// samples adds up every nc numbers, in order, times scale.
func samples(planes []float64, nc int, scale float64) []float64 {
	out := make([]float64, len(planes)/nc)
	for i, v := range planes {
		out[i/nc] += v
	}
	for i := range out {
		out[i] *= scale
	}
	return out
}

// planeSums returns the sum of every np elements of x.
func planeSums(x []float32, np int) []float64 {
	out := make([]float64, len(x)/np)
	for i := range out {
		out[i] = kernel.Sum(x[i*np:][:np])
	}
	return out
}

// power is |f|^2 of bin k.
func power(f []float32, k int) float32 { return f[2*k]*f[2*k] + f[2*k+1]*f[2*k+1] }

// count is how many bins of the whole spectrum of nx columns a bin in column j of the half spectrum stands for.
func count(j, nx int) float64 {
	if j > 0 && 2*j != nx {
		return 2
	}
	return 1
}

// rowDots returns scale * the dot product of both halves of every row of x, rows x 2n: [rows].
func rowDots(x *autograd.Value, scale float32) *autograd.Value {
	rows, n := x.Shape[0], x.Shape[1]/2
	out := x.Tape().Alloc(rows)
	kernel.Parallel(rows, grain(2*n), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := x.Data[2*i*n:]
			out.Data[i] = scale * float32(kernel.Dot(row[:n], row[n:2*n]))
		}
	})
	return autograd.Record("moe.rowDots", out, []*autograd.Value{x}, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		gx := g.Zeroed(x)
		kernel.Parallel(rows, grain(2*n), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				row, gx, a := x.Data[2*i*n:], gx[2*i*n:], scale*gy[i]
				kernel.Axpy(gx[:n], a, row[n:2*n])
				kernel.Axpy(gx[n:2*n], a, row[:n])
			}
		})
	}))
}
