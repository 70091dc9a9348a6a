package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/fwi/wave"
	"github.com/spamoe/spamoe/internal/npy"
	"github.com/spamoe/spamoe/internal/picture"
	"github.com/spamoe/spamoe/internal/progress"
)

const forwardHelp = `
Simulates the gathers of velocity maps with OpenFWI's survey and scheme: 5 shots, one receiver per column, 15 Hz Ricker
wavelet, 1 ms sampling, 10 m cells, absorbing boundaries. The relative L2 difference to OpenFWI's own data is about 1e-5.

-vel holds maps in m/s, as HxW, NxHxW or Nx1xHxW, of any numeric type; -out becomes Nx5x1000xW, float32.

-gif makes a film of one shot over the first map: the pressure in blue and red, the velocity in grey.`

func forward(ctx context.Context, env *environment, args []string) error {
	f := newFlags("forward", "", forwardHelp)
	vel := f.String("vel", "", "`file` of velocity maps (.npy)")
	out := f.String("out", "", "`file` for the gathers (.npy)")
	steps := f.Int("steps", 1000, "time steps to compute of 1000, the rest is zero; OpenFWI's published training data have 999")
	film := f.String("gif", "", "`file` for a film of one shot over the first map (.gif)")
	shot := f.Int("shot", 2, "`number` of the shot to film, 0 to 4")
	every := f.Int("every", 10, "`steps` from one frame of the film to the next")
	if err := f.parse(env, args); err != nil {
		return err
	}
	if *vel == "" || *out == "" && *film == "" {
		return misuse("-vel and one of -out and -gif are needed")
	}
	if *steps < 1 || *steps > 1000 {
		return misuse("-steps is %d; wanted 1 to 1000", *steps)
	}
	if *film == "" && (f.given("shot") || f.given("every")) {
		return misuse("-shot and -every go with -gif")
	}
	if *film != "" && (*shot < 0 || *shot >= openfwi.Shots || *every < 1 || *every > *steps) {
		return misuse("-shot is %d, -every %d; wanted 0 to %d and 1 to -steps, %d", *shot, *every, openfwi.Shots-1, *steps)
	}
	if err := checkOutputs([]namedFile{{"-out", *out}, {"-gif", *film}}, []namedFile{{"-vel", *vel}}); err != nil {
		return err
	}
	maps, err := npy.Open(*vel)
	if err != nil {
		return err
	}
	defer maps.Close()
	shape := maps.Shape()
	switch {
	case len(shape) == 2:
		shape = append([]int{1}, shape...)
	case len(shape) == 4 && shape[1] == 1:
		shape = []int{shape[0], shape[2], shape[3]}
	}
	if len(shape) != 3 || shape[0] < 1 || shape[1] < 2 || shape[2] < 2 {
		return fmt.Errorf("%s: its shape is %s; wanted HxW, NxHxW or Nx1xHxW", *vel, npy.FormatShape(maps.Shape()))
	}
	n, nz, nx := shape[0], shape[1], shape[2]
	solver, err := wave.New[float32](wave.Config{Steps: *steps}, nz, nx)
	if err != nil {
		return err
	}
	if *film != "" {
		v := make([]float32, nz*nx)
		if err := maps.Float32At(v, 0); err != nil {
			return err
		}
		if err := filmShot(ctx, *film, solver, v, *shot, *every); err != nil {
			return fmt.Errorf("%s: map 0: %w", *vel, err)
		}
	}
	if *out == "" {
		return nil
	}
	shots, samples, receivers := solver.Shape()
	w, err := npy.Create[float32](*out, []int{n, shots, samples, receivers})
	if err != nil {
		return err
	}
	defer w.Abort()
	v, gather := make([]float32, nz*nx), make([]float32, shots*samples*receivers)
	bar := progress.Start(env.stderr, "simulating", n)
	defer bar.Done()
	for i := range n {
		if err := maps.Float32At(v, i*nz*nx); err != nil {
			return err
		}
		if err := solver.Forward(ctx, gather, v); err != nil {
			return fmt.Errorf("%s: map %d: %w", *vel, i, err)
		}
		if err := w.Append(gather); err != nil {
			return err
		}
		bar.Add(1)
	}
	return w.Commit()
}

// filmShot writes a film of one shot.
func filmShot(ctx context.Context, path string, solver *wave.Solver[float32], vel []float32, shot, every int) error {
	cfg := solver.Config()
	nz := len(vel) / len(cfg.Receivers)
	film := picture.Film{Frame: picture.Velocity(nz, len(cfg.Receivers), cfg.Dx), Ground: vel}
	err := solver.Snapshots(ctx, vel, shot, every, func(step int, field []float32) error {
		film.Frames = append(film.Frames, slices.Clone(field))
		return nil
	})
	if err != nil {
		return err
	}
	return film.Save(path)
}
