package nn_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

func TestSoftGating(t *testing.T) {
	g := nn.NewSoftGating(3, 2, true)
	require.Equal(t, []int{1, 3, 1, 1}, g.Weight.Shape)
	tape := &autograd.Tape{}
	x := tape.Const(random(2, 4, 5, 3))
	y := g.Forward(x)
	require.InDelta(t, x.At(1, 2, 3, 1)+1, y.At(1, 2, 3, 1), 1e-6, "a new gate lets everything through and adds one")

	copy(g.Weight.Data, []float32{2, -1, 0.5})
	copy(g.Bias.Data, []float32{0, 1, 2})
	y = g.Forward(x)
	require.InDelta(t, 1-x.At(1, 2, 3, 1), y.At(1, 2, 3, 1), 1e-6)
	require.Nil(t, nn.NewSoftGating(3, 1, false).Bias)

	check := autograd.GradCheck{Params: []*autograd.Param{g.Weight, g.Bias}}
	require.NoError(t, autograd.CheckGrad(check, func(x []*autograd.Value) *autograd.Value { return g.Forward(x[0]) }, random(2, 4, 3)))
}
