package optim_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/internal/steady"
)

// A step with all that it may add, on parameters that are cut into several chunks, allocates nothing.
func TestStepDoesNotAllocate(t *testing.T) {
	m := &model{autograd.NewParam(300, 400), autograd.NewParam(3), autograd.NewComplexParam(5)}
	g, average, sum := randomGrads(m, rand.New(rand.NewPCG(1, 2))), optim.NewEMA(m, 0.9), optim.NewSum(m)
	opt := optim.NewAdamW(m, optim.Config{Decay: 0.1})
	objects, _ := steady.Step(t, 50, func() {
		sum.Reset()
		sum.Add(g, 0.5)
		sum.Add(g, 0.5)
		opt.StepWith(1e-3, sum, optim.StepOptions{Clip: 0.1, Average: average})
	})
	require.Zero(t, objects)
}
