package spectral

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

// Lane by lane or by matrix products of blocks, the convolution and its gradients are the same, whichever modes take part.
func TestMixByLanesIsMixByBlocks(t *testing.T) {
	best := byLanes
	defer func() { byLanes = best }()
	for name, s := range map[string]struct {
		config Config
		modes  []int
		grid   []int
	}{
		"line":     {Config{In: 3, Out: 5, Modes: []int{7}}, nil, []int{16}},
		"plane":    {Config{In: 35, Out: 33, Modes: []int{6, 8}}, nil, []int{12, 13}},
		"fewer":    {Config{In: 4, Out: 6, Modes: []int{6, 8}, MaxModes: []int{9, 10}}, []int{5, 6}, []int{12, 13}},
		"coarse":   {Config{In: 4, Out: 3, Modes: []int{9, 10}}, nil, []int{6, 5}},
		"space":    {Config{In: 2, Out: 3, Modes: []int{3, 4, 5}}, nil, []int{6, 5, 7}},
		"low rank": {Config{In: 6, Out: 5, Modes: []int{4, 4}, Rank: 0.4}, nil, []int{9, 9}},
		"complex":  {Config{In: 3, Out: 2, Modes: []int{4, 4}, Complex: true}, nil, []int{6, 7}},
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			conv, err := NewConv(s.config, rng)
			require.NoError(t, err)
			if s.modes != nil {
				require.NoError(t, conv.SetModes(s.modes...))
			}
			shape := append(append([]int{3}, s.grid...), s.config.In)
			if s.config.Complex {
				shape = append(shape, 2)
			}
			x := autograd.New(shape...)
			nn.Normal(x, 0, 1, rng)
			run := func() [][]float32 {
				tape := &autograd.Tape{}
				in := tape.Input(x)
				y := autograd.Add(conv.Forward(in), autograd.Scale(conv.Forward(in), 0.5)) // gradients meet others
				gy := autograd.New(y.Shape...)
				nn.Normal(gy, 0, 1, rand.New(rand.NewPCG(3, 4)))
				g := tape.Backward(autograd.Seed{Value: y, Grad: gy.Data})
				out := [][]float32{y.Data, g.Wrt(in).Data}
				for _, p := range autograd.Params(conv) {
					out = append(out, g.Of(p).Data)
				}
				return out
			}
			byLanes = false
			want := run()
			byLanes = true
			got := run()
			for i := range want {
				scale := 1.0
				for _, v := range want[i] {
					scale = max(scale, float64(v))
				}
				require.InDeltaSlice(t, want[i], got[i], 3e-6*scale, "%d", i)
			}
		})
	}
}
