package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// bench is a part of the library that can be timed.
type bench struct {
	name    string
	summary string
	run     func(*bencher) error
}

// benches are in the order in which -h lists them.
var benches = []bench{
	{"sgemm", "matrix products of four shapes", benchSgemm},
	{"conv3x3", "3x3 convolution, 128 to 128 channels, 8x70x70", benchConv},
	{"spectral", "spectral convolution, 128 to 128 channels, 16x16 modes, 70x70, batches of 1 and 8", benchSpectral},
	{"fno", "Fourier neural operator, 4 layers of 128 channels, 70x70, batches of 1 and 8", benchFNO},
	{"vit", "ViT-S/16 encoder, one record of 1x1000x350, without the spectral floor", benchViT},
	{"paper", "SPAMoE at the paper's sizes on one record of 1x1000x350: forward pass, and training step with the optimiser's", benchPaper},
}

const benchHelp = `
Times parts of the library at SPAMoE's default sizes and prints a line of JSON per measurement: name, threads, the median and
the smallest time in milliseconds, GFLOP/s (null where the count is not meaningful), and the peak memory of the process so
far in MB. Each is run once to warm up, then -r times.

%s
Inputs of a layer or operator ask for no gradient: "forward+backward" is the gradient of all parameters.`

func findBench(name string) (bench, bool) {
	i := slices.IndexFunc(benches, func(b bench) bool { return b.name == name })
	if i < 0 {
		return bench{}, false
	}
	return benches[i], true
}

func benchNames() string {
	names := make([]string, len(benches))
	for i, b := range benches {
		names[i] = b.name
	}
	return strings.Join(names, ", ")
}

func benchmark(ctx context.Context, env *environment, args []string) error {
	var list strings.Builder
	for _, b := range benches {
		fmt.Fprintf(&list, "  %-10s %s\n", b.name, b.summary)
	}
	f := newFlags("bench", "NAME...", fmt.Sprintf(benchHelp, list.String()))
	f.IntVar(&f.threads, "t", f.threads, "the same as -threads")
	repeats := f.Int("r", 5, "`number` of timed runs of each measurement")
	if err := f.parse(env, args); err != nil {
		return err
	}
	if f.NArg() == 0 {
		return misuse("name at least one of %s", benchNames())
	}
	if *repeats < 1 {
		return misuse("-r is %d; wanted 1 or more", *repeats)
	}
	chosen := make([]bench, f.NArg())
	for i, name := range f.Args() {
		var ok bool
		if chosen[i], ok = findBench(name); !ok {
			return misuse("there is no bench %q; wanted one of %s", name, benchNames())
		}
	}
	b := &bencher{ctx: ctx, out: env.stdout, repeats: *repeats, rng: rand.New(rand.NewPCG(0, 0))}
	for _, c := range chosen {
		if err := c.run(b); err != nil {
			return err
		}
	}
	return nil
}
