package spectral

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// gate multiplies every channel and mode of a spectrum by a complex number, Y[c] = X[c] W[c]. w is nc x m1 .. md x 2, of which rows
// says which modes take part.
func gate(order, rows []int, x, w *autograd.Value) *autograd.Value {
	nb, nc := x.Shape[2], x.Shape[3]
	t := x.Tape()
	packed := t.Scratch(w.Len())
	kernel.Transpose(packed, w.Data, 1, nc, w.Len()/nc)
	out := t.Alloc(x.Shape...)
	// each calls f with the real and imaginary parts of the weights of every mode and the place of its first rows.
	each := func(f func(wr, wi []float32, row, re, im int)) {
		kernel.Parallel(len(order), 1, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				for b := range nb {
					re := (2*order[i]*nb + b) * nc
					f(packed[2*rows[i]*nc:][:nc], packed[(2*rows[i]+1)*nc:][:nc], rows[i], re, re+nb*nc)
				}
			}
		})
	}
	each(func(wr, wi []float32, _, re, im int) {
		xr, xi, yr, yi := x.Data[re:][:nc], x.Data[im:][:nc], out.Data[re:][:nc], out.Data[im:][:nc]
		for c := range wr {
			yr[c], yi[c] = xr[c]*wr[c]-xi[c]*wi[c], xr[c]*wi[c]+xi[c]*wr[c]
		}
	})
	return autograd.Record("SpectralConv.gate", out, []*autograd.Value{x, w}, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		if x.NeedsGrad() {
			gx := g.Zeroed(x)
			each(func(wr, wi []float32, _, re, im int) {
				gr, gi, xr, xi := gy[re:][:nc], gy[im:][:nc], gx[re:][:nc], gx[im:][:nc]
				for c := range wr {
					xr[c] += gr[c]*wr[c] + gi[c]*wi[c]
					xi[c] += gi[c]*wr[c] - gr[c]*wi[c]
				}
			})
		}
		if w.NeedsGrad() {
			gp, d := g.Scratch(w.Len()), g.Scratch(w.Len())
			clear(gp)
			each(func(_, _ []float32, row, re, im int) {
				gr, gi, xr, xi := gy[re:][:nc], gy[im:][:nc], x.Data[re:][:nc], x.Data[im:][:nc]
				pr, pi := gp[2*row*nc:][:nc], gp[(2*row+1)*nc:][:nc]
				for c := range pr {
					pr[c] += xr[c]*gr[c] + xi[c]*gi[c]
					pi[c] += xr[c]*gi[c] - xi[c]*gr[c]
				}
			})
			kernel.Transpose(d, gp, 1, w.Len()/nc, nc)
			g.Give(w, d)
			g.Free(gp)
			g.Free(d)
		}
	}))
}
