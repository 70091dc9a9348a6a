package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/internal/kernel"
)

// measurement is one line of output.
type measurement struct {
	Name     string   `json:"name"`
	Threads  int      `json:"threads"`
	MedianMS float64  `json:"median_ms"`
	MinMS    float64  `json:"min_ms"`
	GFLOPS   *float64 `json:"gflops"`
	PeakMB   int      `json:"peak_mb"`
	Allocs   int      `json:"allocs"`
}

// bencher runs measurements and prints them.
type bencher struct {
	ctx     context.Context
	out     io.Writer
	repeats int
	only    string // what a name must contain to be measured
	// recompute lets encoders compute their blocks again in backward passes.
	recompute bool
	bf16      bool // on tapes of bfloat16
	rng       *rand.Rand
}

// measure times f, which does flop operations (0: not counted), and prints the result.
func (b *bencher) measure(name string, flop float64, f func()) error {
	if !strings.Contains(name, b.only) {
		return nil
	}
	f()
	times := make([]float64, b.repeats)
	before := mallocs()
	for i := range times {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		start := time.Now()
		f()
		times[i] = time.Since(start).Seconds()
	}
	allocs := (mallocs() - before) / uint64(b.repeats)
	slices.Sort(times)
	median := (times[(b.repeats-1)/2] + times[b.repeats/2]) / 2
	m := measurement{Name: name, Threads: kernel.Threads(), MedianMS: round(1e3*median, 3), MinMS: round(1e3*times[0], 3), PeakMB: peakMemory(), Allocs: int(allocs)}
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

// mallocs returns how many objects the process has allocated so far.
func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// operator measures the passes of a network for batches of 1 and 8.
func (b *bencher) operator(name string, net fwi.Network, input func(n int) *autograd.Tensor) error {
	for _, n := range []int{1, 8} {
		if err := b.passes(fmt.Sprintf("%s b%d", name, n), 0, net, input(n)); err != nil {
			return err
		}
	}
	return nil
}

// passes measures a forward pass, which does flop operations (0: not counted), without and with the gradient of the mean square
// of its output, taken to do three times as many.
func (b *bencher) passes(name string, flop float64, net fwi.Network, x *autograd.Tensor) error {
	if err := b.forward(name, flop, net, x); err != nil {
		return err
	}
	return b.backward(name+" forward+backward", 3*flop, net, x, func(*autograd.Grads) {})
}

// steps measures a forward pass of net over x, and a training step with the optimiser's.
func (b *bencher) steps(name string, net fwi.Network, x *autograd.Tensor) error {
	if err := b.forward(name, 0, net, x); err != nil {
		return err
	}
	opt := optim.NewAdamW(net, optim.Config{Decay: 1e-4})
	return b.backward(name+" training step", 0, net, x, func(g *autograd.Grads) { opt.Step(1e-4, g) })
}

func (b *bencher) forward(name string, flop float64, net fwi.Network, x *autograd.Tensor) error {
	tape := &autograd.Tape{NoGrad: true, BFloat16: b.bf16}
	return b.measure(name+" forward", flop, func() {
		net.Forward(tape.Const(x))
		tape.Reset()
	})
}

// backward measures a pass with the gradient of the mean square of its output, which step gets.
func (b *bencher) backward(name string, flop float64, net fwi.Network, x *autograd.Tensor, step func(*autograd.Grads)) error {
	tape := &autograd.Tape{Train: true, Rand: b.rng, Once: true, BFloat16: b.bf16}
	return b.measure(name, flop, func() {
		step(autograd.Mean(autograd.Square(net.Forward(tape.Const(x)))).Backward())
		tape.Reset()
	})
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
