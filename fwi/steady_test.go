package fwi

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/optim"
)

// After the first steps a training step of the preset "tiny" allocates small objects only, headers and closures: no buffers.
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
	step := func() {
		tape.Reset()
		source.Seed(3, 4)
		out := forward(m.Net, tape.Const(x), false)
		l := objective.regularise(objective.Loss(out.Map, tape.Const(y)), out)
		adam.StepWith(1e-6, l.Backward(), optim.StepOptions{Clip: 1, Average: average})
	}
	for range 3 {
		step()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const steps = 20 // scratch that a collection took from its pool comes back in one of them
	for range steps {
		step()
	}
	runtime.ReadMemStats(&after)
	require.Less(t, (after.Mallocs-before.Mallocs)/steps, uint64(900))
	require.Less(t, (after.TotalAlloc-before.TotalAlloc)/steps, uint64(1<<20), "bytes")
}
