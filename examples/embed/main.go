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
)

// settings are what the flags set.
type settings struct {
	out                             string
	fields, samples, steps, threads int
	seed                            uint64
}

// Grids: the operator learns on trained cells per side, the problems are solved on solved. Random fields are drawn on the finer one.
const (
	trained = 32
	solved  = 64
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "embed: %v; -h lists the flags\n", err)
		os.Exit(2)
	}
	runtime.GOMAXPROCS(c.threads)
	if err := c.run(ctx, os.Stdout, os.Stderr); err != nil {
		if errors.Is(err, context.Canceled) {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

// parse reads the command line.
func parse(args []string, stderr io.Writer) (*settings, error) {
	c := &settings{}
	f := flag.NewFlagSet("embed", flag.ContinueOnError)
	f.SetOutput(io.Discard) // main tells the errors
	f.StringVar(&c.out, "out", "runs/embed", "`folder` for the residuals")
	f.IntVar(&c.fields, "fields", 24, "unseen coefficient fields to solve for")
	f.IntVar(&c.samples, "samples", 1500, "coefficient fields to train on")
	f.IntVar(&c.steps, "steps", 1500, "optimiser steps, of 8 fields each")
	f.Uint64Var(&c.seed, "seed", 1, "seed of the fields, the parameters and the order of the samples")
	f.IntVar(&c.threads, "threads", runtime.GOMAXPROCS(0), "threads to compute with; results do not depend on it")
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stderr, "Solves diffusion problems by conjugate gradients with and without a trained Fourier neural operator inside.\n\nflags:\n")
		f.SetOutput(stderr)
		f.PrintDefaults()
	}
	if err != nil {
		return nil, err
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case c.fields < 1 || c.steps < 1 || c.threads < 1:
		return nil, errors.New("-fields, -steps and -threads must be at least 1")
	case c.samples < batch:
		return nil, fmt.Errorf("-samples is %d; wanted at least one batch, %d", c.samples, batch)
	}
	return c, nil
}

// run trains an operator and solves the unseen problems with and without it.
func (c *settings) run(ctx context.Context, stdout, stderr io.Writer) error {
	if err := os.MkdirAll(c.out, 0o755); err != nil {
		return err
	}
	start := time.Now()
	fmt.Fprintf(stderr, "solving %d training problems\n", c.samples)
	data, err := generate(ctx, trained, solved, c.seed, 0, c.samples)
	if err != nil {
		return err
	}
	made := time.Since(start)
	rng := rand.New(rand.NewPCG(c.seed, 0xfeed))
	o, err := newOperator(rng)
	if err != nil {
		return err
	}
	start = time.Now()
	miss, err := train(ctx, o, data, c.steps, rng, stderr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Fourier neural operator of %d parameters, trained on %d fields of %d x %d cells; data %.1f s, training %.1f s;\n"+
		"mean relative energy error in the last steps %.3f\n\n",
		autograd.CountParams(o.net), data.count, trained, trained, made.Seconds(), time.Since(start).Seconds(), miss)

	var runs []*comparison
	for i := range c.fields {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p := newProblem(solved, solved, rand.New(rand.NewPCG(c.seed, uint64(c.samples+i))))
		r, err := compare(p, o)
		if err != nil {
			return fmt.Errorf("field %d of seed %d: %w", c.samples+i, c.seed, err)
		}
		runs = append(runs, r)
	}
	report(stdout, runs)
	path := filepath.Join(c.out, "residuals.csv")
	if err := os.WriteFile(path, residuals(runs), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\n%s has the residuals of a typical field, iteration by iteration\n", path)
	return nil
}
