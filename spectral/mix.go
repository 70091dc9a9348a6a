package spectral

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// mix multiplies the channels of every mode of a spectrum by a complex matrix, Y[o] = sum over i of X[i] W[i, o]. w is ni x no x
// k1 .. kd x 2, the kept modes, or ni x no x 2, the same matrix for all modes.
func mix(order []int, x, w *autograd.Value) *autograd.Value {
	rows := make([]int, w.Len()/(2*w.Shape[0]*w.Shape[1]))
	for i := range rows {
		rows[i] = i
	}
	return mixRows(order, rows, x, w)
}

// mixRows is mix by a part of a weight, ni x no x m1 .. md x 2: rows says which modes take part.
//
// A mode's batch is a real matrix of 2 nb rows, first all real parts, then all imaginary ones. With X' = iX in the same layout,
//
//	Y = [X X'] [Re W; Im W]
//
// is one real product per mode. Its gradients are [Re gW; Im gW] = [X X']' gY, and gX = A - iB in that layout with
// [A B] = gY [Re W; Im W]'.
func mixRows(order, rows []int, x, w *autograd.Value) *autograd.Value {
	m := mixer{nb: x.Shape[2], ni: x.Shape[3], no: w.Shape[1], order: order, rows: rows}
	m.stored = w.Len() / (2 * m.ni * m.no)
	t := x.Tape()
	// The repacked weight is kept for the gradient of x, and otherwise given back at once.
	size := len(rows) * 2 * m.ni * m.no
	var packed []float32
	if x.NeedsGrad() {
		packed = t.Scratch(size)
	} else {
		packed = packs.get(size)
		defer packs.put(packed)
	}
	m.pack(packed, w.Data)
	out := t.Alloc(x.Shape[0], 2, m.nb, m.no)
	m.forward(out.Data, x.Data, packed)
	return autograd.Record("SpectralConv.mix", out, []*autograd.Value{x, w}, func(g *autograd.Grads, gy []float32) {
		if x.NeedsGrad() {
			gx, acc := g.Buffer(x)
			m.inputGrad(gx, gy, packed, acc)
		}
		if w.NeedsGrad() {
			gp := packs.get(size)
			m.weightGrad(gp, x.Data, gy)
			gw, acc := g.Buffer(w)
			m.unpack(gw, gp, acc)
			packs.put(gp)
		}
	})
}

type mixer struct {
	nb, ni, no int
	order      []int // the mode of the spectrum of each matrix; with one matrix for all, all of them
	rows       []int // the mode of the weight of each matrix
	stored     int   // modes of the weight
}

// pack reorders a weight, ni x no x modes x 2, into one matrix of 2 ni x no per kept mode, real parts above imaginary ones. One input
// channel at a time is transposed in the cache, from where long pieces go to their places.
func (m *mixer) pack(dst, w []float32) {
	size := 2 * m.stored * m.no
	kernel.Parallel(m.ni, 1, func(lo, hi int) {
		tile := tiles.get(size)
		defer tiles.put(tile)
		for i := lo; i < hi; i++ {
			kernel.Transpose(tile, w[i*size:][:size], 1, m.no, 2*m.stored)
			for k, r := range m.rows {
				d := dst[(2*k*m.ni+i)*m.no:]
				copy(d[:m.no], tile[2*r*m.no:])
				copy(d[m.ni*m.no:][:m.no], tile[(2*r+1)*m.no:])
			}
		}
	})
}

// unpack is the reverse of pack, or adds; modes that are not kept get zeros.
func (m *mixer) unpack(gw, gp []float32, acc bool) {
	size := 2 * m.stored * m.no
	kernel.Parallel(m.ni, 1, func(lo, hi int) {
		tile := tiles.get(2 * size)
		defer tiles.put(tile)
		tile, turned := tile[:size], tile[size:]
		if len(m.rows) < m.stored {
			clear(tile)
		}
		for i := lo; i < hi; i++ {
			for k, r := range m.rows {
				s := gp[(2*k*m.ni+i)*m.no:]
				copy(tile[2*r*m.no:], s[:m.no])
				copy(tile[(2*r+1)*m.no:], s[m.ni*m.no:][:m.no])
			}
			if acc {
				kernel.Transpose(turned, tile, 1, 2*m.stored, m.no)
				kernel.Add(gw[i*size:][:size], gw[i*size:][:size], turned)
			} else {
				kernel.Transpose(gw[i*size:][:size], tile, 1, 2*m.stored, m.no)
			}
		}
	})
}

// each calls f for every mode in parallel: i numbers the matrix, s the place in the spectrum. work holds 4 nb ni elements.
func (m *mixer) each(f func(i, s int, work []float32)) {
	n := 4 * m.nb * max(m.ni, m.no)
	kernel.Parallel(len(m.order), 1, func(lo, hi int) {
		work := halves.get(n)
		defer halves.put(work)
		for k := lo; k < hi; k++ {
			f(min(k, len(m.rows)-1), m.order[k], work)
		}
	})
}

func (m *mixer) forward(y, x, w []float32) {
	rows, size := 2*m.nb, 2*m.ni*m.no
	m.each(func(i, s int, work []float32) {
		double(work, x[s*rows*m.ni:][:rows*m.ni], m.nb, m.ni)
		kernel.Gemm(false, false, rows, m.no, 2*m.ni, work, 2*m.ni, w[i*size:][:size], m.no, y[s*rows*m.no:][:rows*m.no], m.no, false)
	})
}

func (m *mixer) inputGrad(gx, gy, w []float32, acc bool) {
	rows, size := 2*m.nb, 2*m.ni*m.no
	m.each(func(i, s int, work []float32) {
		kernel.Gemm(false, true, rows, 2*m.ni, m.no, gy[s*rows*m.no:][:rows*m.no], m.no, w[i*size:][:size], m.no, work, 2*m.ni, false)
		halve(gx[s*rows*m.ni:][:rows*m.ni], work, m.nb, m.ni, acc)
	})
}

// weightGrad writes the gradient in the packed order.
func (m *mixer) weightGrad(gw, x, gy []float32) {
	rows, size := 2*m.nb, 2*m.ni*m.no
	if len(m.rows) == 1 && len(m.order) > 1 {
		// One matrix for all modes: a sum over them, in their order.
		work := halves.get(4 * m.nb * m.ni)
		defer halves.put(work)
		for k, s := range m.order {
			double(work, x[s*rows*m.ni:][:rows*m.ni], m.nb, m.ni)
			kernel.Gemm(true, false, 2*m.ni, m.no, rows, work, 2*m.ni, gy[s*rows*m.no:][:rows*m.no], m.no, gw, m.no, k > 0)
		}
		return
	}
	m.each(func(i, s int, work []float32) {
		double(work, x[s*rows*m.ni:][:rows*m.ni], m.nb, m.ni)
		kernel.Gemm(true, false, 2*m.ni, m.no, rows, work, 2*m.ni, gy[s*rows*m.no:][:rows*m.no], m.no, gw[i*size:][:size], m.no, false)
	})
}

// double writes [X X'] to dst, 2 nb rows of 2 n elements, for X of 2 nb rows of n: rows of real parts get minus the imaginary ones
// as their second half, rows of imaginary parts the real ones.
func double(dst, x []float32, nb, n int) {
	for b := range nb {
		re, im := x[b*n:][:n], x[(nb+b)*n:][:n]
		copy(dst[2*b*n:], re)
		copy(dst[2*(nb+b)*n:], im)
		copy(dst[(2*(nb+b)+1)*n:], re)
		d := dst[(2*b+1)*n:][:n]
		for i, v := range im {
			d[i] = -v
		}
	}
}

// halve is the adjoint of double.
func halve(gx, g []float32, nb, n int, acc bool) {
	for b := range nb {
		re, im := gx[b*n:][:n], gx[(nb+b)*n:][:n]
		a0, b0 := g[2*b*n:][:n], g[(2*b+1)*n:][:n]
		a1, b1 := g[2*(nb+b)*n:][:n], g[(2*(nb+b)+1)*n:][:n]
		if acc {
			for i := range re {
				re[i] += a0[i] + b1[i]
				im[i] += a1[i] - b0[i]
			}
			continue
		}
		for i := range re {
			re[i] = a0[i] + b1[i]
			im[i] = a1[i] - b0[i]
		}
	}
}
