package lno_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/steady"
	"github.com/spamoe/spamoe/lno"
)

// After the first steps a step leaves nothing behind for the collector.
func TestStepAllocatesNothing(t *testing.T) {
	for name, c := range variants() {
		if c.Scale != nil {
			continue // new sizes are lists
		}
		m, err := lno.New(c, rand.New(rand.NewPCG(1, 2)))
		require.NoError(t, err)
		x := autograd.New(append([]int{2, c.In}, c.Grid...)...)
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
