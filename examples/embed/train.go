package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/optim"
)

// batch is how many problems make one step.
const batch = 8

// train fits o to data in some steps of AdamW, with a rate that rises, then falls with a cosine, on the energy error. The operator
// keeps the moving average of its parameters. It returns the mean loss of the last steps/10 steps, and tells log how far it is ten times.
func train(ctx context.Context, o *operator, data *samples, steps int, rng *rand.Rand, log io.Writer) (float64, error) {
	warmup := min(50, steps/10)
	rate := optim.Cosine{Base: 3e-3, Steps: max(1, steps-warmup), Warmup: optim.Warmup{Steps: warmup, Factor: 0.01}}
	adam := optim.NewAdamW(o.net, optim.Config{Decay: 1e-4})
	average := optim.NewEMA(o.net, 0.99)
	tape := &autograd.Tape{Train: true, Rand: rng}
	var order []int
	last, counted := 0.0, 0
	for step := range steps {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if len(order) < batch {
			order = append(order, rng.Perm(data.count)...)
		}
		l := o.loss(tape, data, order[:batch])
		order = order[batch:]
		if math.IsNaN(float64(l.Data[0])) {
			return 0, fmt.Errorf("training diverged: the loss is not a number at step %d", step+1)
		}
		grads := l.Backward()
		adam.StepWith(rate.Rate(step), grads, optim.StepOptions{Clip: 1, Average: average})
		if step >= steps-max(1, steps/10) {
			last, counted = last+float64(l.Data[0]), counted+1
		}
		if (step+1)%max(1, steps/10) == 0 {
			fmt.Fprintf(log, "training: step %d of %d, energy error %.3f\n", step+1, steps, l.Data[0])
		}
		tape.Reset()
	}
	average.Swap()
	return last / float64(max(1, counted)), nil
}

// loss is the mean over problems and sources of the energy norm of the error, sqrt(e' A e): the targets have energy 1. Within it the
// galerkin correction is optimal. The sum runs over all faces, e' A e = sum of k (e(p) - e(p'))^2.
func (o *operator) loss(t *autograd.Tape, d *samples, pick []int) *autograd.Value {
	n, m, inner, nb, outputs := d.n, d.n+1, d.n-1, len(pick), side*side
	x := gather(t, d.input, pick, nb, n, n)
	truth := gather(t, d.target, pick, nb, outputs, inner, inner)
	east := gather(t, d.rootOfEast, pick, nb, 1, m, n)
	next := gather(t, d.rootOfNext, pick, nb, 1, n, m)

	p := o.forward(t, x.Data, n)
	p = autograd.Narrow(autograd.Narrow(p, 2, 1, inner), 3, 1, inner)
	e := autograd.Pad(autograd.Sub(p, truth), []int{1, 1, 1, 1}, autograd.PadZeros)
	flux := func(axis int, root *autograd.Value) *autograd.Value {
		jump := autograd.Sub(autograd.Narrow(e, axis, 1, n), autograd.Narrow(e, axis, 0, n))
		return autograd.SumAxes(autograd.Square(autograd.Mul(jump, autograd.Broadcast(root, jump.Shape...))), false, 2, 3)
	}
	return autograd.Mean(autograd.Sqrt(autograd.Add(flux(3, east), flux(2, next)), 1e-12))
}

// gather returns the chosen samples of an array, whose first axis they are, as a constant of the given shape.
func gather(t *autograd.Tape, from []float32, pick []int, shape ...int) *autograd.Value {
	x := t.Alloc(shape...)
	size := x.Len() / len(pick)
	for i, k := range pick {
		copy(x.Data[i*size:(i+1)*size], from[k*size:(k+1)*size])
	}
	return t.Const(x)
}
