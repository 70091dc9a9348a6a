package loss

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/steady"
)

// TestLossesDoNotAllocate: values and gradients on a tape that has served before.
func TestLossesDoNotAllocate(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x, y := autograd.New(7, 3, 30, 31), autograd.New(7, 3, 30, 31)
	for i := range x.Data {
		x.Data[i], y.Data[i] = rng.Float32(), rng.Float32()
	}
	labels := make([]int, 7*3*30)
	for name, f := range map[string]func(p, q *autograd.Value) *autograd.Value{
		"L1L2":       func(p, q *autograd.Value) *autograd.Value { return L1L2(p, q, 0.6, 0.4) },
		"Lp":         func(p, q *autograd.Value) *autograd.Value { return Lp(p, q, LpConfig{Absolute: true}) },
		"RelativeL2": func(p, q *autograd.Value) *autograd.Value { return RelativeL2(p, q, 0) },
		"H1":         func(p, q *autograd.Value) *autograd.Value { return H1(p, q, H1Config{}) },
		"GradientL1": func(p, q *autograd.Value) *autograd.Value { return GradientL1(p, q, GradientL1Config{}) },
		"SSIM":       func(p, q *autograd.Value) *autograd.Value { return SSIM(p, q, SSIMConfig{}) },
		"CrossEntropy": func(p, _ *autograd.Value) *autograd.Value {
			return CrossEntropy(autograd.Reshape(p, -1, 31), labels, 0.1)
		},
	} {
		tape := &autograd.Tape{Once: true}
		run := func() {
			f(tape.Input(x), tape.Input(y)).Backward()
			tape.Reset()
		}
		objects, _ := steady.Step(t, 50, run)
		require.Zero(t, objects, name)
	}
}
