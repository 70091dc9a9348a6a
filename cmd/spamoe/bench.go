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
	{"lno", "local neural operator, 3 layers of 128 channels with kernels of 3x3 points, 70x70, batches of 1 and 8", benchLNO},
	{"multiscale", "multiscale operator of SPAMoE, 128 channels on grids of 70, 42 and 21 points, batches of 1 and 8", benchMultiscale},
	{"vit", "ViT-S/16 encoder, one record of 1x1000x350, without the spectral floor", benchViT},
	{"spamoe", "encoder (ViT-S/16 on 1x1000x350) and the mean of a Fourier and a local operator, batches of 1 and 4: forward pass, and\n             training step with the optimiser's", benchSPAMoE},
	{"wave", "a gather of OpenFWI's survey, 5 shots of 1000 steps on 310x310 cells: simulation and gradient, orders 4 and 8", benchWave},
	{"paper", "SPAMoE at the paper's sizes on one record of 1x1000x350: forward pass, and training step with the optimiser's", benchPaper},
}

const benchHelp = `
Times parts of the library at SPAMoE's default sizes and prints a line of JSON per measurement: name, threads, the median and
the smallest time in milliseconds, GFLOP/s (null where the count is not meaningful), the peak memory of the process so far in
MB, and how many objects one run allocates. Each is run once to warm up, then -r times.

%s
Inputs of a layer or operator ask for no gradient: "forward+backward" is the gradient of all parameters.

With -peer another program is measured beside this one. For every NAME, -rounds times in turn, its command runs with the
arguments -t THREADS -r REPEATS NAME, then this program does, each in a process of its own. The peer prints lines of the same
JSON; what both have measured under the same name is compared, smallest time with smallest time:

  spamoe bench -peer 'python3 torch_peer.py' -rounds 3 sgemm spectral`

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
	only := f.String("only", "", "leave out measurements whose names do not contain this `text`, such as \"b4 training step\"")
	recompute := f.Bool("recompute", false, "in training steps, let encoders compute their blocks again (activation checkpointing)")
	bf16 := f.bf16()
	var prof profiles
	prof.flags(f)
	var peer peerRun
	f.StringVar(&peer.command, "peer", "", "`command`, split at spaces, of a program to measure beside this one")
	f.IntVar(&peer.rounds, "rounds", 1, "`number` of times that both are run, with -peer")
	if err := f.parse(env, args); err != nil {
		return err
	}
	if f.NArg() == 0 {
		return misuse("name at least one of %s", benchNames())
	}
	if *repeats < 1 || peer.rounds < 1 {
		return misuse("-r is %d, -rounds %d; wanted 1 or more", *repeats, peer.rounds)
	}
	chosen := make([]bench, f.NArg())
	for i, name := range f.Args() {
		var ok bool
		if chosen[i], ok = findBench(name); !ok {
			return misuse("there is no bench %q; wanted one of %s", name, benchNames())
		}
	}
	if err := checkOutputs([]namedFile{{"-cpuprofile", prof.cpu}, {"-memprofile", prof.memory}}, nil); err != nil {
		return err
	}
	b := &bencher{ctx: ctx, out: env.stdout, repeats: *repeats, only: *only, recompute: *recompute, bf16: *bf16, rng: rand.New(rand.NewPCG(0, 0))}
	if peer.command != "" {
		if prof.cpu != "" || prof.memory != "" {
			return misuse("-cpuprofile and -memprofile are of this program alone, not with -peer")
		}
		return peer.compare(b, f.Args(), f.threads)
	}
	return prof.around(func() error {
		for _, c := range chosen {
			if err := c.run(b); err != nil {
				return err
			}
		}
		return nil
	})
}
