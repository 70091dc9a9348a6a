package lno_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/lno"
	"github.com/spamoe/spamoe/spectral"
)

// variants are models of all parts: one block for each setting that there are several of.
func variants() map[string]lno.Config {
	c := lno.Config{In: 2, Out: 1, Hidden: 4, Modes: []int{4, 4}, Grid: []int{12, 12}, Layers: 2}
	with := func(change func(c *lno.Config)) lno.Config {
		c := c
		change(&c)
		return c
	}
	out := map[string]lno.Config{
		"default":   c,
		"reference": lno.Reference(2, 1, 4, []int{4, 4}, []int{12, 12}),
		"parts":     with(func(c *lno.Config) { c.Differential, c.Integral = []bool{true, false}, []bool{false, true} }),
		"perceptron": with(func(c *lno.Config) {
			c.MLP, c.Normalise, c.Tanh = true, spectral.NormaliseGroup, true
		}),
		"batch norm": with(func(c *lno.Config) { c.Normalise, c.Skip = spectral.NormaliseBatch, spectral.SkipIdentity }),
		"groups":     with(func(c *lno.Config) { c.Depthwise, c.IntegralGroups, c.NoIntegralBias = true, 2, true }),
		"gate":       with(func(c *lno.Config) { c.Skip, c.MLP, c.MLPSkip = spectral.SkipGate, true, spectral.SkipNone }),
		"scale":      with(func(c *lno.Config) { c.Scale, c.MLP = []float64{2, 0.5}, true }),
		"zernike":    with(func(c *lno.Config) { c.Basis, c.Padding = lno.Basis{Kind: lno.Zernike}, lno.Reflect }),
		"morlet":     with(func(c *lno.Config) { c.Basis, c.NoGrid = lno.Basis{Kind: lno.Morlet, Shape: []int{2, 3}}, true }),
		"spectral":   with(func(c *lno.Config) { c.Differential, c.Integral = []bool{false}, []bool{false} }),
		"1d":         with(func(c *lno.Config) { c.Modes, c.Grid = []int{4}, []int{12} }),
		"3d":         with(func(c *lno.Config) { c.Modes, c.Grid = []int{4, 4, 4}, []int{6, 6, 6} }),
	}
	return out
}

func build(t testing.TB, c lno.Config) *lno.Model {
	rng := rand.New(rand.NewPCG(1, 2))
	m, err := lno.New(c, rng)
	require.NoError(t, err)
	for _, l := range m.Blocks.Integral {
		if l.Bias != nil {
			nn.Normal(l.Bias.Tensor, 0, 0.3, rng)
		}
	}
	return m
}

// input is a batch for a model on a grid of n points along each axis.
func input(c lno.Config, nb, n int) *autograd.Tensor {
	shape := []int{nb, c.In}
	for range c.Modes {
		shape = append(shape, n)
	}
	return normal(rand.New(rand.NewPCG(3, 4)), shape...)
}

// The names and shapes of parameters and buffers are the file format: testdata/params.txt freezes them.
func TestParameterNames(t *testing.T) {
	var b strings.Builder
	all := variants()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintln(&b, "#", name)
		for _, e := range autograd.State(build(t, all[name])) {
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

func TestModelGradients(t *testing.T) {
	for name, c := range variants() {
		t.Run(name, func(t *testing.T) {
			m := build(t, c)
			// Layers behind each other are far from linear, and their float32 noise adds up: a small step, and a tolerance to match.
			check := autograd.GradCheck{Train: true, Directions: 2, Tol: 1e-2, Step: 1. / 32}
			for name, p := range autograd.Params(m) {
				// Batch norm takes off the mean, so biases ahead of it have gradients of zero, to which errors cannot be relative.
				if c.Normalise != spectral.NormaliseBatch || !strings.Contains(name, "conv") || !strings.HasSuffix(name, "bias") {
					check.Params = append(check.Params, p)
				}
			}
			require.NoError(t, autograd.CheckGrad(check, one(m.Forward), input(c, 2, c.Grid[0])))
		})
	}
}

// Any batch on any grid: every sample has its own result.
func TestGridsAndBatches(t *testing.T) {
	for name, c := range variants() {
		t.Run(name, func(t *testing.T) {
			m := build(t, c)
			grids := [][]int{{12, 12}, {15, 12}, {24, 17}}
			if len(c.Modes) == 1 {
				grids = [][]int{{12}, {31}}
			} else if len(c.Modes) == 3 {
				grids = [][]int{{6, 5, 8}}
			}
			for _, n := range grids {
				grid, err := m.OutputGrid(n...)
				require.NoError(t, err)
				require.Equal(t, n, grid)
				x := normal(rand.New(rand.NewPCG(5, 6)), append([]int{3, 2}, n...)...)
				tape := &autograd.Tape{NoGrad: true}
				all := m.Forward(tape.Const(x))
				require.Equal(t, append([]int{3, 1}, n...), all.Shape)
				size := x.Len() / 3
				for b := range 3 {
					one := m.Forward(tape.Const(autograd.FromSlice(x.Data[b*size:][:size], append([]int{1, 2}, n...)...)))
					require.InDeltaSlice(t, one.Data, all.Data[b*one.Len():][:one.Len()], 1e-5)
				}
			}
		})
	}
}

func TestOutputSize(t *testing.T) {
	m := build(t, variants()["default"])
	tape := &autograd.Tape{NoGrad: true}
	y := m.ForwardWith(tape.Const(input(m.Config, 2, 12)), lno.Options{Size: []int{20, 9}})
	require.Equal(t, []int{2, 1, 20, 9}, y.Shape)
}

func TestEmbedding(t *testing.T) {
	c := variants()["default"]
	c.Normalise, c.Embedding = spectral.NormaliseAdaIN, 3
	m := build(t, c)
	tape := &autograd.Tape{NoGrad: true}
	x := tape.Const(input(c, 2, 12))
	a := m.ForwardWith(x, lno.Options{Embedding: tape.Const(autograd.FromSlice([]float32{1, 2, 3}, 3))})
	b := m.ForwardWith(x, lno.Options{Embedding: tape.Const(autograd.FromSlice([]float32{1, -2, 3}, 3))})
	require.NotEqual(t, a.Data, b.Data)
	require.Panics(t, func() { m.Forward(x) })
}

// Without coordinates, a shift of a periodic function is one of the result.
func TestShift(t *testing.T) {
	const n = 16
	m := build(t, lno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{6, 6}, Grid: []int{n, n}, Layers: 3, NoGrid: true})
	x := input(m.Config, 1, n)
	shifted := autograd.New(x.Shape...)
	for i := range n {
		for j := range n {
			shifted.Set(x.At(0, 0, i, j), 0, 0, (i+3)%n, (j+5)%n)
		}
	}
	tape := &autograd.Tape{NoGrad: true}
	a, b := m.Forward(tape.Const(x)), m.Forward(tape.Const(shifted))
	size := 0.0
	for i := range n {
		for j := range n {
			require.InDelta(t, a.At(0, 0, i, j), b.At(0, 0, (i+3)%n, (j+5)%n), 1e-5)
			size = max(size, math.Abs(float64(a.At(0, 0, i, j)-a.At(0, 0, 0, 0))))
		}
	}
	require.Greater(t, size, 0.01)
}

// Outputs and gradients do not depend on the number of threads, nor outputs on whether gradients are recorded.
func TestThreads(t *testing.T) {
	threads := kernel.Threads()
	defer kernel.SetThreads(threads)
	m := build(t, lno.Config{In: 2, Out: 1, Hidden: 24, Modes: []int{8, 8}, Grid: []int{40, 40}, Layers: 2})
	x := input(m.Config, 2, 40)
	run := func(n int) (y []float32, grads [][]float32) {
		kernel.SetThreads(n)
		tape := &autograd.Tape{}
		v := m.Forward(tape.Input(x))
		g := tape.Backward(autograd.Seed{Value: v, Grad: slices.Repeat([]float32{0.1, -0.3}, v.Len()/2)})
		for _, p := range params(m) {
			grads = append(grads, g.Of(p).Data)
		}
		return v.Data, grads
	}
	y, grads := run(1)
	other, others := run(5)
	require.Equal(t, y, other)
	require.Equal(t, grads, others)
	tape := &autograd.Tape{NoGrad: true}
	require.Equal(t, y, m.Forward(tape.Const(x)).Data)
}

// Many goroutines share a model, on grids that are new to it.
func TestConcurrentUse(t *testing.T) {
	m := build(t, variants()["default"])
	results := make([][]float32, 8)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			tape := &autograd.Tape{}
			for n := 12; n < 18; n++ {
				tape.Reset()
				y := m.Forward(tape.Input(input(m.Config, 1, n)))
				tape.Backward(autograd.Seed{Value: y, Grad: make([]float32, y.Len())})
				results[i] = append(results[i], y.Data...)
			}
		})
	}
	wg.Wait()
	for _, r := range results[1:] {
		require.Equal(t, results[0], r)
	}
}

func TestSetModes(t *testing.T) {
	c := variants()["default"]
	c.MaxModes = []int{8, 8}
	m := build(t, c)
	tape := &autograd.Tape{NoGrad: true}
	x := input(c, 1, 12)
	few := slices.Clone(m.Forward(tape.Const(x)).Data)
	require.NoError(t, m.SetModes(8, 8))
	require.NotEqual(t, few, m.Forward(tape.Const(x)).Data)
	require.Error(t, m.SetModes(9, 8))
	require.Equal(t, []int{8, 8}, m.Config.Modes)
	require.NoError(t, m.SetModes(3, 2))
	want := slices.Clone(m.Forward(tape.Const(x)).Data)
	require.Equal(t, want, build(t, m.Config).Forward(tape.Const(x)).Data, "a model made from its configuration")
}

// A batch of none goes through, and leaves parameters gradients of zeros.
func TestNoBatch(t *testing.T) {
	for name, c := range variants() {
		t.Run(name, func(t *testing.T) {
			m, tape := build(t, c), &autograd.Tape{}
			y := m.Forward(tape.Input(input(c, 0, 12)))
			require.Zero(t, y.Shape[0])
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
	c := variants()["parts"]
	c.MaxModes, c.Domain, c.Scale, c.Basis.Shape = []int{8, 8}, []float64{2, 2}, []float64{1, 2}, []int{2, 4}
	m, x := build(t, c), input(c, 1, 14)
	tape := &autograd.Tape{NoGrad: true}
	want := slices.Clone(build(t, c.Clone()).Forward(tape.Const(x)).Data)
	c.Modes[0], c.MaxModes[0], c.Grid[0], c.Domain[0], c.Scale[0], c.Basis.Shape[0] = 6, 6, 24, 1, 2, 1
	c.Differential[0], c.Integral[0] = false, true
	require.Equal(t, want, m.Forward(tape.Const(x)).Data)
}

// A configuration survives JSON, with the samples of the reference's basis, and rebuilds the model.
func TestConfigJSON(t *testing.T) {
	for name, c := range variants() {
		text, err := json.Marshal(c)
		require.NoError(t, err)
		var back lno.Config
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, c, back, name)
		text, err = json.Marshal(build(t, c).Config)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, len(params(build(t, c))), len(params(build(t, back))))
	}
	text, err := json.Marshal(lno.Config{})
	require.NoError(t, err)
	require.JSONEq(t, `{"in":0,"out":0,"hidden":0,"modes":null,"grid":null}`, string(text))
}

func TestConfigRefuses(t *testing.T) {
	good := variants()["default"]
	require.NoError(t, good.Check())
	for want, change := range map[string]func(c *lno.Config){
		"0 hidden":                         func(c *lno.Config) { c.Hidden = 0 },
		"lifting_ratio -1":                 func(c *lno.Config) { c.LiftingRatio = -1 },
		"projection_ratio 1e+300":          func(c *lno.Config) { c.ProjectionRatio = 1e300 },
		"lifting_ratio +Inf":               func(c *lno.Config) { c.LiftingRatio = math.Inf(1) },
		"mlp_expansion +Inf":               func(c *lno.Config) { c.MLPExpansion = math.Inf(1) },
		"grid [12] for modes [4 4]":        func(c *lno.Config) { c.Grid = c.Grid[:1] },
		"grid [12 0]":                      func(c *lno.Config) { c.Grid = []int{12, 0} },
		"domain [1]":                       func(c *lno.Config) { c.Domain = []float64{1} },
		"there are some for 2 only":        func(c *lno.Config) { c.Modes, c.Grid, c.Radius = []int{4}, []int{12}, 1 },
		"differential [true false true]":   func(c *lno.Config) { c.Differential = []bool{true, false, true} },
		"integral [true true true]":        func(c *lno.Config) { c.Integral = []bool{true, true, true} },
		"modes [0 4]":                      func(c *lno.Config) { c.Modes = []int{0, 4} },
		"skip \"sideways\"":                func(c *lno.Config) { c.Skip = "sideways" },
		"normalise \"ada_in\"":             func(c *lno.Config) { c.Normalise = spectral.NormaliseAdaIN },
		"differential kernels of 4":        func(c *lno.Config) { c.Stencil = 4 },
		"padding \"mirror\"":               func(c *lno.Config) { c.Padding = "mirror" },
		"basis \"haar\"":                   func(c *lno.Config) { c.Basis.Kind = "haar" },
		"want a radius of several cells":   func(c *lno.Config) { c.Radius = 2. / 12 },
		"3 groups of 4 input":              func(c *lno.Config) { c.IntegralGroups = 3 },
		"mlp_dropout 1":                    func(c *lno.Config) { c.MLP, c.MLPDropout = true, 1 },
		"too small for kernels that reach": func(c *lno.Config) { c.Stencil, c.Padding = 31, lno.Reflect },
		"2048 functions on a kernel of 811801 points": func(c *lno.Config) {
			c.Grid, c.Radius, c.Basis = []int{1000, 1000}, 0.9, lno.Basis{Shape: []int{64, 64}}
		},
		"2017 functions on a kernel of 811801 points": func(c *lno.Config) {
			c.Grid, c.Radius, c.Basis, c.Defects = []int{1000, 1000}, 0.9, lno.Basis{Shape: []int{64, 32}}, lno.ReferenceDefects()
		},
		"961 functions on a kernel of 32041 points": func(c *lno.Config) { c.Grid, c.Radius, c.Stencil = []int{200, 200}, 0.9, 31 },
		"29791 functions": func(c *lno.Config) {
			c.Modes, c.Grid, c.Stencil, c.Integral = []int{4, 4, 4}, []int{32, 32, 32}, 31, nil
		},
		"want at most 1023": func(c *lno.Config) { c.Radius, c.Domain = 1e300, []float64{12, 12} },
		"another one":       func(c *lno.Config) { c.Defects, c.Radius = lno.ReferenceDefects(), 0.25 },
	} {
		c := good
		change(&c)
		_, err := lno.New(c, nil)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "lno: ")
	}
	m := build(t, good)
	require.Error(t, m.CheckGrid(12))
	require.ErrorContains(t, m.CheckGrid(4, 4), "several cells")
	tape := &autograd.Tape{}
	require.PanicsWithValue(t, "lno: Forward: shape [1 3 12 12]; want [batch, 2, 2 axes]", func() { m.Forward(tape.Input(autograd.New(1, 3, 12, 12))) })
	require.Panics(t, func() { m.ForwardWith(tape.Input(autograd.New(1, 2, 12, 12)), lno.Options{Size: []int{3}}) })
	require.Panics(t, func() { m.Forward(tape.Input(autograd.New(1, 2, 4, 4))) })
	c := variants()["scale"]
	c.Grid, c.Scale = []int{24, 24}, []float64{1, 0.04}
	m = build(t, c)
	err := m.CheckGrid(12, 12)
	require.ErrorContains(t, err, "lno: block 1: spectral: scale [0.04] leaves no points of the grid [12 12]")
	require.PanicsWithValue(t, err.Error(), func() { m.Forward(tape.Input(autograd.New(1, 2, 12, 12))) })
}
