package moe

import (
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// floor is the power, relative to the mean over a sample's spectrum, below which logPower sees nothing: 60 dB.
const floor = 1e-6

// logPower returns log10(floor + |f|^2 / S) / 2 of half spectra f, nb x nc x ny x nh x 2, where S is the mean of |f|^2 over the
// channels and the whole spectrum of a sample: decades of magnitude, 0 at the root mean square, -3 where there is nothing. A
// factor on a sample changes nothing. nx is the number of columns of the plane.
func logPower(f *autograd.Value, nx int) *autograd.Value {
	t := f.Tape()
	nb, nc, ny, nh := f.Shape[0], f.Shape[1], f.Shape[2], f.Shape[3]
	np := ny * nh
	out := t.Alloc(f.Shape[:4]...)
	sums := make([]float64, nb*nc)
	kernel.Parallel(nb*nc, grain(np), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			x, sum := f.Data[2*i*np:][:2*np], 0.0
			for k := range np {
				p := power(x, k)
				out.Data[i*np+k] = p
				sum += float64(p) * count(k%nh, nx)
			}
			sums[i] = sum
		}
	})
	inverse := make([]float32, nb) // 1/S
	for b := range inverse {
		sum := 0.0
		for _, s := range sums[b*nc:][:nc] {
			sum += s
		}
		if sum > math.SmallestNonzeroFloat32 || sum != sum {
			inverse[b] = float32(float64(nc*ny*nx) / sum)
		}
		x := out.Data[b*nc*np:][:nc*np]
		kernel.Scale(x, x, inverse[b])
	}
	kernel.AddScalar(out.Data, out.Data, floor)
	kernel.Log(out.Data, out.Data)
	kernel.Scale(out.Data, out.Data, 0.5/math.Ln10)
	return autograd.Record("moe.logPower", out, []*autograd.Value{f}, func(g *autograd.Grads, gy []float32) {
		// With u = p/S, y = ln(floor+u)/(2 ln 10) and d = gy dy/du: gp = (d - n_k sum(d u)/(nc ny nx)) / S, where n_k counts k and -k.
		gx := g.Zeroed(f)
		slope := func(i, k int) (d, u float64) {
			u = float64(power(f.Data[2*i*np:], k)) * float64(inverse[i/nc])
			return float64(gy[i*np+k]) * (0.5 / math.Ln10) / (floor + u), u
		}
		kernel.Parallel(nb*nc, grain(np), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				sums[i] = 0
				for k := range np {
					d, u := slope(i, k)
					sums[i] += d * u
				}
			}
		})
		shift := make([]float64, nb)
		for b := range shift {
			for _, s := range sums[b*nc:][:nc] {
				shift[b] += s
			}
			shift[b] /= float64(nc * ny * nx)
		}
		kernel.Parallel(nb*nc, grain(np), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				x, gx := f.Data[2*i*np:], gx[2*i*np:]
				for k := range np {
					d, _ := slope(i, k)
					gp := float32(2 * float64(inverse[i/nc]) * (d - count(k%nh, nx)*shift[i/nc]))
					gx[2*k] += gp * x[2*k]
					gx[2*k+1] += gp * x[2*k+1]
				}
			}
		})
	})
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
	return autograd.Record("moe.rowDots", out, []*autograd.Value{x}, func(g *autograd.Grads, gy []float32) {
		gx := g.Zeroed(x)
		kernel.Parallel(rows, grain(2*n), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				row, gx, a := x.Data[2*i*n:], gx[2*i*n:], scale*gy[i]
				kernel.Axpy(gx[:n], a, row[n:2*n])
				kernel.Axpy(gx[n:2*n], a, row[:n])
			}
		})
	})
}
