package autograd

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/steady"
)

// Operations and their way back allocate nothing on a tape that has served before, on sizes that are cut into several chunks.
func TestOperationsDoNotAllocate(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const n = 96
	a := []*Tensor{normal(rng, 8, 128, n), normal(rng, 8, 128, n)}
	weights := func(x ...*Tensor) []*Tensor { return append([]*Tensor{normal(rng, 8, 128, n)}, x...) }
	image := func(x ...*Tensor) []*Tensor { return append([]*Tensor{normal(rng, 4, 16, 40, 40)}, x...) }
	square, vector := normal(rng, n, n), normal(rng, n)
	norm := weights(vector, vector)
	mean, variance := NewBuffer(0, 16), NewBuffer(1, 16)
	rotation := &Rotation{First: 1, Sin: make([]float32, 127*8), Cos: make([]float32, 127*8)}
	param := &Param{Tensor: vector}
	for _, c := range []struct {
		name string
		x    []*Tensor
		f    func(x []*Value) *Value
	}{
		{"Add", a, func(x []*Value) *Value { return Add(x[0], x[1]) }},
		{"Add twice", a, func(x []*Value) *Value { return Add(x[0], x[0]) }},
		{"Sub", a, func(x []*Value) *Value { return Sub(x[0], x[1]) }},
		{"Mul", a, func(x []*Value) *Value { return Mul(x[0], x[1]) }},
		{"Div", a, func(x []*Value) *Value { return Div(x[0], x[1]) }},
		{"Scale", a, func(x []*Value) *Value { return Scale(x[0], 2) }},
		{"AddScalar", a, func(x []*Value) *Value { return AddScalar(x[0], 2) }},
		{"Square", a, func(x []*Value) *Value { return Square(x[0]) }},
		{"Sqrt", a, func(x []*Value) *Value { return Sqrt(x[0], 20) }},
		{"Pow", a, func(x []*Value) *Value { return Pow(x[0], 2) }},
		{"Clamp", a, func(x []*Value) *Value { return Clamp(x[0], -1, 1) }},
		{"GELU", a, func(x []*Value) *Value { return GELU(x[0]) }},
		{"LeakyReLU", a, func(x []*Value) *Value { return LeakyReLU(x[0], 0.1) }},
		{"Dropout", a, func(x []*Value) *Value { return Dropout(x[0], 0.5) }},
		{"Sum", a, func(x []*Value) *Value { return Sum(x[0]) }},
		{"Reshape", a, func(x []*Value) *Value { return Reshape(x[0], 64, -1, n) }},
		{"Permute", a, func(x []*Value) *Value { return Permute(Reshape(x[0], 8, 16, 8, n), 0, 3, 2, 1) }},
		{"ChannelsLast", image(), func(x []*Value) *Value { return ChannelsLast(x[0]) }},
		{"ChannelsFirst", image(), func(x []*Value) *Value { return ChannelsFirst(x[0]) }},
		{"Narrow", a, func(x []*Value) *Value { return Narrow(x[0], 1, 3, 100) }},
		{"Concat", a, func(x []*Value) *Value { return Concat(1, x[0], x[1], x[0]) }},
		{"Gather", a, func(x []*Value) *Value { return Gather(x[0], []int{0, 3, 7, 3}) }},
		{"Broadcast", []*Tensor{normal(rng, 128, 1)}, func(x []*Value) *Value { return Broadcast(x[0], 8, 128, n) }},
		{"SumAxes, last", a, func(x []*Value) *Value { return SumAxes(x[0], true, 0, 2) }},
		{"MeanAxes", a, func(x []*Value) *Value { return MeanAxes(x[0], false, 1) }},
		{"MeanAxes, two", image(), func(x []*Value) *Value { return MeanAxes(x[0], false, 0, 2) }},
		{"GlobalAvgPool", image(), func(x []*Value) *Value { return GlobalAvgPool(x[0]) }},
		{"Pad", image(), func(x []*Value) *Value { return Pad(x[0], []int{1, 2, 0, 3}, PadReflect) }},
		{"Resize", image(), func(x []*Value) *Value { return Resize(x[0], []int{30, 50}, Interpolation{Mode: InterpolateLinear}) }},
		{"MaxPool2d", image(), func(x []*Value) *Value { return MaxPool2d(x[0], [2]int{2, 2}, [2]int{2, 2}, [2]int{}) }},
		{"Softmax", a, func(x []*Value) *Value { return Softmax(x[0]) }},
		{"AddLast", weights(vector), func(x []*Value) *Value { return AddLast(x[0], x[1]) }},
		{"MulLast", weights(vector), func(x []*Value) *Value { return MulLast(x[0], x[1]) }},
		{"LayerNorm", norm, func(x []*Value) *Value { return LayerNorm(x[0], x[1], x[2], 1e-5) }},
		{"LayerNorm, plain", norm, func(x []*Value) *Value { return LayerNorm(x[0], nil, nil, 1e-5) }},
		{"GroupNorm", image(normal(rng, 16), normal(rng, 16)), func(x []*Value) *Value { return GroupNorm(x[0], 4, x[1], x[2], 1e-5) }},
		{"InstanceNorm", image(), func(x []*Value) *Value { return InstanceNorm(x[0], 1e-5) }},
		{"BatchNorm", image(normal(rng, 16), normal(rng, 16)), func(x []*Value) *Value {
			return BatchNorm(x[0], x[1], x[2], mean, variance, nil, 0.1, 1e-5)
		}},
		{"MatMul", weights(square), func(x []*Value) *Value { return MatMul(x[0], x[1]) }},
		{"MatMulT", a, func(x []*Value) *Value { return MatMulT(x[0], x[1]) }},
		{"Linear", weights(square, vector), func(x []*Value) *Value { return Linear(x[0], x[1], x[2]) }},
		{"Linear of a parameter", weights(square), func(x []*Value) *Value { return Linear(x[0], x[1], x[0].tape.Param(param)) }},
		{"LinearGELU", weights(square, vector), func(x []*Value) *Value { return LinearGELU(x[0], x[1], nil) }},
		{"LinearBranch", weights(square, vector, vector), func(x []*Value) *Value { return LinearBranch(x[0], x[1], x[2], x[3], x[0]) }},
		{"Perceptron", weights(square, vector, square, vector), func(x []*Value) *Value { return Perceptron(x[0], x[1], x[2], x[3], x[4]) }},
		{"PerceptronBranch", weights(square, vector, square, vector, vector), func(x []*Value) *Value {
			return PerceptronBranch(x[0], x[1], x[2], x[3], x[4], x[5], x[0])
		}},
		{"Attention", a, func(x []*Value) *Value { return Attention(x[0], x[1], x[0]) }},
		{"SelfAttention", a, func(x []*Value) *Value { return SelfAttention(x[0], 2, rotation) }},
		{"Conv2d", image(normal(rng, 16, 16, 3, 3), normal(rng, 16)), func(x []*Value) *Value {
			return Conv2d(x[0], x[1], x[2], ConvOptions{Padding: [2]int{1, 1}})
		}},
		{"Conv2d, patches", image(normal(rng, 16, 16, 2, 2)), func(x []*Value) *Value {
			return Conv2d(x[0], x[1], nil, ConvOptions{Stride: [2]int{2, 2}})
		}},
		{"Conv2d, depthwise", image(normal(rng, 16, 1, 7, 7)), func(x []*Value) *Value {
			return Conv2d(x[0], x[1], nil, ConvOptions{Padding: [2]int{3, 3}, Groups: 16})
		}},
		{"ConvTranspose2d", image(normal(rng, 16, 16, 2, 2), normal(rng, 16)), func(x []*Value) *Value {
			return ConvTranspose2d(x[0], x[1], x[2], ConvOptions{Stride: [2]int{2, 2}})
		}},
		{"Recompute", a, func(x []*Value) *Value {
			return Recompute(x[0], func(x *Value) *Value { return Dropout(Scale(Mul(x, x), 2), 0.5) })
		}},
	} {
		tape := &Tape{Train: true, Rand: rand.New(rand.NewPCG(1, 2)), Once: true}
		x := make([]*Value, len(c.x))
		run := func() {
			for i, v := range c.x {
				x[i] = tape.Input(v)
			}
			Mean(c.f(x)).Backward()
			tape.Reset()
		}
		objects, _ := steady.Step(t, 50, run)
		require.Zero(t, objects, c.name)
	}
}
