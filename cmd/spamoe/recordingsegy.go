package main

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/spamoe/spamoe/fwi/segy"
	"github.com/spamoe/spamoe/fwi/wave"
)

// openSEGY opens one survey along a line. Sources and receivers move to the nearest cells; shots with fewer traces than others get
// dead ones; and where the sampling interval is too long for a stable simulation, traces and wavelet are interpolated.
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
		cells := math.Round(survey.Length/v.dx) + 1
		if !(cells <= math.MaxInt32) {
			return nil, fmt.Errorf("%s: the line is %.4g m long, %.4g cells of %v m; wanted at most %d (-dx)", v.in, survey.Length, cells, v.dx, math.MaxInt32)
		}
		nx = int(cells)
	}
	// A place that is far off has a row and column that no integer holds.
	cell := func(what string, record int, x, depth float64) (wave.Point, error) {
		row, col := float64(v.row)+math.Round(depth/v.dx), math.Round(x/v.dx)
		if !(row >= 0 && row < float64(v.depth) && col >= 0 && col < float64(nx)) {
			return wave.Point{}, fmt.Errorf("%s: %s of record %d, %.4g m along the line and %.4g m deep, lies at row %v, column %v; wanted a cell of the %d x %d map (-depth, -width, -dx, -row)",
				v.in, what, record, x, depth, row, col, v.depth, nx)
		}
		return wave.Point{Row: int(row), Col: int(col)}, nil
	}
	nr := 0
	for _, s := range survey.Shots {
		nr = max(nr, len(s.Traces))
	}
	if v.model != "" {
		for _, s := range survey.Shots {
			if len(s.Traces) != nr {
				return nil, fmt.Errorf("%s: record %d has %d traces and another %d; with -model, wanted as many in all records", v.in, s.Record, len(s.Traces), nr)
			}
		}
	}
	finer, err := v.finer(f)
	if err != nil {
		return nil, err
	}
	rec := &recording{n: 1, nz: v.depth, nx: nx, finer: finer, close: f.Close}
	rec.survey = wave.Config{Dt: f.Interval / float64(finer), Samples: f.Samples * finer}
	for _, s := range survey.Shots {
		source, err := cell("the source", s.Record, s.X, s.Depth)
		if err != nil {
			return nil, err
		}
		rec.survey.Sources = append(rec.survey.Sources, source)
		line := make([]wave.Point, nr)
		for i := range line {
			t := s.Traces[min(i, len(s.Traces)-1)]
			if line[i], err = cell("a receiver", s.Record, t.X, t.Depth); err != nil {
				return nil, err
			}
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

// maxSteps is how many time steps a shot may have.
const maxSteps = 1 << 24

// finer returns how many time steps of the simulation make a sample. 0.55 cells per step are stable with the damping of usual
// strips, with some reserve for bounds that are exceeded on the way.
func (v *inversion) finer(f *segy.File) (int, error) {
	bounds, err := numbers("-bounds", v.bounds)
	if err != nil {
		return 0, err
	}
	fastest := bounds[len(bounds)-1]
	steps := max(1, math.Ceil(f.Interval*1.1*fastest/(0.55*v.dx)))
	if all := steps * float64(f.Samples); !(all <= maxSteps) {
		return 0, fmt.Errorf("%s: %d samples %v s apart are %.4g time steps for velocities to %v m/s in cells of %v m; wanted at most %d (-bounds, -dx)",
			v.in, f.Samples, f.Interval, all, fastest, v.dx, maxSteps)
	}
	return int(steps), nil
}

// interpolate returns a trace with times as many samples, by zeros above its Nyquist frequency. It is continued by zeros, so that
// its end does not show at its beginning.
func interpolate[T wave.Float](trace []T, times int) []T {
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
	out := make([]T, len(trace)*times)
	for i := range out {
		out[i] = T(fine[i])
	}
	return out
}
