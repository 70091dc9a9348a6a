package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/golden"
)

func ExampleConv2d() {
	conv := nn.NewConv2d(nn.ConvConfig{In: 1, Out: 8, Kernel: [2]int{7, 1}, ConvOptions: autograd.ConvOptions{
		Stride: [2]int{2, 1}, Padding: [2]int{3, 0},
	}}, rand.New(rand.NewPCG(1, 2)))
	tape := &autograd.Tape{}
	fmt.Println(conv.Forward(tape.Const(autograd.New(2, 1, 1000, 70))).Shape)
	// Output: [2 8 500 70]
}

func TestConvGolden(t *testing.T) {
	c := golden.Load(t, "op_conv2d_groups")
	conv := nn.NewConv2d(options(c, 0, 1), nil)
	load(t, conv, c)
	check(t, c, conv, conv.Forward)

	c = golden.Load(t, "op_convT2d_groups_op")
	transposed := nn.NewConvTranspose2d(options(c, 1, 0), nil)
	load(t, transposed, c)
	check(t, c, transposed, transposed.Forward)
}

// options reads the config of a convolution; the weight has the output channels on one axis and the input channels on the
// other, one of them divided by the groups.
func options(c *golden.Case, out, in int) nn.ConvConfig {
	var cfg struct {
		Stride, Padding, Dilation, Groups int
		OutputPadding                     int `json:"output_padding"`
	}
	c.Config(&cfg)
	square := func(n int) [2]int { return [2]int{n, n} }
	w := c.Weights()["weight"].Shape
	n := [2]int{w[0], w[1] * max(cfg.Groups, 1)}
	return nn.ConvConfig{In: n[in], Out: n[out], Kernel: [2]int{w[2], w[3]}, ConvOptions: autograd.ConvOptions{
		Stride: square(max(cfg.Stride, 1)), Padding: square(cfg.Padding), Dilation: square(max(cfg.Dilation, 1)), Groups: cfg.Groups,
		OutputPadding: square(cfg.OutputPadding),
	}}
}

func TestConvStartsAsPyTorch(t *testing.T) {
	c := nn.ConvConfig{In: 8, Out: 20, Kernel: [2]int{3, 5}, ConvOptions: autograd.ConvOptions{Groups: 4}}
	conv := nn.NewConv2d(c, newRand())
	require.Equal(t, []int{20, 2, 3, 5}, conv.Weight.Shape)
	_, _, largest := moments(conv.Weight.Data)
	require.InEpsilon(t, 1/math.Sqrt(2*3*5), largest, 0.02)
	transposed := nn.NewConvTranspose2d(c, newRand())
	require.Equal(t, []int{8, 5, 3, 5}, transposed.Weight.Shape)
	require.Equal(t, []int{20}, transposed.Bias.Shape)
	_, _, largest = moments(transposed.Weight.Data)
	require.InEpsilon(t, 1/math.Sqrt(5*3*5), largest, 0.02)

	c.NoBias = true
	require.Nil(t, nn.NewConv2d(c, nil).Bias)
	c.Groups = 3
	require.PanicsWithValue(t, "nn: Conv2d: 3 groups for 8 input and 20 output channels", func() { nn.NewConv2d(c, nil) })
	require.PanicsWithValue(t, "nn: ConvTranspose2d: the kernel's height is 0; want at least 1", func() {
		nn.NewConvTranspose2d(nn.ConvConfig{In: 1, Out: 1}, nil)
	})
}

func TestDropout(t *testing.T) {
	drop := &nn.Dropout{P: 0.25}
	x := random(100, 100)
	for i := range x.Data {
		x.Data[i] = 1
	}
	tape := &autograd.Tape{Rand: newRand()}
	in := tape.Const(x)
	require.Same(t, in, drop.Forward(in), "evaluation passes everything")
	tape.Train = true
	y := drop.Forward(tape.Const(x))
	mean, _, largest := moments(y.Data)
	require.InDelta(t, 1, mean, 0.03)
	require.InDelta(t, 4./3, largest, 1e-6)
}
