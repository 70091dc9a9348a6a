package loss

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// gradient is a loss of x and y that has found its values. add adds its gradients to gx and gy, either of which may be nil: those of
// sum over i of g[i] value[i]. One g stands for all values.
type gradient[T kernel.Float] interface{ add(gx, gy, g []T) }

// factor is that of value i.
func factor[T kernel.Float](g []T, i int) T {
	if len(g) == 1 {
		return g[0]
	}
	return g[i]
}

// gradientOf is a pointer to a loss.
type gradientOf[L any] interface {
	*L
	gradient[float32]
}

// record enters a loss of two tensors into their tape: its values, of the given shape, and its gradient.
func record[L any, P gradientOf[L]](name string, x, y *autograd.Value, values []float64, shape []int, loss L) *autograd.Value {
	out := x.Tape().Alloc(shape...)
	for i, v := range values {
		out.Data[i] = float32(v)
	}
	return autograd.Record(name, out, []*autograd.Value{x, y}, recorded[L, P]{x, y, loss})
}

// scalar is record for a loss of one value.
func scalar[L any, P gradientOf[L]](name string, x, y *autograd.Value, value float64, loss L) *autograd.Value {
	return record[L, P](name, x, y, []float64{value}, nil, loss)
}

type recorded[L any, P gradientOf[L]] struct {
	x, y *autograd.Value
	loss L
}

func (o *recorded[L, P]) Backward(g *autograd.Grads, gout []float32) {
	var gx, gy []float32
	if o.x.NeedsGrad() {
		gx = g.Zeroed(o.x)
	}
	if o.y.NeedsGrad() {
		gy = g.Zeroed(o.y)
	}
	P(&o.loss).add(gx, gy, gout)
}

// same panics unless x and y lie on one tape and have one shape, of at least rank axes and some elements.
func same(name string, x, y *autograd.Value, rank int) {
	if x.Tape() != y.Tape() {
		panic(fmt.Sprintf("loss: %s: prediction and target lie on different tapes", name))
	}
	if !slices.Equal(x.Shape, y.Shape) {
		panic(fmt.Sprintf("loss: %s: prediction %v and target %v differ in shape", name, x.Shape, y.Shape))
	}
	if x.Rank() < rank {
		panic(fmt.Sprintf("loss: %s: shape %v; want at least %d axes", name, x.Shape, rank))
	}
	if x.Len() == 0 {
		panic(fmt.Sprintf("loss: %s: shape %v has no elements", name, x.Shape))
	}
}

// span is the number of elements that one term of a sum covers: fixed, so that sums do not depend on the number of threads.
const span = 1 << 13

// total adds up in order.
func total(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s
}

// scratch keeps buffers for work on one image or function.
var scratch kernel.Scratch[float64]

// sign is the derivative of |x|, 0 at 0.
func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// Reduction says how the values of samples become one.
type Reduction int

const (
	// MeanOf averages.
	MeanOf Reduction = iota
	// SumOf adds up.
	SumOf
)

// weight returns what multiplies the sum of n values.
func (r Reduction) weight(n int) float64 {
	if err := known("reduction", int(r), reductionNames); err != nil {
		panic(err.Error())
	}
	if r == SumOf {
		return 1
	}
	return 1 / float64(n)
}

var reductionNames = []string{MeanOf: "mean", SumOf: "sum"}

// String returns "mean" or "sum".
func (r Reduction) String() string { return nameOf("Reduction", int(r), reductionNames) }

// MarshalText writes "mean" or "sum".
func (r Reduction) MarshalText() ([]byte, error) {
	return []byte(r.String()), known("reduction", int(r), reductionNames)
}

// UnmarshalText reads "mean" or "sum".
func (r *Reduction) UnmarshalText(text []byte) error {
	i, err := parse("reduction", string(text), reductionNames)
	*r = Reduction(i)
	return err
}

// nameOf is entry i of a list, or says which number of a type has none.
func nameOf(typ string, i int, names []string) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", typ, i)
	}
	return names[i]
}

// known is an error where a list has no entry i.
func known(what string, i int, names []string) error {
	if i < 0 || i >= len(names) {
		return fmt.Errorf("loss: %s %d; want one of %q", what, i, names)
	}
	return nil
}

// parse finds a name in a list.
func parse(what, text string, names []string) (int, error) {
	if i := slices.Index(names, text); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("loss: %s %q; want one of %q", what, text, names)
}
