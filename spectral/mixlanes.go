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
	kernel.MulLanes(l.byBatch(yl), l.byBatch(xl), l.weight(w.Data, no), nb, no, ni, l.modes, false)
	out := t.Alloc(x.Shape[0], 2, nb, no)
	l.store(out.Data, yl, no, false)
	return autograd.Record("SpectralConv.mix", out, []*autograd.Value{x, w}, mixingLanes{l, x, w, xl})
}

type mixingLanes struct {
	lanes
	x, w *autograd.Value
	xl   []float32 // of x, where w needs a gradient
}

func (m *mixingLanes) Backward(g *autograd.Grads, gy []float32) {
	l, x, w := &m.lanes, m.x, m.w
	nb, ni, no := l.nb, w.Shape[0], w.Shape[1]
	weight := l.weight(w.Data, no)
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
		xs := l.byBatch(m.xl)
		xs.Row, xs.Col, xs.Conj = xs.Col, xs.Row, true
		kernel.MulLanes(l.weight(gw, no), xs, l.byBatch(gl), ni, no, nb, l.modes, acc)
	}
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

// weight is a weight, or its gradient, of no output channels as a matrix of input x output channels.
func (l *lanes) weight(data []float32, no int) kernel.Lanes[float32] {
	return kernel.Lanes[float32]{Data: data, Row: no * 2 * l.modes, Col: 2 * l.modes}
}

// laneChannels is how many channels a task turns: two cache lines of each row.
const laneChannels = 32

// tasks is how many of them there are.
func (l *lanes) tasks(channels int) int { return l.nb * blocks(channels, laneChannels) }

// task returns the sample and the block of channels, c0 and nc of them, of a task.
func (l *lanes) task(t, channels int) (b, c0, nc int) {
	c0 = t / l.nb * laneChannels
	return t % l.nb, c0, min(laneChannels, channels-c0)
}

// load turns the spectrum x.
func (l *lanes) load(dst, x []float32, channels int) {
	kernel.ParallelWith(l.tasks(channels), 1, laneLoads{*l, dst, x, channels})
}

type laneLoads struct {
	lanes
	dst, x   []float32
	channels int
}

// Chunk does the tasks lo to hi.
func (l *laneLoads) Chunk(lo, hi int) {
	buf := turns.Get(2 * l.modes * laneChannels)
	defer turns.Put(buf)
	for t := lo; t < hi; t++ {
		b, c0, nc := l.task(t, l.channels)
		if len(l.order) < l.modes {
			clear(buf)
		}
		for i, place := range l.order {
			for part := range 2 {
				copy(buf[(2*l.rows[i]+part)*nc:][:nc], l.x[((2*place+part)*l.nb+b)*l.channels+c0:])
			}
		}
		kernel.TransposeBlock(l.dst[(c0*l.nb+b)*l.row():], l.nb*l.row(), buf, nc, 2*l.modes, nc)
	}
}

// store turns back, to the spectrum y, or adds to it if acc.
func (l *lanes) store(y, src []float32, channels int, acc bool) {
	kernel.ParallelWith(l.tasks(channels), 1, laneStores{*l, y, src, channels, acc})
}

type laneStores struct {
	lanes
	y, src   []float32
	channels int
	acc      bool
}

// Chunk does the tasks lo to hi.
func (l *laneStores) Chunk(lo, hi int) {
	buf := turns.Get(2 * l.modes * laneChannels)
	defer turns.Put(buf)
	for t := lo; t < hi; t++ {
		b, c0, nc := l.task(t, l.channels)
		kernel.TransposeBlock(buf, nc, l.src[(c0*l.nb+b)*l.row():], l.nb*l.row(), nc, 2*l.modes)
		for i, place := range l.order {
			for part := range 2 {
				from, to := buf[(2*l.rows[i]+part)*nc:][:nc], l.y[((2*place+part)*l.nb+b)*l.channels+c0:][:nc]
				if l.acc {
					kernel.Add(to, to, from)
				} else {
					copy(to, from)
				}
			}
		}
	}
}
