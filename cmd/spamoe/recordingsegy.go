package main

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/spamoe/spamoe/fwi/segy"
	"github.com/spamoe/spamoe/fwi/wave"
)

// openSEGY opens one survey along a line. Sources and receivers move to the nearest cells; shots with fewer traces than others get
// dead ones; and where the sampling interval is too long for a stable simulation, traces are interpolated.
func (v *inversion) openSEGY() (*recording, error) {
	f, err := segy.Open(v.in)
	if err != nil {
		return nil, err
	}
	rec, err := v.arrange(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return rec, nil
}

func (v *inversion) arrange(f *segy.File) (*recording, error) {
	survey, err := f.Survey()
	if err != nil {
		return nil, err
	}
	if survey.Delay != 0 {
		return nil, fmt.Errorf("%s: traces begin %v s after their shots; wanted 0", v.in, survey.Delay)
	}
	nx := v.width
	if nx == 0 {
		nx = int(math.Round(survey.Length/v.dx)) + 1
	}
	cell := func(x, depth float64) wave.Point {
		return wave.Point{Row: v.row + int(math.Round(depth/v.dx)), Col: int(math.Round(x / v.dx))}
	}
	nr := 0
	for _, s := range survey.Shots {
		nr = max(nr, len(s.Traces))
	}
	bounds, err := numbers("-bounds", v.bounds)
	if err != nil {
		return nil, err
	}
	// 0.55 cells per step are stable with the damping of usual strips, with some reserve for bounds that are exceeded on the way.
	finer := int(math.Ceil(f.Interval * 1.1 * bounds[len(bounds)-1] / (0.55 * v.dx)))
	rec := &recording{n: 1, nz: v.depth, nx: nx, close: f.Close}
	rec.survey = wave.Config{Dt: f.Interval / float64(finer), Samples: f.Samples * finer}
	for _, s := range survey.Shots {
		rec.survey.Sources = append(rec.survey.Sources, cell(s.X, s.Depth))
		line := make([]wave.Point, nr)
		for i := range line {
			t := s.Traces[min(i, len(s.Traces)-1)]
			line[i] = cell(t.X, t.Depth)
		}
		rec.survey.ShotReceivers = append(rec.survey.ShotReceivers, line)
	}
	nt := rec.survey.Samples
	rec.size = len(survey.Shots) * nt * nr
	rec.read = func(_ int, dst []float32) error {
		clear(dst)
		trace := make([]float32, f.Samples)
		for k, s := range survey.Shots {
			for r, t := range s.Traces {
				if _, err := f.Read(t.Trace, trace); err != nil {
					return err
				}
				if t.Dead {
					continue
				}
				for i, x := range interpolate(trace, finer) {
					dst[(k*nt+i)*nr+r] = x
				}
			}
		}
		return nil
	}
	return rec, nil
}

// interpolate returns a trace with times as many samples, by zeros above its Nyquist frequency. It is continued by zeros, so that
// its end does not show at its beginning.
func interpolate(trace []float32, times int) []float32 {
	if times == 1 {
		return trace
	}
	n := 2 * len(trace)
	x := make([]float64, n)
	for i, v := range trace {
		x[i] = float64(v) / float64(n)
	}
	low := fourier.NewFFT(n).Coefficients(nil, x)
	all := make([]complex128, n*times/2+1)
	copy(all, low[:n/2])
	fine := fourier.NewFFT(n*times).Sequence(nil, all)
	out := make([]float32, len(trace)*times)
	for i := range out {
		out[i] = float32(fine[i])
	}
	return out
}
