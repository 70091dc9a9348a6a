package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spamoe/spamoe/fwi/invert"
	"github.com/spamoe/spamoe/fwi/wave"
	"github.com/spamoe/spamoe/internal/npy"
	"github.com/spamoe/spamoe/internal/picture"
	"github.com/spamoe/spamoe/internal/progress"
)

const invertHelp = `
Finds the velocity maps that explain recorded gathers, by full-waveform inversion: maps are changed until their simulated
gathers equal the recorded ones, low frequencies first. It needs no training. Without a start it knows nothing but the bounds.

-in holds gathers as NxSHOTSxTIMESxRECEIVERS or one of them (.npy), by default of OpenFWI's survey, or a SEG-Y file of
pre-stack traces whose headers have the positions of sources and receivers (.sgy, .segy). -out becomes Nx1xHxW, float32, in
m/s. With -model a trained model's prediction is where the inversion starts. With -state a run that was stopped goes on where
it was when it is started again with the same flags. With -vel, the true maps, errors are printed.`

// inversion is what the command line of invert asks for.
type inversion struct {
	in, out, png, vel, start, model, state string
	misfit, prior, bands, wavelet          string
	free, bounds                           string
	iterations, depth, width, row, shots   int
	dx, dt, freq                           float64
	first, count                           int
	noise                                  float64
	seed                                   uint64
}

func (v *inversion) register(f *flag.FlagSet) {
	f.StringVar(&v.in, "in", "", "`file` of gathers, .npy or SEG-Y")
	f.StringVar(&v.out, "out", "", "`file` for the maps (.npy)")
	f.StringVar(&v.png, "png", "", "`file` for a picture of the first maps")
	f.StringVar(&v.vel, "vel", "", "`file` of the true maps (.npy), to print errors")
	f.StringVar(&v.start, "start", "", "`file` of maps to start from (.npy): one for all gathers, or one for each")
	f.StringVar(&v.model, "model", "", "run `folder` or model file whose prediction to start from")
	f.StringVar(&v.state, "state", "", "`folder` to keep the state of the inversion in")
	f.StringVar(&v.misfit, "misfit", "l2", "`name` of the misfit: l2, l1, envelope or correlation")
	f.StringVar(&v.prior, "prior", "", "cells, layers, blocks, regions or strata, in all stages (default: cells, blocks in the last, regions and strata in between)")
	f.StringVar(&v.bands, "bands", "", "corner `frequencies` of the first stages in Hz, separated by commas (default: 0.1 to 0.87 of -freq)")
	f.StringVar(&v.bounds, "bounds", "1500,4500", "least and largest `velocity` in m/s")
	f.IntVar(&v.iterations, "iterations", 0, "`number` of iterations for a map, over all stages but those of low frequencies and of regions, which are quick (default: what the stages take, 360 with the other flags at their defaults; fewer where they stop to pay)")
	f.StringVar(&v.wavelet, "wavelet", "", "`file` of the source wavelet (.npy, one value per sample of the recording), or estimate (default: Ricker)")
	f.Float64Var(&v.freq, "freq", 15, "peak `frequency` of the wavelet in Hz")
	f.Float64Var(&v.dx, "dx", 10, "`size` of a cell in metres")
	f.Float64Var(&v.dt, "dt", 0.001, "sampling interval of .npy gathers in `seconds`")
	f.IntVar(&v.depth, "depth", 70, "`rows` of the maps")
	f.IntVar(&v.width, "width", 0, "`columns` of the maps (default: one per receiver; of SEG-Y, as long as the line)")
	f.IntVar(&v.row, "row", 1, "`row` of sources and receivers; of SEG-Y, of those at the surface")
	f.StringVar(&v.free, "free", "", "`sides` that are free surfaces, separated by commas: top, bottom, left, right")
	f.IntVar(&v.first, "first", 0, "`number` of the first gather to invert")
	f.IntVar(&v.count, "count", 0, "`number` of gathers to invert (default: all)")
	f.Float64Var(&v.noise, "add-noise", 0, "`fraction` of the gathers' root mean square to add as random noise, to see what it does")
	f.Uint64Var(&v.seed, "seed", 0, "`seed` of the noise")
}

func invertGathers(ctx context.Context, env *environment, args []string) error {
	f := newFlags("invert", "", invertHelp)
	var v inversion
	v.register(f.FlagSet)
	if err := f.parse(env, args); err != nil {
		return err
	}
	if v.in == "" || v.out == "" {
		return misuse("-in and -out are needed")
	}
	if v.start != "" && v.model != "" {
		return misuse("-start and -model both say where to start; one of them is enough")
	}
	cfg, err := v.config()
	if err != nil {
		return usageError{err}
	}
	inputs := []namedFile{{"-in", v.in}, {"-vel", v.vel}, {"-start", v.start}, modelFile(v.model), {"-wavelet", v.wavelet}}
	if err := checkOutputs([]namedFile{{"-out", v.out}, {"-png", v.png}}, inputs); err != nil {
		return err
	}
	rec, err := v.open()
	if err != nil {
		return err
	}
	defer rec.close()
	if v.first < 0 || v.first >= rec.n || v.count < 0 || v.count > rec.n-v.first {
		return misuse("-first is %d and -count %d; %s has %d gathers", v.first, v.count, v.in, rec.n)
	}
	if v.count == 0 {
		v.count = rec.n - v.first
	}
	maps, err := v.openMaps(rec)
	if err != nil {
		return err
	}
	if v.state != "" {
		if err := os.MkdirAll(v.state, 0o755); err != nil {
			return err
		}
	}
	w, err := npy.Create[float32](v.out, []int{v.count, 1, rec.nz, rec.nx})
	if err != nil {
		return err
	}
	defer w.Abort()
	bar := progress.Start(env.stderr, "inverting", v.count*totalIterations(cfg.Stages))
	defer bar.Done()
	sum := tally{}
	var results []result
	for k := range v.count {
		r, err := v.one(ctx, bar, cfg, rec, maps, v.first+k)
		if err != nil {
			return fmt.Errorf("%s: gather %d: %w", v.in, v.first+k, err)
		}
		if err := w.Append(r.found); err != nil {
			return err
		}
		sum.add(env, v.first+k, r)
		if k < shownPairs {
			results = append(results, r)
		}
	}
	if err := w.Commit(); err != nil {
		return err
	}
	if v.png != "" {
		if err := v.draw(rec, results); err != nil {
			return err
		}
	}
	sum.print(env)
	fmt.Fprintf(env.stdout, "%s: shape %s\n", v.out, npy.FormatShape([]int{v.count, 1, rec.nz, rec.nx}))
	return nil
}

// result is an inverted gather.
type result struct {
	start, found, truth []float32 // truth is nil where it is not known
	misfit              float64   // relative error of the simulated gather
	spent               time.Duration
}

// one inverts gather i.
func (v *inversion) one(ctx context.Context, bar *progress.Bar, cfg invert.Config, rec *recording, maps *knownMaps, i int) (result, error) {
	begun := time.Now()
	r := result{}
	p := invert.Problem{Survey: rec.survey, NZ: rec.nz, NX: rec.nx, Data: make([]float32, rec.size)}
	if err := rec.read(i, p.Data); err != nil {
		return r, err
	}
	addNoise(p.Data, v.noise, v.seed+uint64(i))
	var err error
	if p.Start, err = maps.start(ctx, i, p.Data); err != nil {
		return r, err
	}
	if r.truth, err = maps.truth(i); err != nil {
		return r, err
	}
	if v.state != "" {
		cfg.State = filepath.Join(v.state, fmt.Sprintf("gather%06d.safetensors", i))
	}
	done := 0
	cfg.Watch = func(pr invert.Progress) error {
		bar.Add(pr.Done - done)
		done = pr.Done
		note := fmt.Sprintf("gather %d, stage %d, misfit %.4f", i, pr.Stage+1, pr.Misfit)
		if r.truth != nil {
			note += fmt.Sprintf(", error %.1f m/s", meanAbsolute(pr.Vel, r.truth))
		}
		bar.Note("%s", note)
		return nil
	}
	found, err := invert.Run(ctx, p, cfg)
	if err != nil {
		return r, err
	}
	bar.Add(totalIterations(cfg.Stages) - done)
	r.start, r.found, r.misfit, r.spent = found.Start, found.Vel, found.Misfit, time.Since(begun)
	return r, nil
}

func meanAbsolute(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		sum += math.Abs(float64(v) - float64(b[i]))
	}
	return sum / float64(len(a))
}

// config turns flags into the configuration of an inversion.
func (v *inversion) config() (invert.Config, error) {
	var cfg invert.Config
	bounds, err := numbers("-bounds", v.bounds)
	if err != nil {
		return cfg, err
	}
	if len(bounds) != 2 || !(bounds[0] > 0 && bounds[0] < bounds[1]) {
		return cfg, fmt.Errorf("-bounds is %s; wanted two velocities, the lesser first", v.bounds)
	}
	cfg.Min, cfg.Max = bounds[0], bounds[1]
	if v.iterations < 0 || v.depth < 2 || v.width < 0 || v.row < 0 {
		return cfg, fmt.Errorf("-iterations is %d, -depth %d, -width %d and -row %d; wanted no negative numbers and a depth of 2 or more", v.iterations, v.depth, v.width, v.row)
	}
	for name, x := range map[string]float64{"-dx": v.dx, "-dt": v.dt, "-freq": v.freq} {
		if !(x > 0) || math.IsInf(x, 0) {
			return cfg, fmt.Errorf("%s is %v; wanted a positive number", name, x)
		}
	}
	if !(v.noise >= 0) || math.IsInf(v.noise, 0) {
		return cfg, fmt.Errorf("-add-noise is %v; wanted a fraction", v.noise)
	}
	kind, err := invert.ParseMisfit(v.misfit)
	if err != nil {
		return cfg, fmt.Errorf("-misfit: %w", err)
	}
	survey := wave.Config{Freq: v.freq, Dx: v.dx}
	cfg.Stages = invert.Stages(survey, cfg.Min)
	if v.bands != "" {
		bands, err := numbers("-bands", v.bands)
		if err != nil {
			return cfg, err
		}
		cfg.Stages = invert.Bands(survey, cfg.Min, bands)
	}
	for i := range cfg.Stages {
		s := &cfg.Stages[i]
		s.Misfit = kind
		s.Wavelet = v.wavelet == "estimate"
		if v.prior != "" {
			if err := s.Prior.UnmarshalText([]byte(v.prior)); err != nil {
				return cfg, fmt.Errorf("-prior: %w", err)
			}
		}
	}
	if v.iterations > 0 {
		cfg.Stages = budget(cfg.Stages, v.iterations)
	}
	return cfg, nil
}

// totalIterations is how many a map takes at most.
func totalIterations(stages []invert.Stage) int {
	total := 0
	for _, s := range stages {
		total += max(1, s.Rounds) * s.Iterations
	}
	return total
}

// budget changes stages to about n iterations together: fewer or more rounds, and what is left by the iterations of each, which
// must not be too few for an optimiser that learns from them. Stages that are quick, on coarse cells or with few unknowns, stay as they are and do not
// count, but a cut into regions that the next stage has to mend is left out where that has too few rounds for it.
func budget(stages []invert.Stage, n int) []invert.Stage {
	quick := func(s invert.Stage) bool { return s.Coarse || s.Prior == invert.Regions }
	count := func() (total int) {
		for _, s := range stages {
			if !quick(s) {
				total += max(1, s.Rounds) * s.Iterations
			}
		}
		return max(1, total)
	}
	for total, i := count(), 0; i < len(stages); i++ {
		if s := &stages[i]; !quick(*s) {
			s.Rounds = max(1, (max(1, s.Rounds)*n+total/2)/total)
		}
	}
	for total, i := count(), 0; i < len(stages); i++ {
		if s := &stages[i]; !quick(*s) {
			s.Iterations = max(1, s.Iterations*n/total)
		}
	}
	const mending = 2
	var kept []invert.Stage
	for i, s := range stages {
		if s.Loss <= 1 || i+1 < len(stages) && stages[i+1].Rounds >= mending {
			kept = append(kept, s)
		}
	}
	return kept
}

// numbers reads a list separated by commas.
func numbers(name, list string) ([]float64, error) {
	var all []float64
	for _, word := range strings.Split(list, ",") {
		x, err := strconv.ParseFloat(strings.TrimSpace(word), 64)
		if err != nil || !(x > 0) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("%s: %q is no positive number", name, word)
		}
		all = append(all, x)
	}
	return all, nil
}

// tally prints a line per gather and the means.
type tally struct {
	n                    int
	misfit, start, found float64
	known                int
	spent                time.Duration
}

func (t *tally) add(env *environment, i int, r result) {
	t.n++
	t.misfit += r.misfit
	t.spent += r.spent
	line := fmt.Sprintf("gather %d: misfit %.5f", i, r.misfit)
	if r.truth != nil {
		e := meanAbsolute(r.found, r.truth)
		t.known++
		t.found += e
		line += fmt.Sprintf(", MAE %.1f m/s (%.4f)", e, e/halfRange)
		s := meanAbsolute(r.start, r.truth)
		t.start += s
		line += fmt.Sprintf(", of the start %.1f m/s", s)
	}
	fmt.Fprintf(env.stdout, "%s, %.0f s\n", line, r.spent.Seconds())
}

// halfRange turns m/s into the normalised unit of OpenFWI's results.
const halfRange = 1500

func (t *tally) print(env *environment) {
	if t.n < 2 {
		return
	}
	n := float64(t.n)
	fmt.Fprintf(env.stdout, "mean of %d: misfit %.5f", t.n, t.misfit/n)
	if t.known > 0 {
		k := float64(t.known)
		fmt.Fprintf(env.stdout, ", MAE %.1f m/s (%.4f), of the start %.1f m/s", t.found/k, t.found/k/halfRange, t.start/k)
	}
	fmt.Fprintf(env.stdout, ", %.0f s\n", t.spent.Seconds()/n)
}

// draw writes the picture.
func (v *inversion) draw(rec *recording, results []result) error {
	frame := picture.Velocity(rec.nz, rec.nx, v.dx)
	var compared picture.Comparison
	gallery := picture.Gallery{Frame: frame, Title: "Full-waveform inversion", Columns: []string{"Start", "Inversion"}}
	for i, r := range results {
		label := fmt.Sprintf("gather %d", v.first+i)
		if r.truth != nil {
			compared.Samples = append(compared.Samples, picture.Sample{Label: label, Truth: r.truth, Prediction: r.found})
		}
		gallery.Rows = append(gallery.Rows, picture.Row{Label: label, Maps: [][]float32{r.start, r.found}})
	}
	if len(compared.Samples) > 0 {
		compared.Frame, compared.Title = frame, "Full-waveform inversion"
		return picture.Save(v.png, compared)
	}
	return picture.Save(v.png, gallery)
}
