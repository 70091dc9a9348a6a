package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/internal/progress"
)

const trainHelp = `
Trains a model and writes a run folder: config.json, log.jsonl, model.safetensors (the best model so far),
checkpoint.safetensors, metrics.json, loss.png and maps.png.

Without flags it makes a set of FlatVel_A of its own, below runs/data, and trains a SPAMoE of size tiny on it. -model picks
another network, which has defaults of its own for -epochs, -batch and -rate. With -data it takes OpenFWI files:
the folder of one family, or one above several (-family picks). With -x and -y it takes any two .npy arrays of samples, inputs
and what to predict from them: planes, each NxHxW or NxCxHxW, and, with -model fno, mno, multiscale or lno, lines NxW; with all of
these but mno volumes NxCxDxHxW. The loss has terms of gradients and of the spectrum for planes only.

Ctrl-C stops and saves. -resume RUN goes on where the run was, to the same result as if it had not been stopped. -config FILE
starts from a configuration such as a run's config.json; flags come on top of it, -model and -preset where it has no model.`

// runConfig is config.json: all that a run depends on.
type runConfig struct {
	Data     source       `json:"data"`
	Model    fwi.Config   `json:"model"`
	Training fwi.Training `json:"training"`
}

// trainFlags are the flags of train, with those that are not part of a runConfig.
type trainFlags struct {
	*flags
	out, resume, init, config, model, preset string
}

// mayChange lists the flags that a resumed run takes beside -resume: how long to go on and how, nothing that it depends on.
var mayChange = []string{"resume", "threads", "checkpoint-every", "epochs", "patience", "recompute"}

func train(ctx context.Context, env *environment, args []string) error {
	const model = "spamoe"
	c := &runConfig{Data: defaultSource, Training: defaultTraining(model)}
	f := &trainFlags{flags: newFlags("train", "", trainHelp)}
	f.StringVar(&f.out, "out", "", "run `folder` to write (default runs/DATE-TIME-NAME)")
	f.StringVar(&f.resume, "resume", "", "`run` folder to continue")
	f.StringVar(&f.init, "init", "", "model `file` or run whose parameters to start from, instead of random ones")
	f.StringVar(&f.config, "config", "", "`file` with a configuration, as a run's config.json")
	f.StringVar(&f.model, "model", model, "`kind` of network: "+strings.Join(fwi.Networks(), ", "))
	f.StringVar(&f.preset, "preset", "tiny", "`size` of a SPAMoE: "+strings.Join(fwi.Presets(), ", "))
	c.Data.register(f.flags)
	f.IntVar(&c.Training.Epochs, "epochs", c.Training.Epochs, "passes over the training data")
	f.IntVar(&c.Training.Batch, "batch", c.Training.Batch, "pairs per step")
	f.Float64Var(&c.Training.Rate, "rate", c.Training.Rate, "highest learning rate")
	f.IntVar(&c.Training.Patience, "patience", c.Training.Patience, "stop after so many epochs without improvement; 0: never")
	f.Float64Var(&c.Training.Noise, "noise", c.Training.Noise, "`fraction` of an input's root mean square to add to it as random noise, other noise in every epoch")
	f.BoolVar(&c.Training.Recompute, "recompute", c.Training.Recompute, "save memory: let a SPAMoE's encoder compute its blocks again in the backward pass")
	f.BoolVar(&c.Training.BFloat16, "bf16", c.Training.BFloat16, bf16Help)
	f.Uint64Var(&c.Training.Seed, "seed", c.Training.Seed, "seed of the parameters and of the order of the data")
	f.DurationVar(&c.Training.CheckpointEvery, "checkpoint-every", c.Training.CheckpointEvery, "time between two checkpoints")
	if err := f.parse(env, args); err != nil {
		return err
	}
	if !slices.Contains(fwi.Networks(), f.model) {
		return misuse("-model is %q; wanted one of %s", f.model, strings.Join(fwi.Networks(), ", "))
	}
	if !slices.Contains(fwi.Presets(), f.preset) {
		return misuse("-preset is %q; wanted one of %s", f.preset, strings.Join(fwi.Presets(), ", "))
	}
	c.Training = defaultTraining(f.model)
	if err := f.Parse(args); err != nil { // once more: flags on top of the defaults of the network
		return usageError{err}
	}
	if err := c.readFile(f, args); err != nil {
		return err
	}
	if err := c.checkUnused(f); err != nil {
		return usageError{err}
	}
	if f.out != "" && sameFile(filepath.Join(f.out, fwi.ModelFile), modelFile(f.init).path) {
		return misuse("-init names the model that is written to -out %s", f.out)
	}
	if err := errors.Join(c.Data.validate(), c.Training.Validate()); err != nil {
		return usageError{err}
	}
	return c.run(ctx, env, f)
}

// checkUnused reports flags that would do nothing.
func (c *runConfig) checkUnused(f *trainFlags) error {
	network := f.model
	if c.Model.Network != "" {
		network = c.Model.Network
		for _, name := range []string{"model", "preset"} {
			if f.given(name) {
				return fmt.Errorf("-%s cannot be given with -config %s, which has a model, %s", name, f.config, network)
			}
		}
	}
	switch {
	case f.given("preset") && network != "spamoe":
		return fmt.Errorf("-preset is a size of a spamoe, not of %s", network)
	case f.given("count") && (c.Data.Dir != "" || c.Data.X != ""):
		return errors.New("-count goes with data that are made, not with -data or -x")
	}
	return nil
}

// readFile takes the configuration from the file or the run that a flag names, if one does, with the flags on top of it.
func (c *runConfig) readFile(f *trainFlags, args []string) error {
	path := f.config
	if f.resume != "" {
		var wrong string
		f.Visit(func(x *flag.Flag) {
			if !slices.Contains(mayChange, x.Name) {
				wrong = x.Name
			}
		})
		if wrong != "" {
			return misuse("-%s cannot be given with -resume, which goes on with the run as it is", wrong)
		}
		path = filepath.Join(f.resume, configFile)
	}
	if path == "" {
		return nil
	}
	if err := readJSON(path, c); err != nil {
		return err
	}
	return f.Parse(args)
}

// run trains as configured, and writes what a run folder holds.
func (c *runConfig) run(ctx context.Context, env *environment, f *trainFlags) error {
	data, val, err := c.Data.open(ctx, env)
	if err != nil {
		return err
	}
	if c.Model.Network == "" {
		if c.Model, err = c.Data.model(f.model, f.preset, data); err != nil {
			return err
		}
		if f.config == "" && len(c.Model.Y) != 3 { // the default has terms for planes
			c.Training.Objective.Gradient, c.Training.Objective.Fourier = 0, 0
		}
	}
	model, err := fwi.New(c.Model, rand.New(rand.NewPCG(c.Training.Seed, 0)))
	if err != nil {
		return err
	}
	if err := c.Training.Objective.Fits(c.Model.Y); err != nil {
		return err
	}
	base, err := newBaseline(&c.Model, data, val)
	if err != nil {
		return err
	}
	dir := f.resume
	if dir == "" {
		if err := c.initialise(model, f.init); err != nil {
			return err
		}
		if dir, err = newRun(f.out, c.Data.name()+"-"+c.Model.Network); err != nil {
			return err
		}
	} else if err := noteLast(dir); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, configFile), c); err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%s: %d pairs to train on, %d to validate; %s\n", dir, data.Len(), val.Len(), describe(model))
	if err := c.train(ctx, env, model, data, val, dir); err != nil {
		return err
	}
	return c.finish(ctx, env, model, val, base, dir)
}

// initialise loads the parameters that training starts from, where a flag names some.
func (c *runConfig) initialise(m *fwi.Model, path string) error {
	if path == "" {
		return nil
	}
	path, err := modelPath(path)
	if err != nil {
		return err
	}
	return m.LoadParams(path)
}

// train runs the training with a progress bar.
func (c *runConfig) train(ctx context.Context, env *environment, m *fwi.Model, data, val fwi.Data, dir string) error {
	var bar *progress.Bar
	done, note := 0, ""
	err := fwi.Train(ctx, m, data, val, c.Training, dir, func(e fwi.Event) {
		if bar == nil {
			bar = progress.Start(env.stderr, "training", e.Steps)
			done = 0
		}
		if e.EndOfEpoch {
			note = "validation MAE " + format(e.ValError, c.Model.Unit)
		}
		bar.Note("epoch %d loss %.4f %s", e.Epoch, e.Loss, note)
		bar.Add(e.Step - done)
		done = e.Step
	})
	if bar != nil {
		bar.Done()
	}
	if ctx.Err() != nil {
		fmt.Fprintf(env.stderr, "stopped; spamoe train -resume %s goes on\n", dir)
	}
	return err
}
