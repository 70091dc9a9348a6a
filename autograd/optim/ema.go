package optim

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// EMA keeps an exponential moving average of the parameters of a model,
//
//	a <- d a + (1 - d) p,     d = min(decay, (1 + n) / (10 + n)) at update n = 0, 1, ..
//
// which often generalises better than the last iterate (Polyak averaging). The growing d lets the average forget the random
// start. Its exported fields are its whole state.
type EMA struct {
	Average map[string]*autograd.Buffer `param:"average"` // by name of the parameter
	Updates *autograd.Buffer            `param:"updates"`
	decay   float64
	names   []string
	params  []*autograd.Param
}

// NewEMA returns an average that starts as the parameters of model are. It panics unless 0 <= decay < 1.
func NewEMA(model any, decay float64) *EMA {
	if !(decay >= 0 && decay < 1) {
		panic(fmt.Sprintf("optim: EMA: decay %v; want 0 <= decay < 1", decay))
	}
	e := &EMA{Average: map[string]*autograd.Buffer{}, Updates: autograd.NewCounter(), decay: decay}
	for name, p := range autograd.Params(model) {
		b := autograd.NewBuffer(0, p.Shape...)
		copy(b.Data, p.Data)
		e.Average[name] = b
		e.names = append(e.names, name)
		e.params = append(e.params, p)
	}
	return e
}

// Update takes the parameters as they are now into the average.
func (e *EMA) Update() {
	n := float64(e.Updates.Ints[0])
	e.Updates.Ints[0]++
	c := float32(1 - min(e.decay, (1+n)/(10+n)))
	for i, p := range e.params {
		a, x := e.Average[e.names[i]].Data, p.Data
		kernel.Parallel(len(a), 1<<15, func(lo, hi int) {
			for j := lo; j < hi; j++ {
				// Not d a + c p: float32 d and c do not add up to one, which over 1/c updates shows in the fourth digit.
				a[j] += c * (x[j] - a[j])
			}
		})
	}
}

// Swap exchanges the parameters of the model and their averages, for an evaluation with the averages; a second Swap undoes it
// exactly.
func (e *EMA) Swap() {
	for i, p := range e.params {
		a := e.Average[e.names[i]].Data
		for j, x := range a {
			a[j], p.Data[j] = p.Data[j], x
		}
	}
}
