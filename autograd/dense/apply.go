package dense

import (
	"fmt"
	"sync"

	"gorgonia.org/tensor"

	"github.com/spamoe/spamoe/autograd"
)

// Apply turns f, usually the Forward of a model, into a function of dense tensors, for inference: f runs in evaluation mode and
// records no gradients. What f panics with because a shape does not fit comes back as an error. The result has memory of its own,
// and the function may be called from many goroutines at once if f may.
func Apply(f func(x *autograd.Value) *autograd.Value) func(x *tensor.Dense) (*tensor.Dense, error) {
	tapes := sync.Pool{New: func() any { return &autograd.Tape{NoGrad: true} }}
	return func(x *tensor.Dense) (*tensor.Dense, error) {
		in, err := From(x)
		if err != nil {
			return nil, err
		}
		tape := tapes.Get().(*autograd.Tape)
		y, err := run(f, tape.Const(in))
		if err != nil {
			return nil, err // with the tape, whose state after a panic is nobody's business
		}
		y = y.Clone()
		tape.Reset()
		tapes.Put(tape)
		return To(y)
	}
}

// run calls f and turns a panic with a message, which is how operations report misuse, into an error. Other panics, run-time
// errors above all, are defects and go on.
func run(f func(x *autograd.Value) *autograd.Value, x *autograd.Value) (y *autograd.Tensor, err error) {
	defer func() {
		r := recover()
		if message, ok := r.(string); ok {
			err = fmt.Errorf("dense: Apply: input %v: %s", x.Shape, message)
		} else if r != nil {
			panic(r)
		}
	}()
	return f(x).Tensor, nil
}
