package moe

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/spectral"
)

// pair is a sample and an expert that it goes to.
type pair struct{ sample, expert int }

// spectrum returns the half spectrum of x, nb x nc x ny x nx: nb x nc x ny x nx/2+1 x 2.
func spectrum(x *autograd.Value) *autograd.Value { return spectral.RFFT(x, 2, spectral.NormBackward) }

// inverse turns half spectra into planes of nx columns.
func inverse(f *autograd.Value, nx int) *autograd.Value {
	return spectral.IRFFT(f, []int{f.Dim(-3), nx}, spectral.NormBackward)
}

// mask multiplies the spectrum of each pair's sample by the mask of its expert: y[i, c, k] = f[sample(i), c, k] m[expert(i), k]. f is
// nb x nc x ny x nh x 2, m is ne x (ny nh), y is len(pairs) x nc x ny x nh x 2.
func mask(f, m *autograd.Value, pairs []pair) *autograd.Value {
	t := f.Tape()
	nc, np := f.Shape[1], m.Shape[1]
	plane := 2 * np
	double := t.Scratch(2 * m.Len()) // each weight twice, as re and im lie side by side
	for i, v := range m.Data {
		double[2*i], double[2*i+1] = v, v
	}
	out := t.Alloc(append(append(make([]int, 0, 8), len(pairs)), f.Shape[1:]...)...)
	c := masked{double: double, pairs: pairs, nc: nc, plane: plane}
	kernel.ParallelWith(len(pairs)*nc, kernel.RowGrain(plane, 1), maskProducts{c, out.Data, f.Data})
	return autograd.Record("moe.mask", out, []*autograd.Value{f, m}, masking{c, f, m})
}

// masked has the pairs' planes of nc channels and the masks for them.
type masked struct {
	double    []float32
	pairs     []pair
	nc, plane int
}

// mask returns that of an expert.
func (c *masked) mask(expert int) []float32 { return c.double[expert*c.plane:][:c.plane] }

// at returns plane i.
func (c *masked) at(x []float32, i int) []float32 { return x[i*c.plane:][:c.plane] }

type maskProducts struct {
	masked
	y, f []float32
}

// Chunk does the planes lo to hi of the result.
func (c *maskProducts) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		p := c.pairs[i/c.nc]
		kernel.Mul(c.at(c.y, i), c.at(c.f, p.sample*c.nc+i%c.nc), c.mask(p.expert))
	}
}

type masking struct {
	masked
	f, m *autograd.Value
}

func (o *masking) Backward(g *autograd.Grads, gy []float32) {
	if o.f.NeedsGrad() {
		kernel.ParallelWith(o.f.Shape[0]*o.nc, kernel.RowGrain(o.plane, 1), maskSpectrumGrad{o.masked, g.Zeroed(o.f), gy})
	}
	if o.m.NeedsGrad() {
		o.masksGrad(g, g.Zeroed(o.m), gy)
	}
}

// maskSpectrumGrad adds gf[s, c, k] += sum over the pairs i of sample s of gy[i, c, k] m[expert(i), k], in the order of the pairs.
type maskSpectrumGrad struct {
	masked
	gf, gy []float32
}

// Chunk does the planes lo to hi of the spectrum.
func (c *maskSpectrumGrad) Chunk(lo, hi int) {
	for j := lo; j < hi; j++ {
		for i, p := range c.pairs {
			if p.sample == j/c.nc {
				kernel.MulAdd(c.at(c.gf, j), c.at(c.gy, i*c.nc+j%c.nc), c.mask(p.expert))
			}
		}
	}
}

// masksGrad adds gm[e, k] += sum over the pairs i of expert e and channels c of Re(conj(f[sample(i), c, k]) gy[i, c, k]): over
// the channels first, then over the pairs in order.
func (o *masking) masksGrad(g *autograd.Grads, gm, gy []float32) {
	np := o.plane / 2
	sums := g.Scratch(len(o.pairs) * o.plane)
	defer g.Free(sums)
	kernel.ParallelWith(len(o.pairs), kernel.RowGrain(o.nc*o.plane, 1), maskSums{o.masked, sums, o.f.Data, gy})
	total := doubles.Get(len(gm))
	defer doubles.Put(total)
	clear(total)
	for i, p := range o.pairs {
		row, sum := total[p.expert*np:][:np], o.at(sums, i)
		for k := range row {
			row[k] += float64(sum[2*k]) + float64(sum[2*k+1])
		}
	}
	for i, v := range total {
		gm[i] += float32(v)
	}
}

// maskSums writes, for every pair, the sum over the channels of gy f, parts apart.
type maskSums struct {
	masked
	sums, f, gy []float32
}

// Chunk does the pairs lo to hi.
func (c *maskSums) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		sum := c.at(c.sums, i)
		clear(sum)
		for ch := range c.nc {
			kernel.MulAdd(sum, c.at(c.gy, i*c.nc+ch), c.at(c.f, c.pairs[i].sample*c.nc+ch))
		}
	}
}

// doubles are scratch for sums.
var doubles kernel.Scratch[float64]
