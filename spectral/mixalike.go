package spectral

import (
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// mixAlike multiplies the channels of every mode of a spectrum by the same complex matrix w, ni x no x 2: two real products, of all
// rows with Re W and with Im W.
func mixAlike(x, w *autograd.Value) *autograd.Value {
	modes, nb, ni, no := x.Shape[0], x.Shape[2], x.Shape[3], w.Shape[1]
	rows := modes * 2 * nb
	t := x.Tape()
	parts := t.Scratch(w.Len()) // Re W, then Im W
	kernel.Transpose(parts, w.Data, 1, ni*no, 2)
	re, im := parts[:ni*no], parts[ni*no:]
	out := t.Alloc(modes, 2, nb, no)
	kernel.Gemm(false, false, rows, no, ni, x.Data, ni, re, no, out.Data, no, false)
	turned := spectra.Get(rows * no)
	defer spectra.Put(turned)
	kernel.Gemm(false, false, rows, no, ni, x.Data, ni, im, no, turned, no, false)
	addTurned(out.Data, turned, nb*no, 1)
	return autograd.Record("SpectralConv.mixAlike", out, []*autograd.Value{x, w}, mixingAlike{x, w, parts})
}

type mixingAlike struct {
	x, w  *autograd.Value
	parts []float32
}

func (o *mixingAlike) Backward(g *autograd.Grads, gy []float32) {
	x, w := o.x, o.w
	nb, ni, no := x.Shape[2], x.Shape[3], w.Shape[1]
	rows := len(x.Data) / ni
	re, im := o.parts[:ni*no], o.parts[ni*no:]
	back := g.Scratch(len(gy)) // -i gY: the adjoint of multiplying by i
	clear(back)
	addTurned(back, gy, nb*no, -1)
	if x.NeedsGrad() {
		gx, acc := g.Buffer(x)
		kernel.Gemm(false, true, rows, ni, no, gy, no, re, no, gx, ni, acc)
		kernel.Gemm(false, true, rows, ni, no, back, no, im, no, gx, ni, true)
	}
	if w.NeedsGrad() {
		gp, gw := g.Scratch(w.Len()), g.Scratch(w.Len())
		kernel.Gemm(true, false, ni, no, rows, x.Data, ni, gy, no, gp[:ni*no], no, false)
		kernel.Gemm(true, false, ni, no, rows, x.Data, ni, back, no, gp[ni*no:], no, false)
		kernel.Transpose(gw, gp, 1, 2, ni*no)
		g.Give(w, gw)
		g.Free(gp)
		g.Free(gw)
	}
	g.Free(back)
}

// addTurned adds i x, or with sign -1 minus that, to y: spectra of n real, then n imaginary numbers per mode.
func addTurned(y, x []float32, n int, sign float32) {
	if n == 0 {
		return
	}
	for pair := range slices.Chunk(x, 2*n) {
		kernel.Axpy(y[:n], -sign, pair[n:])
		kernel.Axpy(y[n:2*n], sign, pair[:n])
		y = y[2*n:]
	}
}
