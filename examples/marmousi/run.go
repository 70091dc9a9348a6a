package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spamoe/spamoe/fwi/invert"
	"github.com/spamoe/spamoe/fwi/wave"
	"github.com/spamoe/spamoe/internal/npy"
	"github.com/spamoe/spamoe/internal/picture"
	"github.com/spamoe/spamoe/internal/progress"
)

// survey places shots and receivers along the surface.
func (c *settings) survey(m *model) wave.Config {
	lo, hi := m.bounds()
	freq := c.freq
	if freq == 0 {
		freq = 150 / m.dx
	}
	seconds := c.time
	if seconds == 0 {
		seconds = 4 * float64(m.nz) * m.dx / ((lo + hi) / 2)
	}
	// Bounds may be exceeded by a seventh on the way; then 0.5 cells per step are still stable.
	dt := math.Floor(0.5*m.dx/(1.15*hi)*1e5) / 1e5
	return wave.Config{
		Dx: m.dx, Dt: dt, Freq: freq, Samples: int(seconds / dt), Pad: 60,
		Sources: wave.Line(1, c.shots, m.nx), Receivers: wave.Line(1, m.nx, m.nx),
	}
}

// stages are few: a smoothed start is right about the long waves.
func (c *settings) stages(s wave.Config, lowest float64) []invert.Stage {
	bands := invert.Bands(s, lowest, []float64{0.25 * s.Freq, 0.4 * s.Freq, 0.7 * s.Freq})
	bands = slices.DeleteFunc(bands, func(st invert.Stage) bool { return st.LowPass == 0 || st.Prior != invert.Cells })
	for i := range bands {
		bands[i].Iterations = max(1, c.iterations/6)
		bands[i].Variation = 0.02
		bands[i].Newton, bands[i].Rounds, bands[i].Enough = false, 1, 0 // the matrices of this many cells would fill gigabytes
		bands[i].Coarse = false                                         // what coarse cells leave out is more than this start is wrong by: 139 m/s in place of 126
	}
	rest := max(1, (c.iterations-3*bands[0].Iterations)/2)
	return append(bands,
		invert.Stage{Iterations: rest, Gain: bands[0].Gain, Variation: 0.05},
		invert.Stage{Iterations: rest, Gain: bands[0].Gain, Variation: 0.3})
}

func (c *settings) run(ctx context.Context, stdout, stderr io.Writer) error {
	m, err := c.load()
	if err != nil {
		return err
	}
	if m.own {
		fmt.Fprintf(stdout, "Without -data the model is one of the program's own, %d x %d cells of %v m.\n", m.nz, m.nx, m.dx)
	}
	if err := os.MkdirAll(c.out, 0o755); err != nil {
		return err
	}
	survey := c.survey(m)
	solver, err := wave.New[float32](survey, m.nz, m.nx)
	if err != nil {
		return err
	}
	shots, samples, receivers := solver.Shape()
	data := make([]float32, shots*samples*receivers)
	if err := solver.Forward(ctx, data, m.vel); err != nil {
		return err
	}
	addNoise(data, c.noise, c.seed)
	fmt.Fprintf(stdout, "%d shots, %d samples of %.3g ms, %d receivers, %.3g Hz, noise %.0f %%\n", shots, samples, 1e3*survey.Dt, receivers, survey.Freq, 100*c.noise)

	lo, hi := m.bounds()
	start := m.smoothed(c.smooth)
	cfg := invert.Config{Min: lo, Max: hi, Stages: c.stages(survey, lo), State: filepath.Join(c.out, "state.safetensors")}
	total := 0
	for _, s := range cfg.Stages {
		total += s.Iterations
	}
	bar := progress.Start(stderr, "inverting", total)
	defer bar.Done()
	done := 0
	line := picture.Line{Name: "mean absolute error"}
	cfg.Watch = func(p invert.Progress) error {
		bar.Add(p.Done - done)
		done = p.Done
		e := meanError(p.Vel, m.vel)
		bar.Note("stage %d, misfit %.4f, error %.1f m/s", p.Stage+1, p.Misfit, e)
		line.X, line.Y = append(line.X, float64(p.Done)), append(line.Y, e)
		return nil
	}
	begun := time.Now()
	r, err := invert.Run(ctx, invert.Problem{Survey: survey, NZ: m.nz, NX: m.nx, Data: data, Start: start}, cfg)
	if err != nil {
		return err
	}
	for _, h := range r.History {
		fmt.Fprintf(stdout, "stage %d: misfit %.4f -> %.4f in %d iterations\n", h.Stage+1, h.Before, h.After, h.Iterations)
	}
	fmt.Fprintf(stdout, "mean absolute error %.1f m/s -> %.1f m/s in %.0f s\n", meanError(start, m.vel), meanError(r.Vel, m.vel), time.Since(begun).Seconds())
	return c.save(m, start, r.Vel, line)
}

// save writes the map and the pictures.
func (c *settings) save(m *model, start, found []float32, line picture.Line) error {
	if err := npy.Write(filepath.Join(c.out, "map.npy"), []int{1, 1, m.nz, m.nx}, found); err != nil {
		return err
	}
	rows := []picture.Row{{Label: "true", Maps: [][]float32{m.vel}}, {Label: "start", Maps: [][]float32{start}}, {Label: "inversion", Maps: [][]float32{found}}}
	if err := picture.Save(filepath.Join(c.out, "maps.png"), picture.Gallery{Frame: picture.Velocity(m.nz, m.nx, m.dx), Rows: rows}); err != nil {
		return err
	}
	if len(line.Y) < 2 {
		return nil // nothing was left to compute
	}
	return picture.Save(filepath.Join(c.out, "error.png"), picture.Curves{Title: "Inversion", XLabel: "Iteration", YLabel: "Error (m/s)", Lines: []picture.Line{line}, Linear: true})
}

func meanError(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		sum += math.Abs(float64(v) - float64(b[i]))
	}
	return sum / float64(len(a))
}

// addNoise adds independent normal noise, a fraction of the root mean square of x.
func addNoise(x []float32, fraction float64, seed uint64) {
	square := 0.0
	for _, v := range x {
		square += float64(v) * float64(v)
	}
	sigma := fraction * math.Sqrt(square/float64(len(x)))
	rng := rand.New(rand.NewPCG(seed, 0x5eed))
	for i := range x {
		x[i] += float32(sigma * rng.NormFloat64())
	}
}
