package fno_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/loss"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/spectral"
)

func Example() {
	model, err := fno.New(fno.Config{In: 1, Out: 1, Hidden: 8, Modes: []int{6, 6}}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	tape := &autograd.Tape{NoGrad: true}
	for _, n := range []int{16, 32} { // the same weights on two grids
		y := model.Forward(tape.Const(autograd.New(2, 1, n, n)))
		fmt.Println(y.Shape)
	}
	fmt.Println(autograd.CountParams(model), "parameters")
	// Output:
	// [2 1 16 16]
	// [2 1 32 32]
	// 13273 parameters
}

// A super-resolution operator: the last block changes to a finer grid.
func ExampleModel_ForwardWith() {
	model, err := fno.New(fno.Config{In: 2, Out: 1, Hidden: 4, Modes: []int{8}, Layers: 2}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	tape := &autograd.Tape{NoGrad: true}
	y := model.ForwardWith(tape.Const(autograd.New(1, 2, 20)), fno.Options{Size: []int{50}})
	fmt.Println(y.Shape)
	// Output: [1 1 50]
}

// Training may begin with few modes, which are the smooth part of functions, and add more: the weights are there for all of them.
func ExampleModel_SetModes() {
	model, err := fno.New(fno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{4, 4}, MaxModes: []int{12, 12}}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, modes := range []int{4, 8, 12, 16} {
		if err := model.SetModes(modes, modes); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(model.Blocks.Convs[0].Modes())
	}
	// Output:
	// [4 4]
	// [8 8]
	// [12 12]
	// spectral: SetModes: [16 16]; want 1 to [12 12]
}

func newModel(t testing.TB, c fno.Config) *fno.Model {
	t.Helper()
	m, err := fno.New(c, rand.New(rand.NewPCG(3, 4)))
	require.NoError(t, err)
	return m
}

func random(seed uint64, shape ...int) *autograd.Tensor {
	x := autograd.New(shape...)
	nn.Normal(x, 0, 1, rand.New(rand.NewPCG(seed, 5)))
	return x
}

func run(m *fno.Model, x *autograd.Tensor, o fno.Options) *autograd.Tensor {
	tape := &autograd.Tape{NoGrad: true}
	return m.ForwardWith(tape.Const(x), o).Clone()
}

// variants has every setting at least once.
var variants = map[string]struct {
	c    fno.Config
	grid []int
	out  []int
}{
	"1d":            {fno.Config{In: 1, Out: 2, Hidden: 4, Modes: []int{4}, Layers: 2}, []int{9}, []int{9}},
	"2d":            {fno.Config{In: 1, Out: 2, Hidden: 4, Modes: []int{4, 4}, Layers: 2}, []int{6, 7}, []int{6, 7}},
	"3d":            {fno.Config{In: 1, Out: 1, Hidden: 3, Modes: []int{2, 3, 2}, Layers: 2, Padding: []float64{0.3}}, []int{4, 5, 4}, []int{4, 5, 4}},
	"pad":           {fno.Config{In: 1, Out: 1, Hidden: 3, Modes: []int{4, 4}, Layers: 2, Padding: []float64{0.25, 0}, PadEnd: true}, []int{6, 5}, []int{6, 5}},
	"pad and scale": {fno.Config{In: 1, Out: 1, Hidden: 3, Modes: []int{4, 4}, Layers: 2, Padding: []float64{0.25}, Scale: []float64{2, 1}}, []int{8, 4}, []int{16, 8}},
	"scale 3d":      {fno.Config{In: 1, Out: 1, Hidden: 3, Modes: []int{2, 2, 2}, Layers: 2, Scale: []float64{1, 1.5}}, []int{4, 4, 4}, []int{6, 6, 6}},
	"skips":         {fno.Config{In: 2, Out: 1, Hidden: 3, Modes: []int{4, 4}, Layers: 2, Skip: spectral.SkipGate, MLPSkip: spectral.SkipIdentity, LinearLifting: true}, []int{6, 6}, []int{6, 6}},
	"no skips":      {fno.Config{In: 2, Out: 1, Hidden: 3, Modes: []int{4, 4}, Layers: 2, Skip: spectral.SkipNone, MLPSkip: spectral.SkipNone, NoGrid: true}, []int{6, 6}, []int{6, 6}},
	"no mlp":        {fno.Config{In: 2, Out: 1, Hidden: 3, Modes: []int{4, 4}, Layers: 2, NoMLP: true, Tanh: true}, []int{6, 6}, []int{6, 6}},
	"preactivation": {fno.Config{In: 2, Out: 1, Hidden: 4, Modes: []int{4, 4}, Layers: 2, Preactivation: true, Normalise: spectral.NormaliseGroup}, []int{6, 6}, []int{6, 6}},
	"group":         {fno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{4, 4}, Layers: 2, Normalise: spectral.NormaliseGroup, NormGroups: 2}, []int{6, 6}, []int{6, 6}},
	"instance":      {fno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{4, 4}, Layers: 2, Normalise: spectral.NormaliseInstance}, []int{6, 6}, []int{6, 6}},
	"batch":         {fno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{4, 4}, Layers: 2, Normalise: spectral.NormaliseBatch}, []int{6, 6}, []int{6, 6}},
	"ada-in":        {fno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{4, 4}, Layers: 2, Normalise: spectral.NormaliseAdaIN, Embedding: 3}, []int{6, 6}, []int{6, 6}},
	"separable":     {fno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{4, 4}, Layers: 2, Separable: true}, []int{6, 6}, []int{6, 6}},
	"tucker":        {fno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{4, 4}, Layers: 2, Rank: 0.5}, []int{6, 6}, []int{6, 6}},
	"complex":       {fno.Config{In: 2, Out: 1, Hidden: 3, Modes: []int{4, 4}, Layers: 2, Complex: true, Padding: []float64{0.2}}, []int{6, 6}, []int{6, 6}},
	"complex norm":  {fno.Config{In: 1, Out: 1, Hidden: 3, Modes: []int{4}, Layers: 2, Complex: true, Normalise: spectral.NormaliseAdaIN, Embedding: 3, Scale: []float64{2, 1}}, []int{8}, []int{16}},
	"reference":     {fno.Reference(1, 1, 3, 3, 4), []int{7, 7}, []int{7, 7}},
	"upstream":      {fno.Upstream(1, 1, 3, 3, 4), []int{7, 7}, []int{7, 7}},
}

func TestVariants(t *testing.T) {
	for name, k := range variants {
		t.Run(name, func(t *testing.T) {
			c := k.c
			m := newModel(t, c)
			grid, err := m.OutputGrid(k.grid...)
			require.NoError(t, err)
			require.Equal(t, k.out, grid)
			shape := append([]int{2, c.In}, k.grid...)
			want := append([]int{2, c.Out}, k.out...)
			if c.Complex {
				shape, want = append(shape, 2), append(want, 2)
			}
			x, e := random(6, shape...), random(7, 2, 3)
			options := func(tape *autograd.Tape) (o fno.Options) {
				if c.Embedding > 0 {
					o.Embedding = tape.Const(e)
				}
				return o
			}
			checkGradients(t, m, x, func(x *autograd.Value) *autograd.Value {
				y := m.ForwardWith(x, options(x.Tape()))
				require.Equal(t, want, y.Shape)
				return y
			})
			// The configuration survives being written.
			b, err := json.Marshal(c)
			require.NoError(t, err)
			var again fno.Config
			require.NoError(t, json.Unmarshal(b, &again))
			require.Equal(t, c, again)
		})
	}
}

// checkGradients compares the slope of a weighted sum of outputs along a random direction of each parameter, and of the input, with
// the gradient. Some of these gradients are zero, those of biases ahead of a norm, or close to it: an error counts in relation to
// the largest slope of the model too. The golden cases hold gradients to 2e-5.
func checkGradients(t *testing.T, m *fno.Model, x *autograd.Tensor, f func(x *autograd.Value) *autograd.Value) {
	t.Helper()
	rng := rand.New(rand.NewPCG(8, 8))
	var weight []float32
	sum := func() float64 {
		tape := &autograd.Tape{Train: true}
		return kernel.Dot(f(tape.Const(x)).Data, weight)
	}
	tape := &autograd.Tape{Train: true}
	in := tape.Input(x)
	y := f(in)
	for range y.Data {
		weight = append(weight, float32(rng.NormFloat64()))
	}
	grads := tape.Backward(autograd.Seed{Value: y, Grad: weight})
	type target struct {
		name   string
		at     *autograd.Tensor
		grad   []float32
		d      []float32
		expect float64
	}
	targets := []target{{name: "input", at: x, grad: grads.Wrt(in).Data}}
	for name, p := range autograd.Params(m) {
		require.NotNil(t, grads.Of(p), name)
		targets = append(targets, target{name: name, at: p.Tensor, grad: grads.Of(p).Data})
	}
	largest := 0.0
	for i := range targets {
		k := &targets[i]
		norm := math.Sqrt(kernel.SumSquares(k.grad)) + 1e-30
		for _, g := range k.grad { // half along the gradient, half anywhere
			k.d = append(k.d, g/float32(norm)+float32(0.5*rng.NormFloat64()/math.Sqrt(float64(len(k.grad)))))
		}
		k.expect = kernel.Dot(k.grad, k.d)
		largest = max(largest, math.Abs(k.expect))
	}
	for _, k := range targets {
		start := k.at.Clone().Data
		slope := func(h float64) float64 {
			kernel.AddScaled(k.at.Data, 1, start, float32(h), k.d)
			up := sum()
			kernel.AddScaled(k.at.Data, 1, start, float32(-h), k.d)
			return (up - sum()) / (2 * h)
		}
		const h = 1.0 / 256
		got := (4*slope(h/2) - slope(h)) / 3
		copy(k.at.Data, start)
		require.InDelta(t, k.expect, got, 0.02*max(math.Abs(k.expect), 0.02*largest), k.name)
	}
}

// Without coordinates and padding the operator commutes with translations of periodic functions.
func TestTranslation(t *testing.T) {
	m := newModel(t, fno.Config{In: 1, Out: 1, Hidden: 6, Modes: []int{6, 6}, NoGrid: true})
	x := random(8, 1, 1, 10, 12)
	roll := func(x *autograd.Tensor) *autograd.Tensor {
		y := x.Clone()
		for p := range 10 {
			for q := range 12 {
				y.Set(x.At(0, 0, p, q), 0, 0, (p+3)%10, (q+7)%12)
			}
		}
		return y
	}
	want, got := roll(run(m, x, fno.Options{})), run(m, roll(x), fno.Options{})
	for i := range want.Data {
		require.InDelta(t, want.Data[i], got.Data[i], 1e-5)
	}
}

// wave samples a smooth periodic function.
func wave(n int) *autograd.Tensor {
	x := autograd.New(1, 1, n, n)
	for p := range n {
		for q := range n {
			u, v := 2*math.Pi*float64(p)/float64(n), 2*math.Pi*float64(q)/float64(n)
			x.Set(float32(math.Sin(u)*math.Cos(v)+0.5*math.Cos(2*u-v)), 0, 0, p, q)
		}
	}
	return x
}

// On finer and finer grids of one function the output converges, to the same function.
func TestResolutionChange(t *testing.T) {
	m := newModel(t, fno.Config{In: 1, Out: 1, Hidden: 8, Modes: []int{6, 6}, NoGrid: true})
	fine := run(m, wave(96), fno.Options{})
	largest := 0.0
	for _, v := range fine.Data {
		largest = max(largest, math.Abs(float64(v)))
	}
	for n, tol := range map[int]float64{24: 1e-3, 48: 1e-5} {
		y := run(m, wave(n), fno.Options{})
		for p := range n {
			for q := range n {
				require.InDelta(t, fine.At(0, 0, p*96/n, q*96/n), y.At(0, 0, p, q), tol*largest)
			}
		}
	}
}

func TestDropoutOnlyInTraining(t *testing.T) {
	c := fno.Config{In: 1, Out: 1, Hidden: 8, Modes: []int{4}, Layers: 1}
	plain := newModel(t, c)
	c.MLPDropout = 0.5
	m := newModel(t, c)
	x := random(9, 1, 1, 16)
	require.Equal(t, run(plain, x, fno.Options{}), run(m, x, fno.Options{}))
	tape := &autograd.Tape{Train: true, Rand: rand.New(rand.NewPCG(1, 1))}
	require.NotEqual(t, run(m, x, fno.Options{}).Data, m.Forward(tape.Const(x)).Data)
}

func TestSetModes(t *testing.T) {
	m := newModel(t, fno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{2, 2}, MaxModes: []int{6, 6}})
	x := random(10, 1, 1, 12, 12)
	few := run(m, x, fno.Options{})
	require.NoError(t, m.SetModes(6, 6))
	require.NotEqual(t, few, run(m, x, fno.Options{}))
	require.NoError(t, m.SetModes(2, 2))
	require.Equal(t, few, run(m, x, fno.Options{}))
	require.EqualError(t, m.SetModes(8, 6), "spectral: SetModes: [8 6]; want 1 to [6 6]")
}

// A model that is made from the configuration of another works with the modes that SetModes gave it.
func TestConfigHasTheModesInUse(t *testing.T) {
	for _, most := range [][]int{nil, {6, 6}} {
		m := newModel(t, fno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{6, 6}, MaxModes: most})
		require.NoError(t, m.SetModes(2, 3))
		require.Equal(t, []int{2, 3}, m.Config.Modes)
		require.Equal(t, []int{6, 6}, m.Config.MaxModes)
		again := newModel(t, m.Config)
		x := random(10, 1, 1, 12, 12)
		require.Equal(t, run(m, x, fno.Options{}), run(again, x, fno.Options{}))
		require.NoError(t, m.SetModes(6, 6), "back to all")
		require.Equal(t, []int{2, 3}, again.Config.Modes, "the new model has its own")
	}
}

// A batch of none goes through, and leaves parameters gradients of zeros.
func TestNoBatch(t *testing.T) {
	for name, k := range variants {
		t.Run(name, func(t *testing.T) {
			m := newModel(t, k.c)
			shape := append([]int{0, k.c.In}, k.grid...)
			want := append([]int{0, k.c.Out}, k.out...)
			if k.c.Complex {
				shape, want = append(shape, 2), append(want, 2)
			}
			tape := &autograd.Tape{}
			o := fno.Options{}
			if k.c.Embedding > 0 {
				o.Embedding = tape.Const(random(7, k.c.Embedding))
			}
			y := m.ForwardWith(tape.Input(autograd.New(shape...)), o)
			require.Equal(t, want, y.Shape)
			g := tape.Backward(autograd.Seed{Value: y})
			for name, p := range autograd.Params(m) {
				if d := g.Of(p); d != nil {
					require.Equal(t, make([]float32, p.Len()), d.Data, name)
				}
			}
		})
	}
}

// What a caller does to the lists of a configuration later does not reach the model.
func TestModelOwnsItsConfig(t *testing.T) {
	c := fno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{4, 4}, MaxModes: []int{8, 8}, Layers: 2, Padding: []float64{0.25, 0.25}, Scale: []float64{1, 2}}
	m, x := newModel(t, c), random(10, 1, 1, 12, 13)
	want := run(newModel(t, c.Clone()), x, fno.Options{})
	c.Modes[0], c.MaxModes[0], c.Padding[0], c.Scale[0] = 6, 6, 0.5, 2
	require.Equal(t, want, run(m, x, fno.Options{}))
}

func TestManyGoroutines(t *testing.T) {
	m := newModel(t, fno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{4, 4}})
	x := random(11, 1, 1, 10, 10)
	want := run(m, x, fno.Options{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 3 {
				if got := run(m, x, fno.Options{}); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Error("another result in another goroutine")
				}
			}
		})
	}
	wg.Wait()
}

// The names and shapes of the parameters are the file format: testdata/params.txt freezes them.
func TestParameterNames(t *testing.T) {
	var b strings.Builder
	for _, name := range []string{"1d", "2d", "3d", "batch", "ada-in", "separable", "tucker", "complex"} {
		fmt.Fprintln(&b, "#", name)
		for _, e := range autograd.State(newModel(t, variants[name].c)) {
			if e.Param != nil {
				fmt.Fprintln(&b, e.Name, e.Param.Shape)
			} else {
				fmt.Fprintln(&b, e.Name, e.Buffer.Shape)
			}
		}
	}
	want, err := os.ReadFile("testdata/params.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}

// curve trains for ten steps on one batch and returns the losses.
func curve(t *testing.T, threads int) []float32 {
	defer kernel.SetThreads(0)
	kernel.SetThreads(threads)
	m := newModel(t, fno.Config{In: 1, Out: 1, Hidden: 16, Modes: []int{8, 8}, Layers: 2})
	x := random(12, 4, 1, 16, 16)
	y := autograd.New(x.Shape...)
	for i := range y.Data { // something to learn: the square of the neighbour
		v := x.Data[i/16*16+(i+1)%16]
		y.Data[i] = v * v
	}
	opt := optim.NewAdamW(m, optim.Config{})
	tape := &autograd.Tape{Train: true}
	var losses []float32
	for range 10 {
		l := loss.MSE(m.Forward(tape.Const(x)), tape.Const(y))
		losses = append(losses, l.Data[0])
		opt.Step(5e-3, l.Backward())
		tape.Reset()
	}
	return losses
}

func TestTrainingCurve(t *testing.T) {
	one, two := curve(t, 1), curve(t, 2)
	require.Equal(t, one, two, "the losses depend on the number of threads")
	require.Less(t, one[9], 0.8*one[0])
}

func TestMisuse(t *testing.T) {
	for want, c := range map[string]fno.Config{
		"fno: 0 input, 4 hidden and 1 output channels; want at least 1 of each":                        {Out: 1, Hidden: 4, Modes: []int{4}},
		"fno: spectral: modes [] of 0 axes; want 1 to 3":                                               {In: 1, Out: 1, Hidden: 4},
		"fno: padding [0.1 0.1] for 1 axes":                                                            {In: 1, Out: 1, Hidden: 4, Modes: []int{4}, Padding: []float64{0.1, 0.1}},
		"fno: spectral: scale [1 2 3] for 4 blocks":                                                    {In: 1, Out: 1, Hidden: 4, Modes: []int{4}, Scale: []float64{1, 2, 3}},
		"fno: lifting_ratio -1, projection_ratio 2; want positive numbers":                             {In: 1, Out: 1, Hidden: 4, Modes: []int{4}, LiftingRatio: -1},
		"fno: lifting_ratio 1e+300, projection_ratio 2 of 4 hidden channels; want widths up to 2^30":   {In: 1, Out: 1, Hidden: 4, Modes: []int{4}, LiftingRatio: 1e300},
		"fno: lifting_ratio 2, projection_ratio +Inf of 4 hidden channels; want widths up to 2^30":     {In: 1, Out: 1, Hidden: 4, Modes: []int{4}, ProjectionRatio: math.Inf(1)},
		"fno: spectral: mlp_expansion 1e+300 of 4 channels; want a width up to 2^30":                   {In: 1, Out: 1, Hidden: 4, Modes: []int{4}, MLPExpansion: 1e300},
		"fno: spectral: normalise \"ada_in\" needs the width of an embedding, got 0":                   {In: 1, Out: 1, Hidden: 4, Modes: []int{4}, Normalise: spectral.NormaliseAdaIN},
		"fno: spectral: skip \"straight\"; want \"linear\", \"soft-gating\", \"identity\" or \"none\"": {In: 1, Out: 1, Hidden: 4, Modes: []int{4}, Skip: "straight"},
	} {
		_, err := fno.New(c, nil)
		require.EqualError(t, err, want)
	}
	m := newModel(t, fno.Config{In: 2, Out: 1, Hidden: 4, Modes: []int{4, 4}})
	require.PanicsWithValue(t, "fno: Forward: shape [1 3 8 8]; want [batch, 2 channels, 2 axes]", func() {
		run(m, autograd.New(1, 3, 8, 8), fno.Options{})
	})
	m = newModel(t, fno.Config{In: 2, Out: 1, Hidden: 4, Modes: []int{4, 4}, Complex: true})
	require.PanicsWithValue(t, "fno: Forward: shape [1 2 8 8]; want [batch, 2 channels, 2 axes, 2]", func() {
		run(m, autograd.New(1, 2, 8, 8), fno.Options{})
	})
	for want, scale := range map[string][]float64{
		"fno: block 1: spectral: scale [0.01] leaves no points of the grid [16 16]":                               {2, 0.01},
		"fno: block 0: spectral: scale [1e+300] of the grid [8 8] makes more than 2147483648 numbers of a sample": {1e300, 1},
	} {
		m = newModel(t, fno.Config{In: 2, Out: 1, Hidden: 4, Modes: []int{4, 4}, Layers: 2, Scale: scale})
		require.PanicsWithValue(t, want, func() { run(m, autograd.New(1, 2, 8, 8), fno.Options{}) })
	}
	for _, n := range [][]int{{8}, {8, 0}, nil} {
		_, err := m.OutputGrid(n...)
		require.EqualError(t, err, fmt.Sprintf("fno: grid %v; want 2 positive sizes", n))
	}
}
