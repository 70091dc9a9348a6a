package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/progress"
)

// settings are what the flags set.
type settings struct {
	data, out                                string
	samples, test, validate, epochs, threads int
	seed                                     uint64
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "darcy: %v; -h lists the flags\n", err)
		os.Exit(2)
	}
	runtime.GOMAXPROCS(c.threads)
	if err := c.run(ctx, os.Stdout, os.Stderr); err != nil {
		if errors.Is(err, context.Canceled) {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(os.Stderr, "darcy:", err)
		os.Exit(1)
	}
}

// parse reads the command line.
func parse(args []string, stderr io.Writer) (*settings, error) {
	c := &settings{}
	f := flag.NewFlagSet("darcy", flag.ContinueOnError)
	f.SetOutput(io.Discard) // main tells the errors
	f.StringVar(&c.data, "data", "", "`folder` with neuraloperator's darcy_{train_16,test_16,test_32}_{x,y}.npy (default: generate data)")
	f.StringVar(&c.out, "out", "runs/darcy", "`folder` for the picture and the model")
	f.IntVar(&c.samples, "samples", 1000, "generated media to train on")
	f.IntVar(&c.test, "test", 50, "generated media to test on")
	f.IntVar(&c.validate, "validate", 100, "media of the training set, the last ones, that are held out for validation")
	f.IntVar(&c.epochs, "epochs", 60, "passes over the training set")
	f.Uint64Var(&c.seed, "seed", 1, "seed of the generated data, the parameters and the order of the samples")
	f.IntVar(&c.threads, "threads", runtime.GOMAXPROCS(0), "threads to compute with; results do not depend on it")
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stderr, "Trains a Fourier neural operator on Darcy flow at 16 x 16 points and tests it there and at 32 x 32.\n\nflags:\n")
		f.SetOutput(stderr)
		f.PrintDefaults()
	}
	if err != nil {
		return nil, err
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case c.samples < 1 || c.test < 1 || c.epochs < 1 || c.threads < 1:
		return nil, errors.New("-samples, -test, -epochs and -threads must be at least 1")
	case c.validate < 0:
		return nil, fmt.Errorf("-validate is %d; wanted 0 or more", c.validate)
	}
	return c, nil
}

// run trains an operator on the coarse grid and tests it on both.
func (c *settings) run(ctx context.Context, stdout, stderr io.Writer) error {
	training, tests, err := c.load(ctx, stderr)
	if err != nil {
		return err
	}
	held := training.count - c.validate
	if held < batch {
		return fmt.Errorf("%d media to train on, %d of them held out: at least %d must be left", training.count, c.validate, batch)
	}
	validation := training.part(held, training.count)
	training = training.part(0, held)
	if err := os.MkdirAll(c.out, 0o755); err != nil {
		return err
	}

	rng := rand.New(rand.NewPCG(c.seed, 0))
	o, err := newOperator(training, rng)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Fourier neural operator of %d parameters; %d media of %d x %d to train on, %d to validate\n",
		autograd.CountParams(o.net), training.count, training.n, training.n, validation.count)
	start := time.Now()
	bar := progress.Start(stderr, "training", steps(training.count, c.epochs))
	err = train(ctx, o, training, c.epochs, rng, bar)
	bar.Done()
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "trained in %.1f s\n\n", time.Since(start).Seconds())

	predictions := c.report(stdout, o, training, validation, tests)
	path := filepath.Join(c.out, "maps.png")
	if err := draw(path, tests, predictions); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\n%s shows some of the test maps\n", path)
	return o.save(filepath.Join(c.out, "model.safetensors"))
}

// load reads or generates the training set and the test sets.
func (c *settings) load(ctx context.Context, stderr io.Writer) (training *pairs, tests []*pairs, err error) {
	if c.data != "" {
		var sets [3]*pairs
		for i, name := range []string{"train_16", "test_16", "test_32"} {
			if sets[i], err = readPairs(c.data, name); err != nil {
				return nil, nil, err
			}
		}
		return sets[0], sets[1:], nil
	}
	bar := progress.Start(stderr, "solving Darcy's equation", c.samples+c.test)
	defer bar.Done()
	sets, err := generate(ctx, c.seed, 0, c.samples, []int{16}, bar)
	if err != nil {
		return nil, nil, err
	}
	tests, err = generate(ctx, c.seed, c.samples, c.test, []int{16, 32}, bar)
	if err != nil {
		return nil, nil, err
	}
	return sets[0], tests, nil
}
