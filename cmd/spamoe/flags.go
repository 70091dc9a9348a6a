package main

import (
	"flag"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spamoe/spamoe/internal/kernel"
)

// usageError is a mistake on the command line.
type usageError struct{ error }

func misuse(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// flags are those of one command, with -threads, which all of them have.
type flags struct {
	*flag.FlagSet
	help     string // what -h prints above the flags
	operands string // what may follow the flags, or empty
	threads  int
}

func newFlags(name, operands, help string) *flags {
	f := &flags{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), help: strings.TrimSpace(help), operands: operands}
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.IntVar(&f.threads, "threads", runtime.GOMAXPROCS(0), "`number` of threads to compute with; results do not depend on it")
	return f
}

// parse reads the command line and sets the number of threads. Asked for help it prints it and returns flag.ErrHelp.
func (f *flags) parse(env *environment, args []string) error {
	switch err := f.Parse(args); {
	case err == flag.ErrHelp:
		fmt.Fprintf(env.stdout, "usage: %s\n\n%s\n\nflags:\n", strings.TrimSpace("spamoe "+f.Name()+" [flags] "+f.operands), f.help)
		f.SetOutput(env.stdout)
		f.PrintDefaults()
		return err
	case err != nil:
		return usageError{err}
	case f.operands == "" && f.NArg() > 0:
		return misuse("unexpected argument %q", f.Arg(0))
	case f.threads < 1:
		return misuse("-threads is %d; wanted 1 or more", f.threads)
	}
	kernel.SetThreads(f.threads)
	return nil
}

// given reports whether the command line has the flag.
func (f *flags) given(name string) (is bool) {
	f.Visit(func(x *flag.Flag) { is = is || x.Name == name })
	return is
}

// bf16 adds the flag -bf16.
func (f *flags) bf16() *bool { return f.Bool("bf16", false, bf16Help) }

const bf16Help = "round what a transformer's linear layers and attention multiply to bfloat16: half their time on CPUs with AVX512-BF16, " +
	"errors near 1 %; convolutions and Fourier and local operators stay float32"
