package invert

import (
	"math"
	"math/cmplx"
)

// lowPass is a causal Butterworth filter as a cascade of sections of second order,
//
//	y[t] = b0 x[t] + b1 x[t-1] + b2 x[t-2] - a1 y[t-1] - a2 y[t-2],
//
// which acts on the columns of a gather. Data and simulation pass through the same filter, so that its phase does not matter, and
// since the scheme is linear in its wavelet, filtering a simulation is simulating with a filtered wavelet. A nil lowPass is the
// identity.
type lowPass []section

type section struct{ b0, b1, b2, a1, a2 float64 }

// sections sets the slope of the filter: 12 dB per octave for each of them.
const sections = 3

// newLowPass returns the filter with its corner, where it takes 3 dB, at freq hertz for samples dt seconds apart. It is the
// bilinear transform of the analogue filter. A corner of zero, or beyond 0.9 of the Nyquist frequency, gives the identity.
func newLowPass(freq, dt float64) lowPass {
	if freq <= 0 || freq*dt >= 0.45 {
		return nil
	}
	k := math.Tan(math.Pi * freq * dt)
	f := make(lowPass, sections)
	for i := range f {
		q := 2 * math.Cos(math.Pi*float64(2*i+1)/(4*sections))
		norm := 1 / (1 + q*k + k*k)
		f[i] = section{b0: k * k * norm, b1: 2 * k * k * norm, b2: k * k * norm, a1: 2 * (k*k - 1) * norm, a2: (1 - q*k + k*k) * norm}
	}
	return f
}

// apply filters the nr columns of x, rows of nr values in time order, in place.
func (f lowPass) apply(x []float64, nr int) { f.run(x, nr, false) }

// adjoint applies the transpose of apply: the same filter, backwards in time.
func (f lowPass) adjoint(x []float64, nr int) { f.run(x, nr, true) }

func (f lowPass) run(x []float64, nr int, backwards bool) {
	if len(f) == 0 {
		return
	}
	n := len(x) / nr
	state := make([]float64, 2*nr)
	for _, s := range f {
		clear(state)
		z1, z2 := state[:nr], state[nr:]
		for t := range n {
			if backwards {
				t = n - 1 - t
			}
			row := x[t*nr:][:nr]
			for i, in := range row {
				out := s.b0*in + z1[i]
				z1[i] = s.b1*in - s.a1*out + z2[i]
				z2[i] = s.b2*in - s.a2*out
				row[i] = out
			}
		}
	}
}

// response returns what the filter does to a wave whose phase gains angle in a sample.
func (f lowPass) response(angle float64) complex128 {
	back := cmplx.Exp(complex(0, -angle))
	r := complex(1, 0)
	for _, s := range f {
		r *= (complex(s.b0, 0) + back*(complex(s.b1, 0)+back*complex(s.b2, 0))) / (1 + back*(complex(s.a1, 0)+back*complex(s.a2, 0)))
	}
	return r
}
