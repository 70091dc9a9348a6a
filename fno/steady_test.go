package fno_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/internal/steady"
)

// After the first steps a step leaves nothing behind for the collector.
func TestStepAllocatesNothing(t *testing.T) {
	for name, c := range map[string]fno.Config{"default": {}, "padded": {Padding: []float64{0.25}}, "complex": {Complex: true}} {
		c.In, c.Out, c.Hidden, c.Modes = 2, 1, 4, []int{6, 4}
		m, err := fno.New(c, rand.New(rand.NewPCG(1, 2)))
		require.NoError(t, err)
		shape := []int{2, 2, 12, 12}
		if c.Complex {
			shape = append(shape, 2)
		}
		x := autograd.New(shape...)
		for i := range x.Data {
			x.Data[i] = float32(i % 7)
		}
		tape := &autograd.Tape{Train: true, Once: true}
		objects, _ := steady.Step(t, 100, func() {
			tape.Reset()
			autograd.Mean(m.Forward(tape.Const(x))).Backward()
		})
		require.Zero(t, objects, name)
	}
}
