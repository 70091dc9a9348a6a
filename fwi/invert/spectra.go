package invert

import (
	"context"
	"math"
	"math/cmplx"

	"github.com/spamoe/spamoe/fwi/wave"
	"github.com/spamoe/spamoe/internal/kernel"
)

// spectra are what curvature needs to know of a band of frequencies k / length per time step, k from 1 to nf: length is twice a recording, so
// that products of spectra are convolutions that do not wrap around.
type spectra struct {
	length, nf int
	every      int       // steps between the samples of a field
	step       int       // steps between the rows of a derivative
	forth      []float32 // 2 nf x samples: real and imaginary part of the transform of a field
	back       []float32 // rows x 2 nf: the inverse
	pulse      []float64 // wavelet whose spectrum has the whole band
}

const (
	bandFloor = 5e-3 // what counts of the spectrum of filtered wavelet, as a fraction of its largest
	aliased   = 1e-3 // what of a spectrum may fold into the band
)

// newSpectra returns those for recordings of the wavelet, steps samples long, that pass through a filter.
func newSpectra(wavelet []float64, filter lowPass, steps int) *spectra {
	s := &spectra{length: 2 * steps}
	plain, filtered := make([]float64, steps), make([]float64, steps)
	most, mostFiltered := 0.0, 0.0
	for k := 1; k < steps; k++ {
		plain[k] = cmplx.Abs(s.transform(wavelet, k))
		filtered[k] = plain[k] * cmplx.Abs(filter.response(s.angle(k)))
		most, mostFiltered = max(most, plain[k]), max(mostFiltered, filtered[k])
	}
	highest := 0
	for k := 1; k < steps; k++ {
		if filtered[k] >= bandFloor*mostFiltered {
			s.nf = k
		}
		if plain[k] >= aliased*most {
			highest = k
		}
	}
	s.nf = max(s.nf, 1)
	edge := float64(s.nf) / float64(s.length)
	// The pulse is a Gaussian with exp(-1/2) of its spectrum at the edge of the band, and less than aliased at gaussianEnd times that.
	width := 1 / (2 * math.Pi * edge)
	s.pulse = make([]float64, 2*int(math.Ceil(4*width))+1)
	for i := range s.pulse {
		d := (float64(i) - float64(len(s.pulse)/2)) / width
		s.pulse[i] = math.Exp(-d * d / 2)
	}
	const gaussianEnd = 3.8
	s.every = max(1, int(1/(edge+max(gaussianEnd*edge, float64(highest)/float64(s.length)))))
	s.step = max(1, s.length/(2*(s.nf+1)))
	samples, rows := steps/s.every, (steps+s.step-1)/s.step
	s.forth, s.back = make([]float32, 2*s.nf*samples), make([]float32, rows*2*s.nf)
	for k := range s.nf {
		for i := range samples {
			t := (i+1)*s.every - 1
			sin, cos := math.Sincos(s.angle(k+1) * float64(t))
			s.forth[k*samples+i], s.forth[(s.nf+k)*samples+i] = float32(cos*float64(s.every)), float32(-sin*float64(s.every))
		}
		for r := range rows {
			sin, cos := math.Sincos(s.angle(k+1) * float64(r*s.step))
			scale := 2 / float64(s.length) * math.Sqrt(float64(s.step)) // a row stands for step samples
			s.back[r*2*s.nf+k], s.back[r*2*s.nf+s.nf+k] = float32(cos*scale), float32(-sin*scale)
		}
	}
	return s
}

// angle is the phase that frequency k gains in a time step.
func (s *spectra) angle(k int) float64 { return 2 * math.Pi * float64(k) / float64(s.length) }

// rows returns how many rows the derivative of a trace has.
func (s *spectra) rows() int { return len(s.back) / (2 * s.nf) }

// transform returns the spectrum of x at frequency k.
func (s *spectra) transform(x []float64, k int) (sum complex128) {
	for t, v := range x {
		sin, cos := math.Sincos(s.angle(k) * float64(t))
		sum += complex(v*cos, -v*sin)
	}
	return sum
}

// fields returns the spectra of the fields of some shots of a solver, in the model and a margin of cells around it, each 2 nf x cells:
// real parts, then imaginary parts, times factor(k).
func (s *spectra) fields(ctx context.Context, solver *wave.Solver[float32], vel []float32, margin int, shots []int, factor func(k int) complex128) ([][]float32, error) {
	all := make([][]float32, len(shots))
	failed := make([]error, len(shots))
	samples := len(s.forth) / (2 * s.nf)
	kernel.Parallel(len(shots), 1, func(lo, hi int) {
		var field []float32
		for i := lo; i < hi; i++ {
			field = field[:0]
			failed[i] = solver.Fields(ctx, vel, shots[i], s.every, margin, func(_ int, now []float32) error {
				if field == nil {
					field = make([]float32, 0, samples*len(now))
				}
				field = append(field, now...)
				return nil
			})
			if failed[i] != nil {
				return
			}
			cells := len(field) / samples
			all[i] = make([]float32, 2*s.nf*cells)
			kernel.Gemm(false, false, 2*s.nf, cells, samples, s.forth, samples, field, cells, all[i], cells, false)
			for k := range s.nf {
				z := complex64(factor(k + 1))
				re, im := all[i][k*cells:][:cells], all[i][(s.nf+k)*cells:][:cells]
				for c, a := range re {
					re[c], im[c] = a*real(z)-im[c]*imag(z), a*imag(z)+im[c]*real(z)
				}
			}
		}
	})
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
