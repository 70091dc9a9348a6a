package nn_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

func ExampleLinear() {
	l := nn.NewLinear(2, 1, true, nil)
	copy(l.Weight.Data, []float32{1, 10})
	l.Bias.Data[0] = 0.5
	tape := &autograd.Tape{}
	y := l.Forward(tape.Const(autograd.FromSlice([]float32{1, 2, 3, 4}, 2, 2)))
	fmt.Println(y.Shape, y.Data)
	// Output: [2 1] [21.5 43.5]
}

func TestLinearStartsAsPyTorch(t *testing.T) {
	l := nn.NewPointwise(100, 50, 2, true, newRand())
	require.Equal(t, []int{50, 100, 1, 1}, l.Weight.Shape)
	require.Equal(t, []int{50}, l.Bias.Shape)
	// Uniform within 1/sqrt(100): the variance of 5000 values is that of the distribution within 5 of its standard errors.
	mean, square, largest := moments(l.Weight.Data)
	require.Less(t, largest, 0.1)
	require.Greater(t, largest, 0.099)
	require.InDelta(t, 0, mean, 5*0.1/math.Sqrt(3*5000))
	require.InDelta(t, 0.01/3, square, 5*0.01*math.Sqrt(4./45/5000))
	_, _, largest = moments(l.Bias.Data)
	require.Less(t, largest, 0.1)
	require.Nil(t, nn.NewLinear(3, 3, false, newRand()).Bias)
}

// moments returns mean, mean square and largest magnitude.
func moments(x []float32) (mean, square, largest float64) {
	for _, v := range x {
		mean += float64(v)
		square += float64(v) * float64(v)
		largest = max(largest, math.Abs(float64(v)))
	}
	return mean / float64(len(x)), square / float64(len(x)), largest
}

func TestInitialisers(t *testing.T) {
	const n = 200 * 100
	x := autograd.New(200, 25, 2, 2) // fan in 100, fan out 800
	in, out := nn.Fans(x.Shape)
	require.Equal(t, []int{100, 800}, []int{in, out})
	for _, c := range []struct {
		name     string
		fill     func()
		std, max float64 // max 0: unbounded
	}{
		{"uniform", func() { nn.Uniform(x, 3, newRand()) }, 3 / math.Sqrt(3), 3},
		{"normal", func() { nn.Normal(x, 0, 0.7, newRand()) }, 0.7, 0},
		{"truncated", func() { nn.TruncatedNormal(x, 0.02, 0.02, newRand()) }, 0.02 * 0.5396, 0.02},
		{"xavier uniform", func() { nn.XavierUniform(x, 2, newRand()) }, 2 * math.Sqrt(2./900), 2 * math.Sqrt(6./900)},
		{"xavier normal", func() { nn.XavierNormal(x, 2, newRand()) }, 2 * math.Sqrt(2./900), 0},
		{"kaiming", func() { nn.KaimingUniform(x, 0, newRand()) }, math.Sqrt(2. / 100), math.Sqrt(6. / 100)},
	} {
		c.fill()
		mean, square, largest := moments(x.Data)
		require.InDelta(t, 0, mean, 5*c.std/math.Sqrt(n), c.name)
		require.InEpsilon(t, c.std, math.Sqrt(square), 0.03, c.name)
		if c.max > 0 {
			require.LessOrEqual(t, largest, c.max*(1+1e-6), c.name)
		} else {
			require.Greater(t, largest, 3*c.std, c.name)
		}
	}
	nn.Normal(x, 5, 1, newRand())
	mean, _, _ := moments(x.Data)
	require.InDelta(t, 5, mean, 0.05)
}

func TestLinearGradients(t *testing.T) {
	l := nn.NewLinear(4, 3, true, newRand())
	check := autograd.GradCheck{Params: []*autograd.Param{l.Weight, l.Bias}}
	require.NoError(t, autograd.CheckGrad(check, func(x []*autograd.Value) *autograd.Value { return l.Forward(x[0]) }, random(2, 5, 4)))
	require.NoError(t, autograd.CheckGrad(check, func(x []*autograd.Value) *autograd.Value { return l.ForwardGELU(x[0]) }, random(2, 5, 4)))
}

func TestLinearGELUIsGELUOfLinear(t *testing.T) {
	l := nn.NewLinear(7, 5, true, newRand())
	tape := &autograd.Tape{}
	x := tape.Const(random(3, 7))
	require.InDeltaSlice(t, autograd.GELU(l.Forward(x)).Data, l.ForwardGELU(x).Data, 1e-6)
}
