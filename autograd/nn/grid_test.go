package nn_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/golden"
)

func ExampleGridEmbedding() {
	e := nn.NewGridEmbedding(1, [2]float64{-1, 1})
	tape := &autograd.Tape{}
	y := e.Forward(tape.Const(autograd.New(1, 4, 1))) // a field of four zeros
	fmt.Println(y.Shape, y.Data)
	// Output: [1 4 2] [0 -1 0 -0.5 0 0 0 0.5]
}

func TestGridEmbeddingGolden(t *testing.T) {
	c := golden.Load(t, "gridembedding")
	var cfg struct {
		Dim    int          `json:"dim"`
		Bounds [][2]float64 `json:"grid_boundaries"`
	}
	c.Config(&cfg)
	e := nn.NewGridEmbedding(cfg.Dim, cfg.Bounds...)
	check(t, c, e, e.ForwardChannelsFirst)
	check(t, c, e, func(x *autograd.Value) *autograd.Value {
		return autograd.ChannelsFirst(e.Forward(autograd.ChannelsLast(x)))
	})
}

func TestGridEmbeddingInThreeDimensions(t *testing.T) {
	e := nn.NewGridEmbedding(3, [2]float64{0, 1}, [2]float64{0, 2}, [2]float64{-1, 0})
	tape := &autograd.Tape{}
	x := tape.Const(random(2, 2, 4, 5, 1))
	y := e.Forward(x)
	require.Equal(t, []int{2, 2, 4, 5, 4}, y.Shape)
	for i := range 2 {
		for j := range 4 {
			for k := range 5 {
				want := []float32{x.At(1, i, j, k, 0), float32(i) / 2, float32(j) / 2, -1 + float32(k)/5}
				at := (((1*2+i)*4+j)*5 + k) * 4
				require.InDeltaSlice(t, want, y.Data[at:at+4], 1e-6)
			}
		}
	}
	first := e.ForwardChannelsFirst(autograd.ChannelsFirst(x))
	require.Equal(t, autograd.ChannelsFirst(y).Data, first.Data)
}

func TestGridEmbeddingGradients(t *testing.T) {
	e := nn.NewGridEmbedding(2)
	// The input enters twice, so that its gradient is added to what is there.
	for name, f := range map[string]func(x *autograd.Value) *autograd.Value{"last": e.Forward, "first": e.ForwardChannelsFirst} {
		require.NoError(t, autograd.CheckGrad(autograd.GradCheck{}, func(x []*autograd.Value) *autograd.Value {
			return autograd.Mul(f(x[0]), f(autograd.Scale(x[0], 2)))
		}, random(2, 3, 4, 2)), name)
		require.NoError(t, autograd.CheckGrad(autograd.GradCheck{}, func(x []*autograd.Value) *autograd.Value {
			return autograd.Mul(f(x[0]), f(x[0]))
		}, random(2, 3, 4, 2)), name)
	}
}

func TestGridEmbeddingIsSharedByGoroutines(t *testing.T) {
	e := nn.NewGridEmbedding(2)
	require.Equal(t, 2, e.Channels())
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			tape := &autograd.Tape{}
			n := 3 + i%4
			y := e.Forward(tape.Const(autograd.New(1, n, 5, 1)))
			require.InDelta(t, float32(n-1)/float32(n), y.At(0, n-1, 0, 1), 1e-6)
		})
	}
	wg.Wait()
}

func TestGridEmbeddingMisuse(t *testing.T) {
	require.Panics(t, func() { nn.NewGridEmbedding(4) })
	require.Panics(t, func() { nn.NewGridEmbedding(2, [2]float64{0, 1}) })
	require.PanicsWithValue(t, "nn: GridEmbedding: shape [2 3 4]; want batch, channels and 2 axes of a grid", func() {
		nn.NewGridEmbedding(2).Forward((&autograd.Tape{}).Const(autograd.New(2, 3, 4)))
	})
}
