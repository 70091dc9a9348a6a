package inversionnet

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
)

// OpenFWI's InversionNet has 24 409 123 parameters.
func ExampleNew() {
	m, err := New(Config{}, nil)
	fmt.Println(autograd.CountParams(m), err)
	// Output: 24409123 <nil>
}

func TestForward(t *testing.T) {
	m, err := New(Config{Widths: [5]int{2, 3, 4, 5, 6}}, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	x := autograd.New(2, 5, 1000, 70)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	before := m.Conv1.Norm.RunningMean.Data[0]
	tape := &autograd.Tape{NoGrad: true}
	y := m.Forward(tape.Const(x))
	require.Equal(t, []int{2, 1, 70, 70}, y.Shape)
	for _, v := range y.Data {
		require.True(t, v > -1 && v < 1)
	}
	require.Equal(t, before, m.Conv1.Norm.RunningMean.Data[0], "inference must not move the statistics")
	tape = &autograd.Tape{Train: true}
	grads := autograd.Sum(m.Forward(tape.Const(x))).Backward()
	require.NotEqual(t, before, m.Conv1.Norm.RunningMean.Data[0])
	for name, p := range autograd.Params(m) {
		require.NotNil(t, grads.Of(p), name)
	}
	require.PanicsWithValue(t, "inversionnet: input [1 5 1000 60]; want [batch, 5, 1000, 70]", func() {
		m.Forward(tape.Const(autograd.New(1, 5, 1000, 60)))
	})
}

func TestBadWidths(t *testing.T) {
	_, err := New(Config{Widths: [5]int{0, 0, -1}}, nil)
	require.ErrorContains(t, err, "width 2 is -1")
}
