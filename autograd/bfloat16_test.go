package autograd

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The operations that Tape.BFloat16 lists round their products, the others do not.
func TestBFloat16RoundsWhatItLists(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x, w, v, scale := normal(rng, 1, 8, 24), normal(rng, 24, 24), normal(rng, 24, 24), normal(rng, 24)
	image, filter := normal(rng, 1, 3, 8, 8), normal(rng, 2, 3, 3, 3)
	type put = func(*Tensor) *Value
	for _, c := range []struct {
		name    string
		rounded bool
		f       func(on put) *Value
	}{
		{"Linear", true, func(on put) *Value { return Linear(on(x), on(w), nil) }},
		{"LinearGELU", true, func(on put) *Value { return LinearGELU(on(x), on(w), nil) }},
		{"LinearBranch", true, func(on put) *Value { return LinearBranch(on(x), on(w), nil, on(scale), on(x)) }},
		{"PerceptronBranch", true, func(on put) *Value { return PerceptronBranch(on(x), on(w), nil, on(v), nil, on(scale), on(x)) }},
		{"Attention", true, func(on put) *Value { return Attention(on(x), on(x), on(x)) }},
		{"SelfAttention", true, func(on put) *Value { return SelfAttention(on(x), 2, nil) }},
		{"Perceptron", false, func(on put) *Value { return Perceptron(on(x), on(w), nil, on(v), nil) }},
		{"MatMul", false, func(on put) *Value { return MatMul(on(x), on(w)) }},
		{"Conv2d", false, func(on put) *Value { return Conv2d(on(image), on(filter), nil, ConvOptions{}) }},
	} {
		run := func(rounded bool) (y, gx []float32) {
			tape := &Tape{BFloat16: rounded}
			var first *Value
			value := c.f(func(x *Tensor) *Value {
				on := tape.Input(x)
				if first == nil {
					first = on
				}
				return on
			})
			return value.Data, Sum(Mul(value, value)).Backward().Wrt(first).Data
		}
		y, gx := run(false)
		rounded, rounded2 := run(true)
		if c.rounded {
			require.NotEqual(t, y, rounded, c.name)
			require.NotEqual(t, gx, rounded2, c.name)
		} else {
			require.Equal(t, y, rounded, c.name)
			require.Equal(t, gx, rounded2, c.name)
		}
	}
}
