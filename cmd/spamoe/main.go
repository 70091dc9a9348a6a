// Command spamoe makes OpenFWI data, trains neural operators to invert them, and applies what it has trained. Run
//
//	spamoe help
//
// for the list of commands and spamoe COMMAND -h for the flags of one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// command is one word of the command line.
type command struct {
	name, summary string
	run           func(ctx context.Context, env *environment, args []string) error
}

// environment is what a command may touch beside files.
type environment struct{ stdout, stderr io.Writer }

func commands() []command {
	return []command{
		{"train", "train a model on OpenFWI data, on data of its own making, or on any pairs of .npy arrays", train},
		{"eval", "measure a trained model on data with known maps", evaluate},
		{"predict", "turn recorded gathers into maps with a trained model", predict},
		{"invert", "find the maps that explain recorded gathers, by full-waveform inversion", invertGathers},
		{"route", "show which experts a trained SPAMoE gives which samples to, and why", route},
		{"inspect", "print the tensors, sizes and configuration of a model or a PyTorch checkpoint", inspect},
		{"export", "write a model for PyTorch (.pt) or as .safetensors", export},
		{"generate", "make velocity maps and their gathers, in OpenFWI's families and file layout", generate},
		{"forward", "simulate the gathers of given velocity maps", forward},
		{"conform", "check the operators against golden cases of the reference implementations", conformance},
		{"bench", "time the kernels and operators", benchmark},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program without ceremony
	os.Exit(run(ctx, &environment{os.Stdout, os.Stderr}, os.Args[1:]))
}

// run returns the exit status: 0 for success, 1 for a failure, 2 for a command line that cannot be understood.
func run(ctx context.Context, env *environment, args []string) int {
	if len(args) == 0 || args[0] == "help" && len(args) == 1 || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		usage(env.stdout)
		if len(args) == 0 {
			return 2
		}
		return 0
	}
	if args[0] == "help" {
		args = []string{args[1], "-h"}
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return report(ctx, env, c.name, c.run(ctx, env, args[1:]))
		}
	}
	fmt.Fprintf(env.stderr, "spamoe: unknown command %q; spamoe help lists the commands\n", args[0])
	return 2
}

func report(ctx context.Context, env *environment, name string, err error) int {
	var misuse usageError
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &misuse):
		fmt.Fprintf(env.stderr, "spamoe %s: %v; spamoe %s -h lists the flags\n", name, err, name)
		return 2
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintf(env.stderr, "spamoe %s: interrupted\n", name)
		return 1
	}
	fmt.Fprintf(env.stderr, "spamoe %s: %v\n", name, err)
	return 1
}

func usage(w io.Writer) {
	fmt.Fprint(w, `spamoe learns to turn seismic recordings into maps of the ground.

usage: spamoe COMMAND [flags]

`)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-9s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, `
spamoe COMMAND -h explains a command. A first run:

  spamoe train       makes data, trains on them for some minutes, and writes runs/*/maps.png
  spamoe eval        measures the model of the last run
`)
}
