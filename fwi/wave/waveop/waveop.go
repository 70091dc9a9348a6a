// Package waveop makes the wave equation an operation of package autograd, so that a network can be trained through the physics:
// velocities in, gathers out, and the gradient of any loss of the gathers back into the velocities by the exact adjoint.
//
//	gathers, err := survey.Simulate(velocities)         // nb x 1 x nz x nx  ->  nb x shots x samples x receivers
//	grads := autograd.Mean(autograd.Square(autograd.Sub(gathers, recorded))).Backward()
package waveop

import (
	"context"
	"fmt"
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/fwi/wave"
)

// Survey simulates one survey over models of one size. It may be used by many goroutines, on a tape each.
type Survey struct {
	solver *wave.Solver[float32]
	nz, nx int
}

// New returns a survey over models of nz rows and nx columns. It fails where wave.New does.
func New(cfg wave.Config, nz, nx int) (*Survey, error) {
	solver, err := wave.New[float32](cfg, nz, nx)
	if err != nil {
		return nil, err
	}
	return &Survey{solver, nz, nx}, nil
}

// Simulate returns the gathers (nb x shots x samples x receivers) of velocities (nb x 1 x nz x nx, in m/s). It fails where a velocity
// is not positive, not finite or too large for the survey's time step. The damping of the strips follows each model's least
// velocity; the gradient leaves that path out. It computes the wave again, model by model; nothing is kept but the gathers. Where
// the gradient that arrives is not finite, that of the velocities is NaN.
func (s *Survey) Simulate(velocities *autograd.Value) (*autograd.Value, error) {
	shape := velocities.Shape
	if len(shape) != 4 || shape[1] != 1 || shape[2] != s.nz || shape[3] != s.nx {
		panic(fmt.Sprintf("waveop: Simulate: velocities of shape %v, want nb x 1 x %d x %d", shape, s.nz, s.nx))
	}
	nb, cells := shape[0], s.nz*s.nx
	shots, samples, receivers := s.solver.Shape()
	out := velocities.Tape().Alloc(nb, shots, samples, receivers)
	if nb > 0 {
		if err := s.solver.Forward(context.Background(), out.Data, velocities.Data); err != nil {
			return nil, err
		}
	}
	return autograd.Record("Simulate", out, []*autograd.Value{velocities}, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		gx := g.Zeroed(velocities)
		one := wave.Gradient[float32]{Vel: make([]float32, cells)}
		gather := samples * receivers
		for b := range nb {
			mine := gy[b*shots*gather:][:shots*gather]
			_, err := s.solver.Gradient(context.Background(), &one, velocities.Data[b*cells:][:cells], func(shot int, adjoint, _ []float32) float64 {
				copy(adjoint, mine[shot*gather:])
				return 0
			})
			for i, d := range one.Vel {
				if err != nil { // the model was fine on the way forwards: the gradient that came is not finite
					d = float32(math.NaN())
				}
				gx[b*cells+i] += d
			}
		}
	})), nil
}
