package fwi

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/internal/steady"
)

// After the first steps a training step of the preset "tiny" leaves next to nothing behind for the collector: no buffers, no closures.
func TestSteadyStep(t *testing.T) {
	cfg, err := Preset("tiny")
	require.NoError(t, err)
	m, err := New(cfg, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	const batch = 2
	x, y := autograd.New(append([]int{batch}, m.InputShape()...)...), autograd.New(append([]int{batch}, cfg.Y...)...)
	for i := range x.Data {
		x.Data[i] = float32(i%17) / 17
	}
	adam, average := optim.NewAdamW(m.Net, optim.Config{}), optim.NewEMA(m.Net, 0.9)
	source := rand.NewPCG(3, 4)
	tape := &autograd.Tape{Train: true, Once: true, Rand: rand.New(source)}
	objective := DefaultObjective()
	objects, bytes := steady.Step(t, 20, func() {
		tape.Reset()
		source.Seed(3, 4)
		out := forward(m.Net, tape.Const(x), false)
		l := objective.regularise(objective.Loss(out.Map, tape.Const(y)), out)
		adam.StepWith(1e-6, l.Backward(), optim.StepOptions{Clip: 1, Average: average})
	})
	require.Less(t, objects, uint64(30))
	require.Less(t, bytes, uint64(1<<20))
}
