package optim_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/internal/kernel"
)

// model is the smallest one with parameters of several shapes.
type model struct {
	Weight *autograd.Param
	Bias   *autograd.Param
	Modes  *autograd.Param
}

func newModel(seed uint64) *model {
	m := &model{autograd.NewParam(3, 4), autograd.NewParam(3), autograd.NewComplexParam(5)}
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, p := range autograd.Params(m) {
		for i := range p.Data {
			p.Data[i] = float32(rng.NormFloat64())
		}
	}
	return m
}

// grads are gradients made by hand.
type grads map[*autograd.Param]*autograd.Tensor

func (g grads) Of(p *autograd.Param) *autograd.Tensor { return g[p] }

// randomGrads returns gradients for all parameters of m.
func randomGrads(m any, rng *rand.Rand) grads {
	g := grads{}
	for _, p := range autograd.Params(m) {
		t := autograd.New(p.Shape...)
		for i := range t.Data {
			t.Data[i] = float32(rng.NormFloat64())
		}
		g[p] = t
	}
	return g
}

func data(m any) []float32 {
	var all []float32
	for _, p := range autograd.Params(m) {
		all = append(all, p.Data...)
	}
	return all
}

func Example() {
	// Fit y = 3 x by least squares.
	net := &struct{ Slope *autograd.Param }{autograd.NewParam(1)}
	opt := optim.NewAdamW(net, optim.Config{})
	schedule := optim.Cosine{Base: 0.2, Steps: 200}
	tape := &autograd.Tape{}
	for step := range 200 {
		x := tape.Const(autograd.FromSlice([]float32{1, 2}, 2, 1))
		y := tape.Const(autograd.FromSlice([]float32{3, 6}, 2, 1))
		miss := autograd.Sub(autograd.MulLast(x, tape.Param(net.Slope)), y)
		grads := autograd.Mean(autograd.Mul(miss, miss)).Backward()
		optim.ClipNorm(net, grads, 10)
		opt.Step(schedule.Rate(step), grads)
		tape.Reset()
	}
	fmt.Printf("%.3f\n", net.Slope.Data[0])
	// Output: 3.000
}

// TestAdamWFormula holds the float32 optimiser against the formula in float64 over some steps.
func TestAdamWFormula(t *testing.T) {
	m := newModel(1)
	opt := optim.NewAdamW(m, optim.Config{Beta1: 0.8, Beta2: 0.99, Eps: 1e-3, Decay: 0.1})
	n := len(data(m))
	p, mean, square := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, v := range data(m) {
		p[i] = float64(v)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for step := 1; step <= 20; step++ {
		g := randomGrads(m, rng)
		opt.Step(0.05, g)
		var all []float32
		for _, q := range autograd.Params(m) {
			all = append(all, g[q].Data...)
		}
		for i, v := range all {
			x := float64(v)
			mean[i] = 0.8*mean[i] + 0.2*x
			square[i] = 0.99*square[i] + 0.01*x*x
			p[i] *= 1 - 0.05*0.1
			p[i] -= 0.05 * mean[i] / (1 - math.Pow(0.8, float64(step))) / (math.Sqrt(square[i]/(1-math.Pow(0.99, float64(step)))) + 1e-3)
		}
	}
	for i, v := range data(m) {
		require.InDelta(t, p[i], v, 2e-6, "element %d", i) // 20 steps of 6e-8 relative rounding
	}
}

func TestParametersWithoutGradientAreNotTouched(t *testing.T) {
	m := newModel(1)
	opt := optim.NewAdamW(m, optim.Config{Decay: 0.5})
	before := slices.Clone(m.Bias.Data)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 3 {
		g := randomGrads(m, rng)
		delete(g, m.Bias)
		opt.Step(0.1, g)
	}
	require.Equal(t, before, m.Bias.Data)
	require.Equal(t, int64(0), opt.State["bias"].Step.Ints[0])
	require.Equal(t, int64(3), opt.State["weight"].Step.Ints[0])

	// Its first step is a first step: bias correction counts its own.
	g := grads{m.Bias: autograd.FromSlice([]float32{1, -2, 3}, 3)}
	opt.Step(0.1, g)
	for i, s := range []float32{-1, 1, -1} {
		require.InDelta(t, before[i]*(1-0.05)+0.1*s, m.Bias.Data[i], 1e-6)
	}

	m.Weight.Frozen = true
	frozen := slices.Clone(m.Weight.Data)
	opt.Step(0.1, randomGrads(m, rng))
	require.Equal(t, frozen, m.Weight.Data)
}

func TestRatesAndDecaysOfParameters(t *testing.T) {
	m := newModel(1)
	opt := optim.NewAdamW(m, optim.Config{Decay: 0.5, Scale: func(name string, p *autograd.Param) (float64, float64) {
		switch name {
		case "weight":
			return 0, 1
		case "bias":
			return 0.1, 0
		}
		return 1, 1
	}})
	weight, bias, modes := slices.Clone(m.Weight.Data), slices.Clone(m.Bias.Data), slices.Clone(m.Modes.Data)
	ones := grads{}
	for _, p := range autograd.Params(m) {
		ones[p] = autograd.New(p.Shape...)
		kernel.Fill(ones[p].Data, 1)
	}
	opt.Step(0.2, ones)
	require.Equal(t, weight, m.Weight.Data)
	for i, v := range bias {
		require.InDelta(t, v-0.02, m.Bias.Data[i], 1e-6)
	}
	for i, v := range modes {
		require.InDelta(t, v*0.9-0.2, m.Modes.Data[i], 1e-6)
	}
}

func TestThawedParametersComeIn(t *testing.T) {
	m := newModel(1)
	m.Weight.Frozen = true
	opt := optim.NewAdamW(m, optim.Config{})
	require.NotContains(t, opt.State, "weight")
	kept := opt.State["bias"]
	m.Weight.Frozen = false
	opt.Add(m)
	require.Contains(t, opt.State, "weight")
	require.Same(t, kept, opt.State["bias"])
	before := slices.Clone(m.Weight.Data)
	opt.Step(0.1, randomGrads(m, rand.New(rand.NewPCG(3, 4))))
	require.NotEqual(t, before, m.Weight.Data)
}

// copyState copies all tensors of one state to another of the same names, as a checkpoint does.
func copyState(t *testing.T, to, from any) {
	t.Helper()
	a, b := autograd.State(to), autograd.State(from)
	require.Equal(t, len(a), len(b))
	for i := range a {
		require.Equal(t, a[i].Name, b[i].Name)
		if a[i].Param != nil {
			copy(a[i].Param.Data, b[i].Param.Data)
			continue
		}
		copy(a[i].Buffer.Data, b[i].Buffer.Data)
		copy(a[i].Buffer.Ints, b[i].Buffer.Ints)
	}
}

// TestResumeIsExact stops a run, moves its state into new objects, goes on, and gets the bits of a run that never stopped.
func TestResumeIsExact(t *testing.T) {
	run := func(stop int) (*model, *optim.EMA) {
		m := newModel(1)
		opt, ema := optim.NewAdamW(m, optim.Config{Decay: 0.01}), optim.NewEMA(m, 0.9)
		rng := rand.New(rand.NewPCG(3, 4))
		for step := range 10 {
			if step == stop {
				m2 := newModel(9)
				opt2, ema2 := optim.NewAdamW(m2, optim.Config{Decay: 0.01}), optim.NewEMA(m2, 0.9)
				copyState(t, m2, m)
				copyState(t, opt2, opt)
				copyState(t, ema2, ema)
				m, opt, ema = m2, opt2, ema2
			}
			g := randomGrads(m, rng)
			if step%3 == 1 {
				delete(g, m.Bias)
			}
			opt.Step(0.01, g)
			ema.Update()
		}
		return m, ema
	}
	m, ema := run(-1)
	m2, ema2 := run(5)
	require.Equal(t, data(m), data(m2))
	ema.Swap()
	ema2.Swap()
	require.Equal(t, data(m), data(m2))
}

func TestStateHasPyTorchsNames(t *testing.T) {
	var names []string
	for _, e := range autograd.State(optim.NewAdamW(newModel(1), optim.Config{})) {
		names = append(names, e.Name)
	}
	require.Equal(t, []string{
		"state.bias.exp_avg", "state.bias.exp_avg_sq", "state.bias.step",
		"state.modes.exp_avg", "state.modes.exp_avg_sq", "state.modes.step",
		"state.weight.exp_avg", "state.weight.exp_avg_sq", "state.weight.step",
	}, names)
}

func TestNewAdamWRefusesNonsense(t *testing.T) {
	require.PanicsWithValue(t, "optim: beta1 is 2; want 0 <= beta1 < 1", func() {
		optim.NewAdamW(newModel(1), optim.Config{Beta1: 2})
	})
}

// What would leave parameters untrained is said at once.
func TestAdamWRefusesModelsThatItCannotTrain(t *testing.T) {
	hidden := &struct{ weight *autograd.Param }{autograd.NewParam(2)}
	require.PanicsWithValue(t, "optim: AdamW: a *struct { weight *autograd.Param } has no parameters behind exported fields; "+
		"want at least one, see autograd.State", func() { optim.NewAdamW(hidden, optim.Config{}) })

	m := newModel(1)
	opt := optim.NewAdamW(m, optim.Config{})
	require.PanicsWithValue(t, `optim: AdamW: two parameters are called "weight"; want models in one struct, which names them apart`,
		func() { opt.Add(newModel(2)) })
	require.Len(t, opt.State, 3)
	opt.Add(&struct{ First, Second *model }{m, newModel(2)})
	require.Len(t, opt.State, 6, "a known parameter is not taken in again under another name")
	require.Contains(t, opt.State, "second.weight")

	for _, p := range autograd.Params(m) {
		p.Frozen = true
	}
	require.Empty(t, optim.NewAdamW(m, optim.Config{}).State, "frozen ones may thaw")
}

// A rate or a limit that makes no sense would ruin the parameters.
func TestStepRefusesNonsense(t *testing.T) {
	m := newModel(1)
	opt, g := optim.NewAdamW(m, optim.Config{}), randomGrads(m, rand.New(rand.NewPCG(3, 4)))
	average := optim.NewEMA(m, 0.9)
	before := m.Weight.Clone()
	for rate, name := range map[float64]string{math.NaN(): "NaN", math.Inf(1): "+Inf", -1: "-1"} {
		want := "optim: AdamW: a step with a learning rate of " + name + "; want a finite one, 0 or more"
		require.PanicsWithValue(t, want, func() { opt.Step(rate, g) })
		require.PanicsWithValue(t, want, func() { opt.StepWith(rate, g, optim.StepOptions{Average: average}) })
	}
	require.PanicsWithValue(t, "optim: StepWith: gradients clipped to a norm of -1; want 0 (for no limit) or more",
		func() { opt.StepWith(0.1, g, optim.StepOptions{Clip: -1}) })
	require.PanicsWithValue(t, "optim: ClipNorm: gradients clipped to a norm of -1; want 0 or more", func() { optim.ClipNorm(m, g, -1) })
	require.Equal(t, before, m.Weight.Tensor)
	require.Equal(t, int64(0), opt.State["weight"].Step.Ints[0]+average.Updates.Ints[0])
}

func BenchmarkAdamW(b *testing.B) {
	m := &struct{ P *autograd.Param }{autograd.NewParam(1 << 22)}
	opt := optim.NewAdamW(m, optim.Config{Decay: 0.01})
	g := randomGrads(m, rand.New(rand.NewPCG(1, 1)))
	for b.Loop() {
		opt.Step(1e-4, g)
	}
	b.ReportMetric(float64(7*4*m.P.Len())*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
}
