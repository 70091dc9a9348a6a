package spectral

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// gate multiplies every channel and mode of a spectrum by a complex number, Y[c] = X[c] W[c]. w is nc x m1 .. md x 2, of which rows
// says which modes take part.
func gate(order, rows []int, x, w *autograd.Value) *autograd.Value {
	t := x.Tape()
	s := gates{order: order, rows: rows, nb: x.Shape[2], nc: x.Shape[3], packed: t.Scratch(w.Len())}
	kernel.Transpose(s.packed, w.Data, 1, s.nc, w.Len()/s.nc)
	out := t.Alloc(x.Shape...)
	kernel.ParallelWith(len(order), 1, gateForward{s, out.Data, x.Data})
	return autograd.Record("SpectralConv.gate", out, []*autograd.Value{x, w}, gating{s, x, w})
}

// gates has the weights of all modes in the order of a spectrum: packed is m1 .. md x 2 x nc.
type gates struct {
	order, rows []int
	nb, nc      int
	packed      []float32
}

// of returns the weights of mode i, real and imaginary parts, in packed or in a gradient of its layout.
func (s *gates) of(packed []float32, i int) (re, im []float32) {
	at := 2 * s.rows[i] * s.nc
	return packed[at:][:s.nc], packed[at+s.nc:][:s.nc]
}

// row returns the row of sample b and mode i of a spectrum, real and imaginary parts.
func (s *gates) row(x []float32, i, b int) (re, im []float32) {
	at := (2*s.order[i]*s.nb + b) * s.nc
	return x[at:][:s.nc], x[at+s.nb*s.nc:][:s.nc]
}

type gateForward struct {
	gates
	y, x []float32
}

// Chunk does the modes lo to hi.
func (s *gateForward) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		wr, wi := s.of(s.packed, i)
		for b := range s.nb {
			xr, xi := s.row(s.x, i, b)
			yr, yi := s.row(s.y, i, b)
			for c := range wr {
				yr[c], yi[c] = xr[c]*wr[c]-xi[c]*wi[c], xr[c]*wi[c]+xi[c]*wr[c]
			}
		}
	}
}

type gating struct {
	gates
	x, w *autograd.Value
}

func (o *gating) Backward(g *autograd.Grads, gy []float32) {
	x, w := o.x, o.w
	if x.NeedsGrad() {
		kernel.ParallelWith(len(o.order), 1, gateInputGrad{o.gates, g.Zeroed(x), gy})
	}
	if w.NeedsGrad() {
		gp, d := g.Scratch(w.Len()), g.Scratch(w.Len())
		clear(gp)
		kernel.ParallelWith(len(o.order), 1, gateWeightGrad{o.gates, gp, x.Data, gy})
		kernel.Transpose(d, gp, 1, w.Len()/o.nc, o.nc)
		g.Give(w, d)
		g.Free(gp)
		g.Free(d)
	}
}

type gateInputGrad struct {
	gates
	gx, gy []float32
}

// Chunk does the modes lo to hi.
func (s *gateInputGrad) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		wr, wi := s.of(s.packed, i)
		for b := range s.nb {
			gr, gi := s.row(s.gy, i, b)
			xr, xi := s.row(s.gx, i, b)
			for c := range wr {
				xr[c] += gr[c]*wr[c] + gi[c]*wi[c]
				xi[c] += gi[c]*wr[c] - gr[c]*wi[c]
			}
		}
	}
}

type gateWeightGrad struct {
	gates
	gp, x, gy []float32
}

// Chunk does the modes lo to hi.
func (s *gateWeightGrad) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		pr, pi := s.of(s.gp, i)
		for b := range s.nb {
			gr, gi := s.row(s.gy, i, b)
			xr, xi := s.row(s.x, i, b)
			for c := range pr {
				pr[c] += xr[c]*gr[c] + xi[c]*gi[c]
				pi[c] += xr[c]*gi[c] - xi[c]*gr[c]
			}
		}
	}
}
