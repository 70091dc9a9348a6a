package wave

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Misfit compares the gather of one shot, as simulated (samples x receivers), with what was recorded. It returns the shot's part
// of the misfit and writes the derivative with respect to every value of gather into adjoint, which has its shape and comes
// zeroed. It is called once per shot, at the same time for different shots, in no particular order.
type Misfit[T Float] func(shot int, adjoint, gather []T) float64

// Gradient is what Solver.Gradient is asked for and what it finds.
type Gradient[T Float] struct {
	// Vel is the derivative of the misfit with respect to every velocity (nz x nx). Nil is replaced by a new slice.
	Vel []T
	// Wavelet is the derivative with respect to the first len(Wavelet) values of the wavelet, one per time step; it is zero from
	// Config.Steps on. Nil is left alone.
	Wavelet []T
	// DampingVMin adds to Vel the part that goes through the damping, which follows the least velocity of the model. Where several
	// cells share it they get equal parts: the mean of the derivatives that single ones would have.
	DampingVMin bool
}

// Gradient simulates one model (nz x nx), hands each shot's gather to misfit, and writes the exact derivative of the total misfit
// into g: that of the discrete scheme, padded strips, damping and periodic edge included, as far as rounding allows. It returns
// the total misfit. The wave field is kept, or kept in part and computed again, as Config.Memory allows; that and the number of
// threads change no bit of the result. It fails where Forward would, and where misfit returns or writes a number that is not
// finite; g then holds nothing useful.
func (s *Solver[T]) Gradient(ctx context.Context, g *Gradient[T], vel []T, misfit Misfit[T]) (float64, error) {
	cells := s.grid.nz * s.grid.nx
	if err := s.Check(vel); err != nil {
		return 0, err
	}
	if g.Vel == nil {
		g.Vel = make([]T, cells)
	}
	if len(g.Vel) != cells {
		return 0, fmt.Errorf("wave: gradient has %d values, want %d (%d x %d)", len(g.Vel), cells, s.grid.nz, s.grid.nx)
	}
	shots, _, _ := s.Shape()
	lanes, plan := s.plan(min(kernel.Threads(), shots), g.DampingVMin)
	parts := make([]part, shots)
	var next atomic.Int64
	kernel.Parallel(lanes, 1, func(lo, hi int) {
		for range hi - lo {
			r := s.takeReversal(plan, g.DampingVMin)
			for ctx.Err() == nil {
				shot := int(next.Add(1)) - 1
				if shot >= shots {
					break
				}
				parts[shot] = r.run(ctx, vel, shot, misfit)
			}
			s.giveReversal(r)
		}
	})
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return s.gather(g, vel, parts)
}

// part is what one shot adds to a gradient.
type part struct {
	misfit  float64
	vel     []float64 // nz x nx: sum over time and over the padded cells of each model cell of (v^2 lambda / v^2)
	wavelet []float64 // per time step
	vmin    float64
	err     error
}

// gather adds the parts in the order of the shots.
func (s *Solver[T]) gather(g *Gradient[T], vel []T, parts []part) (float64, error) {
	total, vmin := 0.0, 0.0
	sum := make([]float64, len(vel))
	wavelet := make([]float64, len(g.Wavelet))
	for i := range parts {
		p := &parts[i]
		if p.err != nil {
			return 0, p.err
		}
		total += p.misfit
		vmin += p.vmin
		for j, x := range p.vel {
			sum[j] += x
		}
		for n, x := range p.wavelet[:min(len(p.wavelet), len(wavelet))] {
			wavelet[n] += x
		}
	}
	for j, x := range sum {
		// All that a velocity drives, the Laplacian and the source, it drives by its square.
		sum[j] = 2 * x / float64(vel[j])
	}
	if g.DampingVMin {
		least, ties := vel[0], 0
		for _, v := range vel {
			switch {
			case v < least:
				least, ties = v, 1
			case v == least:
				ties++
			}
		}
		for j, v := range vel {
			if v == least {
				sum[j] += vmin / float64(least) / float64(ties)
			}
		}
	}
	for j, x := range sum {
		g.Vel[j] = T(x)
	}
	for n, x := range wavelet {
		g.Wavelet[n] = T(x)
	}
	return total, nil
}

// finite reports whether all values of x are, and the largest magnitude.
func finite[T Float](x []T) (largest float64, at int) {
	for i, v := range x {
		a := math.Abs(float64(v))
		if !(a <= math.MaxFloat64) {
			return a, i
		}
		largest = max(largest, a)
	}
	return largest, -1
}
