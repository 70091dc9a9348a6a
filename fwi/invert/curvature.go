package invert

import (
	"context"
	"math"

	"github.com/spamoe/spamoe/fwi/wave"
)

// The curvature of the misfit without the second derivative of the simulation, J'J of Gauss and Newton, in full. A change dv of the velocity in a
// cell x acts as a source there. With the field p of a shot and g, the response at x to an impulse at the receiver, which by
// reciprocity is the response at the receiver to an impulse at x,
//
//	J(t) = 2/v^3 (d2p/dt2 * g)(t),
//
// a convolution in time, which is a product of spectra. One simulation per source and receiver therefore gives all of J (Shin, Yoon, Marfurt
// et al., Geophysics 66, 2001, have its diagonal; Pratt, Shin and Hicks, Geophys. J. Int. 133, 1998, the whole), and matrix products do the rest:
// one from spectra to the samples that were recorded, one from J to J'J.
//
// Cells may have common velocities: then J has a column for each of them, the sum of those of their cells.
//
// Cells of the absorbing strip have the velocity of the nearest cell of the model; those next to it count, with less and less weight.

const (
	curvatureMargin = 24       // cells of the strip that count, at most
	fullMargin      = 4        // of these, those that count in full
	jacobianBytes   = 64 << 20 // of rows of J, and of responses, at once
)

// each gives every cell a velocity of its own.
func each(cells int) []int {
	label := make([]int, cells)
	for i := range label {
		label[i] = i
	}
	return label
}

// curvature returns J'J of L2, n x n, with respect to n velocities, of which label says which cells have which.
func (all simulations) curvature(ctx context.Context, vel []float32, label []int, n int) ([]float32, error) {
	h := make([]float32, n*n)
	for i := range all {
		s := &all[i]
		if s.thin == nil {
			if err := s.curvature(ctx, h, vel, label, n); err != nil {
				return nil, err
			}
			continue
		}
		at := s.model(vel)
		part := make([]float32, len(at)*len(at))
		if err := s.curvature(ctx, part, at, each(len(at)), len(at)); err != nil {
			return nil, err
		}
		s.thin.congruence(h, part, vel, at, label, n)
	}
	return h, nil
}

// curvature stores J'J of one simulation in h, n x n.
func (s *simulation) curvature(ctx context.Context, h, vel []float32, label []int, n int) error {
	cfg := s.solver.Config()
	f := newSpectra(cfg.Wavelet, s.compare.filter, cfg.Steps)
	margin := min(curvatureMargin, cfg.Pad-1)
	nz, nx := s.nz, len(vel)/s.nz
	owner, weight := s.strip(vel, nz, nx, margin)
	for i, cell := range owner {
		owner[i] = label[cell]
	}
	cells := len(owner)
	scale := math.Sqrt(s.share/s.compare.total) / (cfg.Dt * cfg.Dt)
	shots := each(len(cfg.Sources))
	sources, err := f.fields(ctx, s.solver, vel, margin, shots, func(k int) complex128 {
		return complex((2*math.Cos(f.angle(k))-2)*scale, 0) * s.compare.filter.response(f.angle(k))
	})
	if err != nil {
		return err
	}
	for _, spectrum := range sources {
		for i := range spectrum {
			spectrum[i] *= weight[i%len(weight)]
		}
	}
	places, traces := s.receivers(cfg)
	impulses := cfg
	impulses.Wavelet, impulses.Sources, impulses.Receivers, impulses.ShotReceivers = f.pulse, places, nil, nil
	solver, err := wave.New[float32](impulses, nz, nx)
	if err != nil {
		return err
	}
	group := max(1, min(jacobianBytes/(4*f.rows()*n*len(shots)), jacobianBytes/(4*2*f.nf*cells), len(places)))
	j := &jacobian{spectra: f, n: n, cells: cells, spans: newSpans(owner), j: make([]float32, group*len(shots)*f.rows()*n)}
	for lo := 0; lo < len(places); lo += group {
		some := each(min(group, len(places)-lo))
		for i := range some {
			some[i] += lo
		}
		responses, err := f.fields(ctx, solver, vel, margin, some, func(k int) complex128 { return 1 / f.transform(f.pulse, k) })
		if err != nil {
			return err
		}
		j.used = 0
		for _, shot := range shots {
			for i, place := range some {
				for _, trace := range traces[shot][place] {
					if s.compare.live[shot][trace] {
						j.add(sources[shot], responses[i], s.compare.sampleWeights(shot, trace, f.step, f.rows()))
					}
				}
			}
		}
		j.square(h)
	}
	for i := range n {
		for k := range i {
			h[k*n+i] = h[i*n+k]
		}
	}
	return ctx.Err()
}

// strip returns, for the cells of a model with its margin, the cell of the model whose velocity they have, and 2/v^3 times the weight with
// which they count.
func (s *simulation) strip(vel []float32, nz, nx, margin int) (nearest []int, weight []float32) {
	width := nx + 2*margin
	nearest, weight = make([]int, (nz+2*margin)*width), make([]float32, (nz+2*margin)*width)
	for i := range nearest {
		row, col := i/width-margin, i%width-margin
		nearest[i] = min(max(row, 0), nz-1)*nx + min(max(col, 0), nx-1)
		v := float64(vel[nearest[i]])
		w := 2 / (v * v * v)
		if d := max(-row, row-nz+1, -col, col-nx+1) - fullMargin; d > 0 {
			c := math.Cos(math.Pi / 2 * float64(d) / float64(margin-fullMargin+1))
			w *= c * c
		}
		weight[i] = float32(w)
	}
	return nearest, weight
}

// receivers returns the places of receivers, each once, and for every shot and place the traces that were recorded there.
func (s *simulation) receivers(cfg wave.Config) (places []wave.Point, traces []map[int][]int) {
	index := map[wave.Point]int{}
	for shot := range cfg.Sources {
		list := cfg.Receivers
		if cfg.ShotReceivers != nil {
			list = cfg.ShotReceivers[shot]
		}
		of := map[int][]int{}
		for trace, p := range list {
			if _, known := index[p]; !known {
				index[p] = len(places)
				places = append(places, p)
			}
			of[index[p]] = append(of[index[p]], trace)
		}
		traces = append(traces, of)
	}
	return places, traces
}

// sampleWeights returns what the samples of a trace, step apart, are multiplied by.
func (c *comparison) sampleWeights(shot, trace, step, rows int) []float32 {
	w := make([]float32, rows)
	for i := range w {
		t := i * step
		w[i] = float32(c.taper[t])
		if c.gain != nil {
			w[i] *= float32(c.gain[shot][t*c.nr+trace])
		}
	}
	return w
}
