package optim_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/internal/kernel"
)

func TestClipNorm(t *testing.T) {
	m := newModel(1)
	g := grads{m.Weight: autograd.New(3, 4), m.Bias: autograd.FromSlice([]float32{3, 0, 0}, 3)}
	g[m.Weight].Data[5] = 4
	require.Equal(t, 5.0, optim.Norm(m, g), "a parameter without gradient adds nothing")

	require.Equal(t, 5.0, optim.ClipNorm(m, g, 5.5))
	require.Equal(t, []float32{3, 0, 0}, g[m.Bias].Data, "below the limit nothing changes")

	require.Equal(t, 5.0, optim.ClipNorm(m, g, 1))
	require.InDeltaSlice(t, []float32{0.6, 0, 0}, g[m.Bias].Data, 1e-7)
	require.InDelta(t, 0.8, g[m.Weight].Data[5], 1e-7)
	require.InDelta(t, 1, optim.Norm(m, g), 1e-7)
}

func TestNonFiniteGradientsAreNamed(t *testing.T) {
	m := newModel(1)
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		g := randomGrads(m, rand.New(rand.NewPCG(3, 4)))
		require.Empty(t, optim.NotFinite(m, g))
		g[m.Bias].Data[1] = float32(bad)
		before := slices.Clone(g[m.Weight].Data)
		norm := optim.ClipNorm(m, g, 1e-3)
		require.True(t, math.IsNaN(norm) || math.IsInf(norm, 1), "%v gives norm %v", bad, norm)
		require.Equal(t, []string{"bias"}, optim.NotFinite(m, g))
		require.Equal(t, before, g[m.Weight].Data, "nothing is scaled by a norm that is no number")
	}
}

func TestNormDoesNotDependOnThreads(t *testing.T) {
	defer kernel.SetThreads(0)
	m := &struct{ P *autograd.Param }{autograd.NewParam(300_001)}
	g := randomGrads(m, rand.New(rand.NewPCG(3, 4)))
	var norms []float64
	for _, threads := range []int{1, 2, 5} {
		kernel.SetThreads(threads)
		norms = append(norms, optim.Norm(m, g))
	}
	require.Equal(t, norms[0], norms[1])
	require.Equal(t, norms[0], norms[2])
	require.InEpsilon(t, math.Sqrt(300_001), norms[0], 0.01)
}

func TestSumOfMicroBatches(t *testing.T) {
	m := newModel(1)
	rng := rand.New(rand.NewPCG(3, 4))
	a, b, c := randomGrads(m, rng), randomGrads(m, rng), randomGrads(m, rng)
	delete(a, m.Bias)
	delete(a, m.Modes)
	delete(b, m.Modes)
	delete(c, m.Modes)
	s := optim.NewSum(m)
	for round := range 2 {
		require.Nil(t, s.Of(m.Weight), "round %d starts empty", round)
		for _, g := range []grads{a, b, c} {
			s.Add(g, 0.25)
		}
		require.Nil(t, s.Of(m.Modes))
		for i, v := range s.Of(m.Weight).Data {
			require.InDelta(t, (a[m.Weight].Data[i]+b[m.Weight].Data[i]+c[m.Weight].Data[i])/4, v, 1e-6)
		}
		for i, v := range s.Of(m.Bias).Data {
			require.InDelta(t, (b[m.Bias].Data[i]+c[m.Bias].Data[i])/4, v, 1e-6)
		}
		s.Reset()
	}
}

// TestSumOfTapes cuts a batch in two tapes and gets the gradient of the whole.
func TestSumOfTapes(t *testing.T) {
	m := newModel(1)
	x := autograd.New(6, 4)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	pass := func(rows *autograd.Tensor) *autograd.Grads {
		tape := &autograd.Tape{}
		y := autograd.Linear(tape.Const(rows), tape.Param(m.Weight), tape.Param(m.Bias))
		return autograd.Mean(autograd.Mul(y, y)).Backward()
	}
	whole := pass(x)
	s := optim.NewSum(m)
	s.Add(pass(autograd.FromSlice(x.Data[:12], 3, 4)), 0.5)
	s.Add(pass(autograd.FromSlice(x.Data[12:], 3, 4)), 0.5)
	require.InDeltaSlice(t, whole.Of(m.Weight).Data, s.Of(m.Weight).Data, 1e-6)
	require.InDeltaSlice(t, whole.Of(m.Bias).Data, s.Of(m.Bias).Data, 1e-6)
}

func TestEMA(t *testing.T) {
	m := newModel(1)
	start := slices.Clone(data(m))
	ema := optim.NewEMA(m, 0.5)
	kernel.Fill(m.Weight.Data, 7)
	kernel.Fill(m.Bias.Data, 7)
	kernel.Fill(m.Modes.Data, 7)
	want := make([]float64, len(start))
	for i, v := range start {
		want[i] = float64(v)
	}
	for n := range 30 {
		ema.Update()
		d := min(0.5, float64(1+n)/float64(10+n))
		for i := range want {
			want[i] = d*want[i] + (1-d)*7
		}
		if n == 3 {
			ema.Swap()
			for i, v := range data(m) {
				require.InDelta(t, want[i], v, 1e-5)
			}
			ema.Swap()
			require.Equal(t, float32(7), m.Weight.Data[0], "a second swap undoes the first")
		}
	}
	ema.Swap()
	for i, v := range data(m) {
		require.InDelta(t, 7, v, 1e-5, "element %d", i)
	}
	require.Panics(t, func() { optim.NewEMA(m, 1) })
	hidden := struct{ net any }{m}
	require.PanicsWithValue(t, "optim: EMA: a struct { net interface {} } has no parameters behind exported fields; want at least one, "+
		"see autograd.State", func() { optim.NewEMA(hidden, 0.5) })
}

// TestStepWith: clipping and averaging in the step are what they are one after the other, but for rounding in the clipping.
func TestStepWith(t *testing.T) {
	type side struct {
		m   *model
		opt *optim.AdamW
		ema *optim.EMA
	}
	var sides [2]side
	for i := range sides {
		m := newModel(1)
		m.Bias.Frozen = true
		sides[i] = side{m, optim.NewAdamW(m, optim.Config{Decay: 0.01}), optim.NewEMA(m, 0.9)}
	}
	for step := range 10 {
		clip := float64(step) // none, most and none at last
		var norms [2]float64
		for i, s := range sides {
			g := randomGrads(s.m, rand.New(rand.NewPCG(5, uint64(step))))
			delete(g, s.m.Bias)
			if step%2 == 1 {
				delete(g, s.m.Modes)
			}
			if i == 0 {
				norms[i] = s.opt.StepWith(0.05, g, optim.StepOptions{Clip: clip, Average: s.ema})
				continue
			}
			if clip == 0 {
				clip = math.Inf(1)
			}
			norms[i] = optim.ClipNorm(s.m, g, clip)
			s.opt.Step(0.05, g)
			s.ema.Update()
		}
		require.Equal(t, norms[1], norms[0])
		require.InDeltaSlice(t, data(sides[1].m), data(sides[0].m), 1e-6)
		require.InDeltaSlice(t, sides[1].ema.Average["weight"].Data, sides[0].ema.Average["weight"].Data, 1e-6)
		require.InDeltaSlice(t, sides[1].ema.Average["modes"].Data, sides[0].ema.Average["modes"].Data, 1e-6)
		require.Equal(t, sides[1].ema.Average["bias"], sides[0].ema.Average["bias"])
	}
	s, g := sides[0], randomGrads(sides[0].m, rand.New(rand.NewPCG(6, 6)))
	before := slices.Clone(data(s.m))
	g[s.m.Weight].Data[3] = float32(math.NaN())
	require.True(t, math.IsNaN(s.opt.StepWith(0.05, g, optim.StepOptions{})))
	require.Equal(t, before, data(s.m))
}

// TestLongEMAIsUnbiased averages a constant over many updates: the average must not drift from it.
func TestLongEMAIsUnbiased(t *testing.T) {
	m := &struct{ P *autograd.Param }{autograd.NewParam(1)}
	m.P.Data[0] = 1
	ema := optim.NewEMA(m, 0.9999)
	for range 100_000 {
		ema.Update()
	}
	require.Equal(t, float32(1), ema.Average["p"].Data[0])
}
