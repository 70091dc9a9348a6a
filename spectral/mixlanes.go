package spectral

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// byLanes says that mixRows multiplies lane by lane, a mode of the weight to a lane: where the CPU has the kernels for it, the weight is
// used where it lies, read once, and its gradient written once.
var byLanes = kernel.FastLanes()

// mixLanes is mixRows by way of spectra whose modes come last, in the weight's order:
//
//	Y[b, o, k] = sum over i of X[b, i, k] W[i, o, k],   gX = gY conj(W),   gW = conj(X) gY.
func mixLanes(order, rows []int, x, w *autograd.Value) *autograd.Value {
	nb, ni, no := x.Shape[2], x.Shape[3], w.Shape[1]
	l := lanes{nb: nb, modes: w.Len() / (2 * ni * no), order: order, rows: rows}
	weight := kernel.Lanes[float32]{Data: w.Data, Row: no * 2 * l.modes, Col: 2 * l.modes}
	t := x.Tape()
	// The spectrum of x serves the gradient of the weight too.
	var xl []float32
	if w.NeedsGrad() {
		xl = t.Scratch(l.size(ni))
	} else {
		xl = spectra.Get(l.size(ni))
		defer spectra.Put(xl)
	}
	l.load(xl, x.Data, ni)
	yl := spectra.Get(l.size(no))
	defer spectra.Put(yl)
	kernel.MulLanes(l.byBatch(yl), l.byBatch(xl), weight, nb, no, ni, l.modes, false)
	out := t.Alloc(x.Shape[0], 2, nb, no)
	l.store(out.Data, yl, no, false)
	return autograd.Record("SpectralConv.mix", out, []*autograd.Value{x, w}, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		gl := spectra.Get(l.size(no))
		defer spectra.Put(gl)
		l.load(gl, gy, no)
		if x.NeedsGrad() {
			dl := spectra.Get(l.size(ni))
			turned := kernel.Lanes[float32]{Data: w.Data, Row: weight.Col, Col: weight.Row, Conj: true}
			kernel.MulLanes(l.byBatch(dl), l.byBatch(gl), turned, nb, ni, no, l.modes, false)
			gx, acc := g.Buffer(x)
			l.store(gx, dl, ni, acc)
			spectra.Put(dl)
		}
		if w.NeedsGrad() {
			gw, acc := g.Buffer(w)
			xs := l.byBatch(xl)
			xs.Row, xs.Col, xs.Conj = xs.Col, xs.Row, true
			kernel.MulLanes(kernel.Lanes[float32]{Data: gw, Row: weight.Row, Col: weight.Col}, xs, l.byBatch(gl), ni, no, nb, l.modes, acc)
		}
	}))
}

// lanes turns spectra into channels x batch x modes, the modes of the weight, of which those that do not take part are zero.
type lanes struct {
	nb, modes   int
	order, rows []int
}

// row is how many elements the modes of a channel take: whole cache lines.
func (l *lanes) row() int { return (2*l.modes + 15) &^ 15 }

func (l *lanes) size(nc int) int { return nc * l.nb * l.row() }

// byBatch is the array as a matrix of batch x channels.
func (l *lanes) byBatch(data []float32) kernel.Lanes[float32] {
	return kernel.Lanes[float32]{Data: data, Row: l.row(), Col: l.nb * l.row()}
}

// laneChannels is how many channels a task turns: two cache lines of each row.
const laneChannels = 32

// each calls f for every sample and block of channels, c0 and nc of them, with scratch of 2 modes x laneChannels.
func (l *lanes) each(channels int, f func(b, c0, nc int, buf []float32)) {
	count := blocks(channels, laneChannels)
	kernel.Parallel(l.nb*count, 1, func(lo, hi int) {
		buf := turns.Get(2 * l.modes * laneChannels)
		defer turns.Put(buf)
		for t := lo; t < hi; t++ {
			c0 := t / l.nb * laneChannels
			f(t%l.nb, c0, min(laneChannels, channels-c0), buf)
		}
	})
}

// load turns the spectrum x.
func (l *lanes) load(dst, x []float32, channels int) {
	l.each(channels, func(b, c0, nc int, buf []float32) {
		if len(l.order) < l.modes {
			clear(buf)
		}
		for i, place := range l.order {
			for part := range 2 {
				copy(buf[(2*l.rows[i]+part)*nc:][:nc], x[((2*place+part)*l.nb+b)*channels+c0:])
			}
		}
		kernel.TransposeBlock(dst[(c0*l.nb+b)*l.row():], l.nb*l.row(), buf, nc, 2*l.modes, nc)
	})
}

// store turns back, to the spectrum y, or adds to it if acc.
func (l *lanes) store(y, src []float32, channels int, acc bool) {
	l.each(channels, func(b, c0, nc int, buf []float32) {
		kernel.TransposeBlock(buf, nc, src[(c0*l.nb+b)*l.row():], l.nb*l.row(), nc, 2*l.modes)
		for i, place := range l.order {
			for part := range 2 {
				from, to := buf[(2*l.rows[i]+part)*nc:][:nc], y[((2*place+part)*l.nb+b)*channels+c0:][:nc]
				if acc {
					kernel.Add(to, to, from)
				} else {
					copy(to, from)
				}
			}
		}
	})
}
