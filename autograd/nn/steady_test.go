package nn_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/steady"
)

// Layers allocate nothing on a tape that has served before.
func TestLayersDoNotAllocate(t *testing.T) {
	grid := nn.NewGridEmbedding(2)
	mlp := nn.NewChannelMLP(nn.ChannelMLPConfig{In: 8, Layers: 3, Dropout: 0.2}, newRand())
	adain := nn.NewAdaIN(6, 8, 0, newRand())
	norm := nn.NewBatchNorm2d(8)
	gate := nn.NewSoftGating(8, 2, true)
	embedding := random(4, 6)
	for name, c := range map[string]struct {
		x *autograd.Tensor
		f func(x *autograd.Value) *autograd.Value
	}{
		"GridEmbedding":                 {random(4, 20, 30, 8), grid.Forward},
		"GridEmbedding, channels first": {random(4, 8, 20, 30), grid.ForwardChannelsFirst},
		"ChannelMLP":                    {random(4, 20, 30, 8), mlp.Forward},
		"BatchNorm2d":                   {random(4, 8, 20, 30), norm.Forward},
		"SoftGating":                    {random(4, 20, 30, 8), gate.Forward},
		"AdaIN": {random(4, 8, 20, 30), func(x *autograd.Value) *autograd.Value {
			return adain.Forward(x, x.Tape().Const(embedding))
		}},
	} {
		tape := &autograd.Tape{Train: true, Rand: newRand(), Once: true}
		objects, _ := steady.Step(t, 50, func() {
			autograd.Mean(c.f(tape.Input(c.x))).Backward()
			tape.Reset()
		})
		require.Zero(t, objects, name)
	}
}
