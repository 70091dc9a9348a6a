package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/spamoe/spamoe/autograd"
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
}

// bencher runs measurements and prints them.
type bencher struct {
	ctx     context.Context
	out     io.Writer
	repeats int
	rng     *rand.Rand
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
