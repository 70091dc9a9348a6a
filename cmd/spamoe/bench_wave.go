package main

import (
	"github.com/spamoe/spamoe/fwi/wave"
)

// benchWave simulates one gather of OpenFWI's survey: 5 shots of 1000 steps on 310 x 310 cells, 480 million updates. They are not
// all made: where the wave has not arrived there is nothing to compute, so that no rate is given.
func benchWave(b *bencher) error {
	const nz, nx = 70, 70
	vel := make([]float32, nz*nx)
	for i := range vel {
		vel[i] = 2000 + float32(i)/4
	}
	for _, survey := range []struct {
		name   string
		config wave.Config
	}{{"wave", wave.Config{}}, {"wave order 8", wave.Config{Order: 8}}} {
		solver, err := wave.New[float32](survey.config, nz, nx)
		if err != nil {
			return err
		}
		shots, samples, receivers := solver.Shape()
		gather := make([]float32, shots*samples*receivers)
		var failed error
		if err := b.measure(survey.name+" forward", 0, func() { failed = solver.Forward(b.ctx, gather, vel) }); err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
		var g wave.Gradient[float32]
		squares := func(shot int, adjoint, gather []float32) float64 {
			copy(adjoint, gather)
			return 0
		}
		err = b.measure(survey.name+" gradient", 0, func() { _, failed = solver.Gradient(b.ctx, &g, vel, squares) })
		if err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
	}
	return nil
}
