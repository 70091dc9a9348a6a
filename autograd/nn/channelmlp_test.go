package nn_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/golden"
)

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// random returns a tensor of normal values.
func random(shape ...int) *autograd.Tensor {
	x := autograd.New(shape...)
	nn.Normal(x, 0, 1, rand.New(rand.NewPCG(uint64(x.Len()), 3)))
	return x
}

func ExampleChannelMLP() {
	mlp := nn.NewChannelMLP(nn.ChannelMLPConfig{In: 32, Hidden: 16}, rand.New(rand.NewPCG(1, 2)))
	tape := &autograd.Tape{}
	y := mlp.Forward(tape.Const(autograd.New(4, 70, 70, 32)))
	fmt.Println(y.Shape)
	for name, p := range autograd.Params(mlp) {
		fmt.Println(name, p.Shape)
	}
	// Output:
	// [4 70 70 32]
	// fcs.0.weight [16 32 1]
	// fcs.0.bias [16]
	// fcs.1.weight [32 16 1]
	// fcs.1.bias [32]
}

func TestChannelMLPGolden(t *testing.T) {
	c := golden.Load(t, "channelmlp")
	var cfg struct {
		In     int `json:"in_channels"`
		Out    int `json:"out_channels"`
		Hidden int `json:"hidden_channels"`
		Layers int `json:"n_layers"`
	}
	c.Config(&cfg)
	mlp := nn.NewChannelMLP(nn.ChannelMLPConfig{In: cfg.In, Out: cfg.Out, Hidden: cfg.Hidden, Layers: cfg.Layers}, nil)
	load(t, mlp, c)
	check(t, c, mlp, func(x *autograd.Value) *autograd.Value {
		return autograd.ChannelsFirst(mlp.Forward(autograd.ChannelsLast(x)))
	})
}

func TestChannelMLPGradients(t *testing.T) {
	for layers := 1; layers <= 3; layers++ {
		mlp := nn.NewChannelMLP(nn.ChannelMLPConfig{In: 5, Out: 3, Hidden: 4, Layers: layers, Dropout: 0.25}, newRand())
		var params []*autograd.Param
		for _, p := range autograd.Params(mlp) {
			params = append(params, p)
		}
		require.Len(t, params, 2*layers)
		require.NoError(t, autograd.CheckGrad(autograd.GradCheck{Params: params, Train: true}, func(x []*autograd.Value) *autograd.Value {
			return mlp.Forward(x[0])
		}, random(2, 3, 4, 5)), "%d layers", layers)
	}
}

func TestChannelMLPDefaults(t *testing.T) {
	mlp := nn.NewChannelMLP(nn.ChannelMLPConfig{In: 6}, newRand())
	require.Len(t, mlp.FCs, 2)
	for _, fc := range mlp.FCs {
		require.Equal(t, []int{6, 6, 1}, fc.Weight.Shape)
	}
	require.PanicsWithValue(t, "nn: ChannelMLP: dropout 1; want 0 <= dropout < 1", func() {
		nn.NewChannelMLP(nn.ChannelMLPConfig{In: 6, Dropout: 1}, nil)
	})
	require.PanicsWithValue(t, "nn: Linear: the number of input channels is 0; want at least 1", func() {
		nn.NewChannelMLP(nn.ChannelMLPConfig{}, nil)
	})
}

// BenchmarkChannelMLP is the one of an FNO block at SPAMoE's size, forward and backward.
func BenchmarkChannelMLP(b *testing.B) {
	const nb, n, c = 4, 70, 64
	mlp := nn.NewChannelMLP(nn.ChannelMLPConfig{In: c, Hidden: c / 2}, newRand())
	x := random(nb, n, n, c)
	tape := &autograd.Tape{}
	ones := make([]float32, x.Len())
	for i := range ones {
		ones[i] = 1
	}
	for b.Loop() {
		y := mlp.Forward(tape.Input(x))
		tape.Backward(autograd.Seed{Value: y, Grad: ones})
		tape.Reset()
	}
	b.ReportMetric(3*2*2*nb*n*n*c*(c/2)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
