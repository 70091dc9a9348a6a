package invert

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// hilbert is the Hilbert transform of traces of nt samples: a quarter of a period of every frequency,
//
//	(H d)^(f) = -i sign(f) d^(f),
//
// of the trace continued by zeros to twice its length and cut off again. As a matrix it is antisymmetric.
type hilbert struct{ nt, n int }

func newHilbert(nt int) *hilbert { return &hilbert{nt, 2 * nt} }

// transform stores the transforms of the nr columns of x in dst, both nt x nr; they may be the same.
func (h *hilbert) transform(dst, x []float64, nr int) {
	fft := fourier.NewFFT(h.n)
	trace, coefficients := make([]float64, h.n), make([]complex128, h.n/2+1)
	for r := range nr {
		clear(trace)
		for t := range h.nt {
			trace[t] = x[t*nr+r] / float64(h.n)
		}
		fft.Coefficients(coefficients, trace)
		for k, v := range coefficients {
			coefficients[k] = complex(imag(v), -real(v))
		}
		coefficients[0], coefficients[h.n/2] = 0, 0
		fft.Sequence(trace, coefficients)
		for t := range h.nt {
			dst[t*nr+r] = trace[t]
		}
	}
}

// envelope replaces d by its envelope, and stores the Hilbert transform in h unless that is nil.
func (c *comparison) envelope(d, h []float64) {
	if h == nil {
		h = make([]float64, len(d))
	}
	c.hilbert.transform(h, d, c.nr)
	for i, v := range d {
		d[i] = math.Sqrt(v*v + h[i]*h[i] + c.soft*c.soft)
	}
}

// compareEnvelopes returns half the squared difference of the envelope e of d and o, which is an envelope, and replaces d by its
// derivative over total: with r = e - o
//
//	(r/e) d + H'((r/e) H d),  H' = -H.
func (c *comparison) compareEnvelopes(d, o []float64, live []bool) float64 {
	e, h := append([]float64(nil), d...), make([]float64, len(d))
	c.envelope(e, h)
	value := 0.0
	for i := range d {
		ratio := 0.0
		if live[i%c.nr] {
			r := e[i] - o[i]
			value += r * r / 2
			ratio = r / e[i] / c.total
		}
		d[i] *= ratio
		h[i] *= ratio
	}
	c.hilbert.transform(h, h, c.nr)
	for i, v := range h {
		d[i] -= v
	}
	return value
}
