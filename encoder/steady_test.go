package encoder

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/steady"
)

// A pass of an encoder and its floor on a tape that has served before makes no more objects than the floor's samples.
func TestModelsDoNotAllocate(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	vit := ViTConfig{Patch: 8, Width: 32, Depth: 2, Heads: 2, QKVBias: true}
	convNeXt := ConvNeXtConfig{Widths: []int{8, 16, 16, 32}, Depths: []int{1, 1, 1, 1}}
	floor := func(mode FloorMode) FloorConfig { return FloorConfig{Mode: mode, Rho: Rho{Number: 50}} } // no map is that rough
	for name, c := range map[string]Config{
		"ViT":        {In: 1, Out: 4, Kind: KindViT, ViT: vit, Floor: floor(FloorOff)},
		"ConvNeXt":   {In: 1, Out: 4, Kind: KindConvNeXt, ConvNeXt: convNeXt, Floor: floor(FloorOff)},
		"layer":      {In: 1, Out: 4, Kind: KindViT, ViT: vit, Floor: floor(FloorLayer)},
		"floor loss": {In: 1, Out: 4, Kind: KindViT, ViT: vit, Floor: floor(FloorLoss)},
	} {
		m, err := New(c, rng)
		require.NoError(t, err, name)
		x := autograd.New(2, 1, 64, 40)
		nn.Normal(x, 0, 1, rng)
		tape := &autograd.Tape{Train: true, Once: true}
		run := func() {
			out := m.ForwardWith(tape.Const(x), Options{})
			y := autograd.Mean(autograd.Square(out.Latent))
			if out.FloorLoss != nil {
				y = autograd.Add(y, out.FloorLoss)
			}
			y.Backward()
			tape.Reset()
		}
		objects, _ := steady.Step(t, 50, run)
		require.LessOrEqual(t, objects, uint64(1), name)
	}
}
