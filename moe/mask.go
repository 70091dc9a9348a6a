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
	out := t.Alloc(append([]int{len(pairs)}, f.Shape[1:]...)...)
	kernel.Parallel(len(pairs)*nc, grain(plane), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			p := pairs[i/nc]
			kernel.Mul(out.Data[i*plane:][:plane], f.Data[(p.sample*nc+i%nc)*plane:][:plane], double[p.expert*plane:][:plane])
		}
	})
	return autograd.Record("moe.mask", out, []*autograd.Value{f, m}, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		if f.NeedsGrad() {
			maskGradSpectrum(g.Zeroed(f), gy, double, pairs, f.Shape[0], nc, plane)
		}
		if m.NeedsGrad() {
			maskGradMasks(g, g.Zeroed(m), gy, f.Data, pairs, nc, np)
		}
	}))
}

// maskGradSpectrum adds gf[s, c, k] += sum over the pairs i of sample s of gy[i, c, k] m[expert(i), k], in the order of the pairs.
func maskGradSpectrum(gf, gy, double []float32, pairs []pair, nb, nc, plane int) {
	of := make([][]int, nb)
	for i, p := range pairs {
		of[p.sample] = append(of[p.sample], i)
	}
	kernel.Parallel(nb*nc, grain(plane), func(lo, hi int) {
		for j := lo; j < hi; j++ {
			for _, i := range of[j/nc] {
				kernel.MulAdd(gf[j*plane:][:plane], gy[(i*nc+j%nc)*plane:][:plane], double[pairs[i].expert*plane:][:plane])
			}
		}
	})
}

// maskGradMasks adds gm[e, k] += sum over the pairs i of expert e and channels c of Re(conj(f[sample(i), c, k]) gy[i, c, k]): over
// the channels first, then over the pairs in order.
func maskGradMasks(g *autograd.Grads, gm, gy, f []float32, pairs []pair, nc, np int) {
	plane := 2 * np
	sums := g.Scratch(len(pairs) * plane)
	defer g.Free(sums)
	kernel.Parallel(len(pairs), grain(nc*plane), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			sum := sums[i*plane:][:plane]
			clear(sum)
			for c := range nc {
				kernel.MulAdd(sum, gy[(i*nc+c)*plane:][:plane], f[(pairs[i].sample*nc+c)*plane:][:plane])
			}
		}
	})
	total := make([]float64, len(gm))
	for i, p := range pairs {
		row := total[p.expert*np:][:np]
		for k := range row {
			row[k] += float64(sums[i*plane+2*k]) + float64(sums[i*plane+2*k+1])
		}
	}
	for i, v := range total {
		gm[i] += float32(v)
	}
}

// grain is the number of rows of n floats that are worth another core.
func grain(n int) int { return max(1, 1<<15/max(n, 1)) }
