package autograd_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
)

func ExampleGather() {
	tape := &autograd.Tape{}
	x := tape.Input(autograd.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 3, 2))
	y := autograd.Gather(x, []int{2, 0, 2})
	fmt.Println(y.Shape, y.Data)
	fmt.Println(autograd.Sum(y).Backward().Wrt(x).Data)
	// Output:
	// [3 2] [5 6 1 2 5 6]
	// [1 1 0 0 2 2]
}

func TestGather(t *testing.T) {
	x := autograd.New(5, 3, 2)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range x.Data {
		x.Data[i] = rng.Float32()
	}
	f := func(x []*autograd.Value) *autograd.Value {
		// x is used twice, so that gradients are added to one that is there.
		y := autograd.Gather(x[0], []int{4, 1, 1, 0, 4, 4})
		return autograd.Mul(y, autograd.Gather(x[0], []int{0, 1, 2, 3, 4, 0}))
	}
	require.NoError(t, autograd.CheckGrad(autograd.GradCheck{}, f, x))

	tape := &autograd.Tape{}
	require.Empty(t, autograd.Gather(tape.Input(x), nil).Data)
	require.PanicsWithValue(t, "autograd: Gather: no sample 5 in shape [5 3 2]", func() { autograd.Gather(tape.Input(x), []int{5}) })
	require.PanicsWithValue(t, "autograd: Gather: no sample -1 in shape [5 3 2]", func() { autograd.Gather(tape.Input(x), []int{-1}) })
	require.Panics(t, func() { autograd.Gather(tape.Input(autograd.New()), nil) })
}
