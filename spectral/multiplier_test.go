package spectral_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/spectral"
)

// With the weight of a Conv a Multiplier does what the Conv does.
func TestMultiplierAgreesWithConv(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	conv, err := spectral.NewConv(spectral.Config{In: 3, Out: 2, Modes: []int{6, 4}, NoBias: true}, rng)
	require.NoError(t, err)
	m, err := spectral.NewMultiplier(3, 2, 6, 4)
	require.NoError(t, err)
	require.Equal(t, []int{6, 3}, m.Kept([]int{9, 8}))
	require.Equal(t, []int{5, 2}, m.Kept([]int{5, 2}))
	for _, n := range [][]int{nil, {9}, {9, 8, 7}, {9, 0}} {
		require.PanicsWithValue(t, fmt.Sprintf("spectral: Multiplier: grid %v; want 2 axes of at least 1 point", n), func() { m.Kept(n) })
	}
	x := autograd.New(2, 9, 8, 3)
	nn.Normal(x, 0, 1, rng)
	tape := &autograd.Tape{}
	v := tape.Input(x)
	want, got := conv.Forward(v), m.Forward(v, tape.Param(conv.Weight.Tensor))
	require.Equal(t, want.Data, got.Data)
	require.Panics(t, func() { m.Forward(tape.Input(autograd.New(1, 5, 2, 3)), tape.Param(conv.Weight.Tensor)) })
	_, err = spectral.NewMultiplier(3, 0, 4)
	require.Error(t, err)
}
