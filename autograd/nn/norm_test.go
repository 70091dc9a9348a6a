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

func ExampleBatchNorm2d() {
	norm := nn.NewBatchNorm2d(1)
	x := autograd.FromSlice([]float32{1, 2, 3, 4}, 1, 1, 2, 2)
	train := &autograd.Tape{Train: true}
	norm.Forward(train.Const(x))
	fmt.Printf("%.2f %.3f %d\n", norm.RunningMean.Data, norm.RunningVar.Data, norm.Batches.Ints)
	for _, e := range autograd.State(norm) {
		fmt.Println(e.Name)
	}
	// Output:
	// [0.25] [1.067] [1]
	// weight
	// bias
	// running_mean
	// running_var
	// num_batches_tracked
}

// randomise gives weights and biases of a normalisation values that tell them apart.
func randomise(layer any) []*autograd.Param {
	var all []*autograd.Param
	for _, p := range autograd.Params(layer) {
		nn.Normal(p.Tensor, 0.5, 1, newRand())
		all = append(all, p)
	}
	return all
}

func TestNormsGolden(t *testing.T) {
	c := golden.Load(t, "op_batchnorm_train")
	batch := nn.NewBatchNorm2d(3)
	load(t, batch, c)
	check(t, c, batch, batch.Forward)
	require.Equal(t, int64(1), batch.Batches.Ints[0])

	c = golden.Load(t, "op_groupnorm")
	group := nn.NewGroupNorm(1, 6, 0)
	load(t, group, c)
	check(t, c, group, group.Forward)

	c = golden.Load(t, "op_instancenorm")
	check(t, c, nil, func(x *autograd.Value) *autograd.Value {
		return (&nn.InstanceNorm{}).Forward(autograd.AddScalar(autograd.Scale(x, 2), 1))
	})

	c = golden.Load(t, "op_layernorm")
	var cfg struct{ Eps float32 }
	c.Config(&cfg)
	layer := nn.NewLayerNorm(c.Weights()["weight"].Shape[0], cfg.Eps)
	load(t, layer, c)
	check(t, c, layer, layer.Forward)
}

func TestBatchNormLearnsStatistics(t *testing.T) {
	norm := nn.NewBatchNorm2d(2)
	x := autograd.New(4, 2, 5, 5)
	rng := newRand()
	tape := &autograd.Tape{Train: true}
	for range 200 {
		for i := range x.Data {
			x.Data[i] = 3 + 2*float32(rng.NormFloat64())
		}
		y := norm.Forward(tape.Const(x))
		mean, square, _ := moments(y.Data)
		require.InDelta(t, 0, mean, 1e-5)
		require.InDelta(t, 1, square, 1e-4)
		tape.Reset()
	}
	for c := range 2 {
		require.InDelta(t, 3, norm.RunningMean.Data[c], 0.2)
		require.InDelta(t, 4, norm.RunningVar.Data[c], 0.6)
	}
	before := norm.RunningMean.Data[0]
	y := norm.Forward((&autograd.Tape{}).Const(x))
	require.Equal(t, before, norm.RunningMean.Data[0], "evaluation leaves the statistics alone")
	want := (x.Data[0] - before) / float32(math.Sqrt(float64(norm.RunningVar.Data[0])+1e-5))
	require.InDelta(t, want, y.Data[0], 1e-5)
}

func TestNormGradients(t *testing.T) {
	for name, layer := range map[string]interface {
		Forward(*autograd.Value) *autograd.Value
	}{
		"layer":    nn.NewLayerNorm(6, 0),
		"group":    nn.NewGroupNorm(2, 4, 0),
		"instance": &nn.InstanceNorm{},
		"batch":    nn.NewBatchNorm2d(4),
	} {
		require.NoError(t, autograd.CheckGrad(autograd.GradCheck{Params: randomise(layer), Train: true}, func(x []*autograd.Value) *autograd.Value {
			return layer.Forward(x[0])
		}, random(3, 4, 5, 6)), name)
	}
}

func ExampleAdaIN() {
	norm := nn.NewAdaIN(3, 2, 0, rand.New(rand.NewPCG(1, 2)))
	tape := &autograd.Tape{}
	y := norm.Forward(tape.Const(autograd.New(4, 2, 8, 8)), tape.Const(autograd.New(3)))
	fmt.Println(y.Shape)
	for name, p := range autograd.Params(norm) {
		fmt.Println(name, p.Shape)
	}
	// Output:
	// [4 2 8 8]
	// mlp.0.weight [512 3]
	// mlp.0.bias [512]
	// mlp.2.weight [4 512]
	// mlp.2.bias [4]
}

func TestAdaIN(t *testing.T) {
	norm := nn.NewAdaIN(3, 2, 0, newRand())
	x, e := random(4, 2, 5, 6), random(4, 3)
	tape := &autograd.Tape{}
	y := norm.Forward(tape.Const(x), tape.Const(e))
	for b := range 4 {
		// Every sample has the mean and the spread that the perceptron makes of its embedding, whatever came in, ..
		one := autograd.FromSlice(e.Data[3*b:3*b+3], 3)
		wb := norm.Out.Forward(norm.Hidden.ForwardGELU(tape.Const(one)))
		for c := range 2 {
			mean, square, _ := moments(y.Data[(2*b+c)*30 : (2*b+c+1)*30])
			require.InDelta(t, wb.Data[2+c], mean, 1e-5)
			require.InDelta(t, math.Abs(float64(wb.Data[c])), math.Sqrt(square-mean*mean), 1e-4)
		}
		// .. and the same values as alone with that embedding.
		alone := norm.Forward(tape.Const(autograd.FromSlice(x.Data[60*b:60*b+60], 1, 2, 5, 6)), tape.Const(one))
		require.InDeltaSlice(t, alone.Data, y.Data[60*b:60*b+60], 1e-5)
	}
	check := autograd.GradCheck{Params: []*autograd.Param{norm.Out.Weight, norm.Out.Bias, norm.Hidden.Weight, norm.Hidden.Bias}}
	for _, embedding := range []*autograd.Tensor{e, random(3), random(1, 3)} {
		require.NoError(t, autograd.CheckGrad(check, func(v []*autograd.Value) *autograd.Value {
			return norm.Forward(v[0], v[1])
		}, x, embedding))
	}
	require.PanicsWithValue(t, "nn: AdaIN: embedding [2 3] for x [4 2 5 6]; want [3], [1 3] or [4 3]", func() {
		norm.Forward(tape.Const(x), tape.Const(random(2, 3)))
	})
	require.PanicsWithValue(t, "nn: AdaIN: shape [4 3 6]; want a batch of 2 channels on a grid", func() {
		norm.Forward(tape.Const(random(4, 3, 6)), tape.Const(e))
	})
}
