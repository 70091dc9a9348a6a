package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spamoe/spamoe/internal/kernel"
)

// settings are what the flags set.
type settings struct {
	data, out                  string
	dx, freq, time             float64
	shots, iterations, threads int
	smooth, noise              float64
	seed                       uint64
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "marmousi: %v; -h lists the flags\n", err)
		os.Exit(2)
	}
	kernel.SetThreads(c.threads)
	if err := c.run(ctx, os.Stdout, os.Stderr); err != nil {
		if errors.Is(err, context.Canceled) {
			err = errors.New("interrupted; the same command goes on where it was")
		}
		fmt.Fprintln(os.Stderr, "marmousi:", err)
		os.Exit(1)
	}
}

// parse reads the command line.
func parse(args []string, stderr io.Writer) (*settings, error) {
	c := &settings{}
	f := flag.NewFlagSet("marmousi", flag.ContinueOnError)
	f.SetOutput(io.Discard) // main tells the errors
	f.StringVar(&c.data, "data", "", "`file` of the true velocities in m/s, depth x distance (.npy); without it the program makes a model of its own")
	f.StringVar(&c.out, "out", "runs/marmousi", "`folder` for the pictures, the map and the state")
	f.Float64Var(&c.dx, "dx", 10, "`size` of a cell of -data in metres")
	f.Float64Var(&c.freq, "freq", 0, "peak `frequency` of the wavelet in Hz (default: 150 m/s over the size of a cell)")
	f.Float64Var(&c.time, "time", 0, "`seconds` to record (default: twice the way down and up at the mean velocity)")
	f.IntVar(&c.shots, "shots", 10, "`number` of shots, evenly spread along the surface")
	f.IntVar(&c.iterations, "iterations", 150, "`number` of iterations")
	f.Float64Var(&c.smooth, "smooth", 8, "standard deviation in `cells` of the Gaussian that makes the start from the truth")
	f.Float64Var(&c.noise, "noise", 0, "`fraction` of the gathers' root mean square to add as noise")
	f.Uint64Var(&c.seed, "seed", 1, "`seed` of the noise and of the program's own model")
	f.IntVar(&c.threads, "threads", runtime.GOMAXPROCS(0), "`number` of threads; results do not depend on it")
	switch err := f.Parse(args); {
	case err == flag.ErrHelp:
		fmt.Fprintln(stderr, "usage: marmousi [flags]\n\nFull-waveform inversion of the Marmousi model from a smoothed start.\n\nflags:")
		f.SetOutput(stderr)
		f.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, err
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	for name, v := range map[string]float64{"-dx": c.dx, "-smooth": c.smooth, "-shots": float64(c.shots), "-iterations": float64(c.iterations), "-threads": float64(c.threads)} {
		if !(v > 0) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s is %v; wanted a positive number", name, v)
		}
	}
	for name, v := range map[string]float64{"-freq": c.freq, "-time": c.time, "-noise": c.noise} {
		if !(v >= 0) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s is %v; wanted a number that is not negative", name, v)
		}
	}
	return c, nil
}
