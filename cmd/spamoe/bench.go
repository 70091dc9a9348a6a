package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/spectral"
)

const benchHelp = `
Times parts of the library at SPAMoE's default sizes and prints a line of JSON per measurement: name, threads, the median and
the smallest time in milliseconds, GFLOP/s (null where the count is not meaningful), and the peak memory of the process so
far in MB. Each is run once to warm up, then -r times.

  sgemm     matrix products of four shapes
  conv3x3   3x3 convolution, 128 to 128 channels, 8x70x70
  spectral  spectral convolution, 128 to 128 channels, 16x16 modes, 70x70, batches of 1 and 8
  fno       Fourier neural operator, 4 layers of 128 channels, 70x70, batches of 1 and 8
  paper     SPAMoE at the paper's sizes on one record of 1x1000x350: forward pass, and training step with the optimiser's

Inputs of a layer or operator ask for no gradient: "forward+backward" is the gradient of all parameters.`

// measurement is one line of output.
type measurement struct {
	Name     string   `json:"name"`
	Threads  int      `json:"threads"`
	MedianMS float64  `json:"median_ms"`
	MinMS    float64  `json:"min_ms"`
	GFLOPS   *float64 `json:"gflops"`
	PeakMB   int      `json:"peak_mb"`
}

// bencher runs measurements and prints them.
type bencher struct {
	ctx     context.Context
	out     io.Writer
	repeats int
	rng     *rand.Rand
}

var benches = map[string]func(*bencher) error{
	"sgemm": benchSgemm, "conv3x3": benchConv, "spectral": benchSpectral, "fno": benchFNO, "paper": benchPaper,
}

func benchNames() string { return strings.Join(slices.Sorted(maps.Keys(benches)), ", ") }

func benchmark(ctx context.Context, env *environment, args []string) error {
	f := newFlags("bench", "NAME...", benchHelp)
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
	for _, name := range f.Args() {
		if benches[name] == nil {
			return misuse("there is no bench %q; wanted one of %s", name, benchNames())
		}
	}
	b := &bencher{ctx: ctx, out: env.stdout, repeats: *repeats, rng: rand.New(rand.NewPCG(0, 0))}
	for _, name := range f.Args() {
		if err := benches[name](b); err != nil {
			return err
		}
	}
	return nil
}

// measure times f, which does flop operations (0: not counted), and prints the result.
func (b *bencher) measure(name string, flop float64, f func()) error {
	f()
	times := make([]float64, b.repeats)
	for i := range times {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		start := time.Now()
		f()
		times[i] = time.Since(start).Seconds()
	}
	slices.Sort(times)
	median := (times[(b.repeats-1)/2] + times[b.repeats/2]) / 2
	m := measurement{Name: name, Threads: kernel.Threads(), MedianMS: round(1e3*median, 3), MinMS: round(1e3*times[0], 3), PeakMB: peakMemory()}
	if flop > 0 {
		rate := round(flop/median/1e9, 1)
		m.GFLOPS = &rate
	}
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	// Spaces as Python's json writes them, so that lines of both can be compared as text.
	_, err = fmt.Fprintln(b.out, strings.ReplaceAll(strings.ReplaceAll(string(line), `":`, `": `), `,"`, `, "`))
	return err
}

func benchSgemm(b *bencher) error {
	for _, s := range [][3]int{{1024, 1024, 1024}, {39200, 128, 128}, {1386, 1536, 384}, {128, 4900, 128}} {
		m, n, k := s[0], s[1], s[2]
		x, y, z := b.normal(m, k).Data, b.normal(k, n).Data, make([]float32, m*n)
		err := b.measure(fmt.Sprintf("sgemm %dx%dx%d", m, n, k), 2*float64(m)*float64(n)*float64(k), func() {
			kernel.Gemm(false, false, m, n, k, x, k, y, n, z, n, false)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func benchConv(b *bencher) error {
	x, w := b.normal(8, 128, 70, 70), b.normal(128, 128, 3, 3)
	tape := &autograd.Tape{NoGrad: true}
	return b.measure("conv3x3 b8", 2*8*128*128*9*4900, func() {
		autograd.Conv2d(tape.Const(x), tape.Const(w), nil, autograd.ConvOptions{Padding: [2]int{1, 1}})
		tape.Reset()
	})
}

func benchSpectral(b *bencher) error {
	conv, err := spectral.NewConv(spectral.Config{In: 128, Out: 128, Modes: []int{16, 16}}, b.rng)
	if err != nil {
		return err
	}
	// Inside an operator the layer works channels-last.
	return b.operator("spectral", conv, func(n int) *autograd.Tensor { return b.normal(n, 70, 70, 128) })
}

func benchFNO(b *bencher) error {
	model, err := fno.New(fno.Config{In: 128, Out: 1, Hidden: 128, Modes: []int{16, 16}, Layers: 4}, b.rng)
	if err != nil {
		return err
	}
	return b.operator("fno", model, func(n int) *autograd.Tensor { return b.normal(n, 128, 70, 70) })
}

func benchPaper(b *bencher) error {
	cfg, err := fwi.Preset("paper")
	if err != nil {
		return err
	}
	model, err := fwi.New(cfg, b.rng)
	if err != nil {
		return err
	}
	net, opt := model.Net.(*fwi.SPAMoE), optim.NewAdamW(model.Net, optim.Config{Decay: 1e-4})
	x := b.normal(append([]int{1}, model.InputShape()...)...)
	infer, record := &autograd.Tape{NoGrad: true}, &autograd.Tape{Train: true, Rand: b.rng}
	err = b.measure("paper b1 forward", 0, func() {
		net.Forward(infer.Const(x))
		infer.Reset()
	})
	if err != nil {
		return err
	}
	return b.measure("paper b1 training step", 0, func() {
		grads := autograd.Mean(autograd.Square(net.Forward(record.Const(x)))).Backward()
		opt.Step(1e-4, grads)
		record.Reset()
	})
}

// operator measures a forward pass without and with the gradient of the mean square of its output, for batches of 1 and 8.
func (b *bencher) operator(name string, net interface {
	Forward(*autograd.Value) *autograd.Value
}, input func(n int) *autograd.Tensor) error {
	infer, record := &autograd.Tape{NoGrad: true}, &autograd.Tape{Train: true}
	for _, n := range []int{1, 8} {
		x := input(n)
		err := b.measure(fmt.Sprintf("%s b%d forward", name, n), 0, func() {
			net.Forward(infer.Const(x))
			infer.Reset()
		})
		if err != nil {
			return err
		}
		err = b.measure(fmt.Sprintf("%s b%d forward+backward", name, n), 0, func() {
			y := net.Forward(record.Const(x))
			autograd.Mean(autograd.Square(y)).Backward()
			record.Reset()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bencher) normal(shape ...int) *autograd.Tensor {
	t := autograd.New(shape...)
	for i := range t.Data {
		t.Data[i] = float32(b.rng.NormFloat64())
	}
	return t
}

// round rounds x to a number of decimal digits.
func round(x float64, digits int) float64 {
	p := math.Pow(10, float64(digits))
	return math.Round(x*p) / p
}
