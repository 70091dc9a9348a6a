package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/loss"
	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/internal/progress"
)

// batch is how many samples make one step.
const batch = 16

// steps returns how many optimiser steps some epochs over count samples take; what is left of an epoch after the last full batch
// waits for the next order.
func steps(count, epochs int) int { return epochs * (count / batch) }

// train fits o to data: AdamW with a rate that rises in the first steps and falls with a cosine, on the mean relative L2 error
// of batches of media, each turned or mirrored at random. The operator keeps the moving average of its parameters.
func train(ctx context.Context, o *operator, data *pairs, epochs int, rng *rand.Rand, bar *progress.Bar) error {
	n, size := data.n, data.n*data.n
	total := steps(data.count, epochs)
	warmup := min(50, total/10)
	rate := optim.Cosine{Base: 3e-3, Steps: max(1, total-warmup), Warmup: optim.Warmup{Steps: warmup, Factor: 0.01}}
	adam := optim.NewAdamW(o.net, optim.Config{Decay: 1e-4})
	average := optim.NewEMA(o.net, 0.99)
	tape := &autograd.Tape{Train: true, Rand: rng}
	x, y := make([]float32, batch*size), make([]float32, batch*size)
	var order []int
	for step := range total {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(order) < batch {
			order = rng.Perm(data.count)
		}
		for i, pick := range order[:batch] {
			s := symmetry(rng.IntN(symmetries))
			medium, solution := data.sample(pick)
			s.input(x[i*size:(i+1)*size], medium, n)
			s.solution(y[i*size:(i+1)*size], solution, n)
		}
		order = order[batch:]

		truth := tape.Const(autograd.FromSlice(y, batch, 1, n, n))
		l := loss.RelativeL2(o.forward(tape, x, n), truth, 0)
		if math.IsNaN(float64(l.Data[0])) {
			return fmt.Errorf("training diverged: the loss is not a number at step %d", step+1)
		}
		grads := l.Backward()
		adam.StepWith(rate.Rate(step), grads, optim.StepOptions{Clip: 1, Average: average})
		bar.Note("relative L2 %.3f", l.Data[0])
		bar.Add(1)
		tape.Reset()
	}
	average.Swap()
	return nil
}
