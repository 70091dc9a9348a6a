package moe_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/steady"
	"github.com/spamoe/spamoe/moe"
)

// What a step leaves behind is the route: lists of choices, a few objects for a batch of any size.
func TestStepAllocatesRouteOnly(t *testing.T) {
	for name, c := range map[string]moe.Config{"default": {Balance: 1}, "no attention": {NoAttention: true}, "hard": {HardBands: true}, "reference": {Defects: moe.ReferenceDefects()}} {
		c.Channels = 3
		m, err := moe.New(c, []moe.Expert{&counter{}, &counter{}, &counter{}}, rand.New(rand.NewPCG(1, 2)))
		require.NoError(t, err)
		x := random(1, 4, 3, 8, 8)
		tape := &autograd.Tape{Train: true, Once: true}
		objects, _ := steady.Step(t, 100, func() {
			tape.Reset()
			autograd.Mean(m.Forward(tape.Input(x))).Backward()
		})
		require.LessOrEqual(t, objects, uint64(7), name)
	}
}
