package mno_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/steady"
)

// After the first steps a step leaves nothing behind for the collector.
func TestStepAllocatesNothing(t *testing.T) {
	for name, m := range variants(t) {
		shape := []int{2, 2, 12, 12}
		if name == "2d reference" {
			shape[1] = 3
		}
		if strings.Contains(name, "1d") {
			shape = shape[:3]
		}
		x := random(1, shape...)
		tape := &autograd.Tape{Train: true, Once: true}
		objects, _ := steady.Step(t, 100, func() {
			tape.Reset()
			autograd.Mean(m.Forward(tape.Const(x))).Backward()
		})
		require.Zero(t, objects, name)
	}
}
