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
	p := planes{nb: f.Shape[0], nc: f.Shape[1], ny: f.Shape[2], nh: f.Shape[3], nx: nx}
	np := p.bins()
	out := t.Alloc(f.Shape[:4]...)
	sums := doubles.Get(p.nb * p.nc)
	defer doubles.Put(sums)
	kernel.ParallelWith(p.nb*p.nc, kernel.RowGrain(np, 1), powerSums{p, sums, out.Data, f.Data})
	inverse := make([]float64, p.nb)
	p.means(inverse, sums)
	for b, s := range inverse {
		inverse[b] = 0
		if s > math.SmallestNonzeroFloat32 || s != s {
			inverse[b] = 1 / s
		}
		x := out.Data[b*p.nc*np:][:p.nc*np]
		kernel.Scale(x, x, float32(inverse[b]))
	}
	kernel.AddScalar(out.Data, out.Data, floor)
	kernel.Log(out.Data, out.Data)
	kernel.Scale(out.Data, out.Data, 0.5/math.Ln10)
	mean := doubles.Get(p.nb)
	defer doubles.Put(mean)
	kernel.ParallelWith(p.nb*p.nc, kernel.RowGrain(np, 1), binSums{p, sums, out.Data})
	p.means(mean, sums)
	for b, m := range mean {
		x := out.Data[b*p.nc*np:][:p.nc*np]
		kernel.AddScalar(x, x, -float32(m))
	}
	return autograd.Record("moe.logPower", out, []*autograd.Value{f}, takingLogs{p, f, inverse})
}

// planes are the half spectra of nb samples of nc channels: ny x nh bins, of planes of nx columns.
type planes struct{ nb, nc, ny, nh, nx int }

// bins is how many there are in a plane.
func (p *planes) bins() int { return p.ny * p.nh }

// count is how many bins of the whole spectrum bin k stands for.
func (p *planes) count(k int) float64 { return count(k%p.nh, p.nx) }

// means writes, for every sample, the sum of its planes' sums over the number of bins of the whole spectrum.
func (p *planes) means(dst, sums []float64) {
	clear(dst)
	for i, v := range sums {
		dst[i/p.nc] += v
	}
	for i := range dst {
		dst[i] *= 1 / float64(p.nc*p.ny*p.nx)
	}
}

// powerSums writes the power of every bin and sums it up over the whole spectrum of every plane.
type powerSums struct {
	planes
	sums   []float64
	out, f []float32
}

// Chunk does the planes lo to hi.
func (s *powerSums) Chunk(lo, hi int) {
	np := s.bins()
	for i := lo; i < hi; i++ {
		s.sums[i] = 0
		for k := range np {
			p := power(s.f[2*i*np:], k)
			s.out[i*np+k] = p
			s.sums[i] += float64(p) * s.count(k)
		}
	}
}

// binSums sums up x over the whole spectrum of every plane.
type binSums struct {
	planes
	sums []float64
	x    []float32
}

// Chunk does the planes lo to hi.
func (s *binSums) Chunk(lo, hi int) {
	np := s.bins()
	for i := lo; i < hi; i++ {
		s.sums[i] = 0
		for k := range np {
			s.sums[i] += float64(s.x[i*np+k]) * s.count(k)
		}
	}
}

type takingLogs struct {
	planes
	x       *autograd.Value
	inverse []float64 // 1/S
}

// Backward: with u = |f|^2/S, n_k the bins that k stands for and N their number in all, the gradient of L is gl = gy - n_k sum(gy)/N, and
// with d = gl dL/du = gl / (2 ln 10 (floor + u)) that of |f|^2 is (d - n_k sum(d u)/N) / S.
func (o *takingLogs) Backward(g *autograd.Grads, gy []float32) {
	np, count := o.bins(), o.nb*o.nc
	sums, lift, shift := doubles.Get(count), doubles.Get(o.nb), doubles.Get(o.nb)
	defer doubles.Put(sums)
	defer doubles.Put(lift)
	defer doubles.Put(shift)
	for i := range sums {
		sums[i] = kernel.Sum(gy[i*np:][:np])
	}
	o.means(lift, sums)
	s := slopes{o.planes, o.x.Data, gy, o.inverse, lift}
	kernel.ParallelWith(count, kernel.RowGrain(np, 1), slopeSums{s, sums})
	o.means(shift, sums)
	kernel.ParallelWith(count, kernel.RowGrain(np, 1), slopeGrads{s, g.Zeroed(o.x), shift})
}

// slopes knows the gradient of the logarithms.
type slopes struct {
	planes
	f, gy         []float32
	inverse, lift []float64 // of the samples
}

// at returns d and u for bin k of plane i.
func (s *slopes) at(i, k int) (d, u float64) {
	np := s.bins()
	u = float64(power(s.f[2*i*np:], k)) * s.inverse[i/s.nc]
	return (float64(s.gy[i*np+k]) - s.count(k)*s.lift[i/s.nc]) * (0.5 / math.Ln10) / (floor + u), u
}

// slopeSums sums up d u over the bins of every plane.
type slopeSums struct {
	slopes
	sums []float64
}

// Chunk does the planes lo to hi.
func (s *slopeSums) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		s.sums[i] = 0
		for k := range s.bins() {
			d, u := s.at(i, k)
			s.sums[i] += d * u
		}
	}
}

// slopeGrads adds the gradients of the spectra.
type slopeGrads struct {
	slopes
	gx    []float32
	shift []float64
}

// Chunk does the planes lo to hi.
func (s *slopeGrads) Chunk(lo, hi int) {
	np := s.bins()
	for i := lo; i < hi; i++ {
		x, gx := s.f[2*i*np:], s.gx[2*i*np:]
		for k := range np {
			d, _ := s.at(i, k)
			gp := float32(2 * s.inverse[i/s.nc] * (d - s.count(k)*s.shift[i/s.nc]))
			gx[2*k] += gp * x[2*k]
			gx[2*k+1] += gp * x[2*k+1]
		}
	}
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
	kernel.ParallelWith(rows, kernel.RowGrain(2*n, 1), halfDots{out.Data, x.Data, n, scale})
	return autograd.Record("moe.rowDots", out, []*autograd.Value{x}, dotting{x, scale})
}

type halfDots struct {
	y, x  []float32
	n     int
	scale float32
}

// Chunk does the rows lo to hi.
func (d *halfDots) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		row := d.x[2*i*d.n:]
		d.y[i] = d.scale * float32(kernel.Dot(row[:d.n], row[d.n:2*d.n]))
	}
}

type dotting struct {
	x     *autograd.Value
	scale float32
}

func (o *dotting) Backward(g *autograd.Grads, gy []float32) {
	rows, n := o.x.Shape[0], o.x.Shape[1]/2
	kernel.ParallelWith(rows, kernel.RowGrain(2*n, 1), halfDotGrads{g.Zeroed(o.x), gy, o.x.Data, n, o.scale})
}

type halfDotGrads struct {
	gx, gy, x []float32
	n         int
	scale     float32
}

// Chunk does the rows lo to hi.
func (d *halfDotGrads) Chunk(lo, hi int) {
	n := d.n
	for i := lo; i < hi; i++ {
		row, gx, a := d.x[2*i*n:], d.gx[2*i*n:], d.scale*d.gy[i]
		kernel.Axpy(gx[:n], a, row[n:2*n])
		kernel.Axpy(gx[n:2*n], a, row[:n])
	}
}
