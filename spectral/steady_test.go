package spectral

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/steady"
)

// Once its plans are made, a step through the operations of the package leaves nothing behind for the collector.
func TestStepAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	tape := &autograd.Tape{}
	check := func(name string, f func(x *autograd.Value) *autograd.Value, shape ...int) {
		x := autograd.New(shape...)
		for i := range x.Data {
			x.Data[i] = float32(rng.NormFloat64())
		}
		objects, _ := steady.Step(t, 100, func() {
			tape.Reset()
			autograd.Mean(f(tape.Input(x))).Backward()
		})
		require.Zero(t, objects, name)
	}
	for name, c := range map[string]Config{
		"line":      {In: 3, Out: 4, Modes: []int{6}},
		"plane":     {In: 3, Out: 4, Modes: []int{6, 4}},
		"separable": {In: 3, Out: 3, Modes: []int{6, 4}, Separable: true},
		"complex":   {In: 3, Out: 4, Modes: []int{6, 4}, Complex: true},
	} {
		v, err := NewConv(c, rng)
		require.NoError(t, err)
		shape := append(append([]int{2}, []int{10, 9}[:len(c.Modes)]...), 3)
		if c.Complex {
			shape = append(shape, 2)
		}
		fast := byLanes
		check(name, v.Forward, shape...)
		byLanes = false
		check(name+", plain", v.Forward, shape...)
		byLanes = fast
	}
	for _, c := range []BlockConfig{{}, {NoMLP: true}, {Preactivation: true}, {Normalise: NormaliseGroup}} {
		c.Channels, c.Modes, c.Layers = 4, []int{6, 4}, 2
		b, err := NewBlocks(c, rng)
		require.NoError(t, err)
		check(fmt.Sprintf("blocks %+v", c), func(x *autograd.Value) *autograd.Value {
			return b.Forward(b.Forward(x, 0, BlockOptions{}), 1, BlockOptions{})
		}, 2, 10, 9, 4)
	}
	check("transforms", func(x *autograd.Value) *autograd.Value { return IRFFT(RFFT(x, 2, NormOrtho), x.Shape[2:], NormOrtho) }, 2, 3, 8, 6)
	check("magnitude", func(x *autograd.Value) *autograd.Value { return MagnitudeL1{Gamma: 1}.Loss(x, autograd.Scale(x, 0.5)) }, 2, 1, 8, 6)
}
