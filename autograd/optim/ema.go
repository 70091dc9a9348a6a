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
	params  []*averaged
	of      map[*autograd.Param]*averaged
}

// averaged is a parameter with its average.
type averaged struct {
	param   *autograd.Param
	average *autograd.Buffer
	taken   bool // in the update at work, by take
}

// NewEMA returns an average that starts as the parameters of model are. It panics unless 0 <= decay < 1, and where
// model has no parameters behind exported fields, as AdamW.Add does.
func NewEMA(model any, decay float64) *EMA {
	if !(decay >= 0 && decay < 1) {
		panic(fmt.Sprintf("optim: EMA: decay %v; want 0 <= decay < 1", decay))
	}
	e := &EMA{Average: map[string]*autograd.Buffer{}, Updates: autograd.NewCounter(), decay: decay,
		of: map[*autograd.Param]*averaged{}}
	for name, p := range autograd.Params(model) {
		b := autograd.NewBuffer(0, p.Shape...)
		copy(b.Data, p.Data)
		e.Average[name] = b
		e.of[p] = &averaged{param: p, average: b}
		e.params = append(e.params, e.of[p])
	}
	if len(e.params) == 0 {
		panic(fmt.Sprintf("optim: EMA: a %T has no parameters behind exported fields; want at least one, see autograd.State", model))
	}
	return e
}

// Update takes the parameters as they are now into the average.
func (e *EMA) Update() { e.finish(e.begin()) }

// begin counts an update and returns the weight of the parameters in it.
func (e *EMA) begin() float64 {
	n := float64(e.Updates.Ints[0])
	e.Updates.Ints[0]++
	return 1 - min(e.decay, (1+n)/(10+n))
}

// take returns the average of p, which the caller takes in the new p, or nil.
func (e *EMA) take(p *autograd.Param) []float32 {
	a := e.of[p]
	if a == nil {
		return nil
	}
	a.taken = true
	return a.average.Data
}

// finish takes in the parameters that nobody else did.
func (e *EMA) finish(weight float64) {
	for _, a := range e.params {
		if !a.taken {
			kernel.Blend(a.average.Data, a.param.Data, float32(weight))
		}
		a.taken = false
	}
}

// Swap exchanges the parameters of the model and their averages, for an evaluation with the averages; a second Swap undoes it
// exactly.
func (e *EMA) Swap() {
	for _, a := range e.params {
		x, p := a.average.Data, a.param.Data
		for i := range x {
			x[i], p[i] = p[i], x[i]
		}
	}
}
