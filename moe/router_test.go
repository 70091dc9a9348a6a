package moe_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/moe"
)

func newRouter(t testing.TB, c moe.Config) *moe.Router {
	t.Helper()
	r, err := moe.NewRouter(c, rand.New(rand.NewPCG(3, 4)))
	require.NoError(t, err)
	return r
}

// waves returns samples of one frequency each, along both axes and in random phase, on channels of random amplitude.
func waves(seed uint64, channels, n int, frequencies ...int) *autograd.Tensor {
	rng := rand.New(rand.NewPCG(seed, 7))
	x := autograd.New(len(frequencies), channels, n, n)
	for s, k := range frequencies {
		for c := range channels {
			p, q := 2*math.Pi*rng.Float64(), 2*math.Pi*rng.Float64()
			for i := range n {
				for j := range n {
					w := 2 * math.Pi * float64(k) / float64(n)
					x.Set(float32(math.Cos(w*float64(i)+p)*math.Cos(w*float64(j)+q)), s, c, i, j)
				}
			}
		}
	}
	return x
}

// coloured returns samples of noise whose neighbours are correlated by a, the one of each sample: a > 0 is smooth, 0 white, a < 0 rough.
func coloured(seed uint64, channels, n int, correlations ...float64) *autograd.Tensor {
	x := random(seed, len(correlations), channels, n, n)
	for s, a := range correlations {
		for i := range channels * n * n {
			row, col := i/n%n, i%n
			at := s*channels*n*n + i
			if row > 0 {
				x.Data[at] += float32(a) * x.Data[at-n]
			}
			if col > 0 {
				x.Data[at] += float32(a) * x.Data[at-1]
			}
			if row > 0 && col > 0 {
				x.Data[at] -= float32(a*a) * x.Data[at-n-1]
			}
		}
	}
	return x
}

func TestWeights(t *testing.T) {
	for _, mode := range []moe.Mode{moe.Learned, moe.Uniform, moe.Random} {
		for k := 1; k <= 4; k++ {
			r := newRouter(t, moe.Config{Channels: 3, Experts: 4, TopK: k, Routing: mode})
			tape := &autograd.Tape{Rand: rand.New(rand.NewPCG(1, 2))}
			route := r.Route(tape.Input(random(2, 5, 3, 9, 8)))
			require.Equal(t, []int{5, 4}, route.Gates.Shape)
			require.Equal(t, []int{5, k}, route.Weights.Shape)
			for s, chosen := range route.Experts {
				require.Len(t, chosen, k)
				gates, sum := float32(0), float32(0)
				seen := map[int]bool{}
				for j, e := range chosen {
					require.False(t, seen[e])
					seen[e] = true
					sum += route.Weights.At(s, j)
					if j > 0 {
						require.LessOrEqual(t, route.Gates.At(s, e), route.Gates.At(s, chosen[j-1]))
					}
				}
				for e := range 4 {
					gates += route.Gates.At(s, e)
					if !seen[e] {
						require.LessOrEqual(t, route.Gates.At(s, e), route.Gates.At(s, chosen[k-1]))
					}
				}
				require.InDelta(t, 1, sum, 1e-6)
				require.InDelta(t, 1, gates, 1e-6)
			}
		}
	}
}

// spread returns the largest difference of a gate between samples.
func spread(gates *autograd.Value) float64 {
	worst := 0.0
	for s := range gates.Shape[0] {
		for e := range gates.Shape[1] {
			worst = max(worst, math.Abs(float64(gates.At(s, e)-gates.At(0, e))))
		}
	}
	return worst
}

// Samples of different spectra get different gates, those of one spectrum the same, whatever their phase and scale.
func TestGatesFollowTheSpectrum(t *testing.T) {
	for _, attention := range []bool{true, false} {
		for seed := range uint64(4) {
			c := moe.Config{Channels: 8, Experts: 3, NoAttention: !attention}
			r, err := moe.NewRouter(c, rand.New(rand.NewPCG(seed, 1)))
			require.NoError(t, err)
			gates := func(x *autograd.Tensor) *autograd.Value { return r.Route((&autograd.Tape{}).Input(x)).Gates }
			require.Greater(t, spread(gates(coloured(1, 8, 24, -0.5, 0, 0.5, 0.9))), 0.01)
			// Peaks of one height differ only in where they lie, to which SPAMoE's gates are blind.
			peaks := waves(1, 8, 24, 1, 3, 6, 10)
			require.Greater(t, spread(gates(peaks)), 1e-4)
			c.Defects.RawGates = true
			require.Less(t, spread(newRouter(t, c).Route((&autograd.Tape{}).Input(peaks)).Gates), 1e-6)

			x := waves(1, 8, 24, 6, 6)
			for i := range x.Len() / 2 {
				x.Data[i] *= 100
			}
			require.Less(t, spread(gates(x)), 1e-4)
		}
	}
}

func TestRandomRoutingIsDeterministic(t *testing.T) {
	r := newRouter(t, moe.Config{Channels: 2, Experts: 5, TopK: 2, Routing: moe.Random, NoBands: true})
	x := random(1, 300, 2, 4, 4)
	run := func(seed uint64) *moe.Route {
		tape := &autograd.Tape{Rand: rand.New(rand.NewPCG(seed, 1))}
		return r.Route(tape.Input(x))
	}
	first := run(1)
	require.Equal(t, first.Experts, run(1).Experts)
	require.NotEqual(t, first.Experts, run(2).Experts)
	for _, n := range first.Stats().Samples {
		require.InDelta(t, 120, n, 40) // 300 * 2/5, 4.7 standard deviations
	}
	tape := &autograd.Tape{}
	require.PanicsWithValue(t, "moe: Route: random routing on a tape without Rand", func() { r.Route(tape.Input(x)) })
}

// Noise moves choices while training, and nothing else.
func TestNoise(t *testing.T) {
	r := newRouter(t, moe.Config{Channels: 2, Experts: 5, TopK: 2, Noise: 1})
	x := random(1, 50, 2, 4, 4)
	run := func(train bool, seed uint64) *moe.Route {
		return r.Route((&autograd.Tape{Train: train, Rand: rand.New(rand.NewPCG(seed, 1))}).Input(x))
	}
	calm, noisy := run(false, 1), run(true, 1)
	require.Equal(t, calm.Gates.Data, noisy.Gates.Data)
	require.Equal(t, calm.Experts, run(false, 2).Experts)
	require.NotEqual(t, calm.Experts, noisy.Experts)
	require.Equal(t, noisy.Experts, run(true, 1).Experts)
	require.NotEqual(t, noisy.Experts, run(true, 2).Experts)
	for s, chosen := range noisy.Experts {
		a, b := noisy.Gates.At(s, chosen[0]), noisy.Gates.At(s, chosen[1])
		require.InDelta(t, a/(a+b), noisy.Weights.At(s, 0), 1e-6)
	}
	for _, n := range noisy.Stats().Samples {
		require.Positive(t, n)
	}
	require.PanicsWithValue(t, "moe: Route: noise on a tape without Rand", func() { r.Route((&autograd.Tape{Train: true}).Input(x)) })
}

func TestUniformRouting(t *testing.T) {
	r := newRouter(t, moe.Config{Channels: 2, Experts: 3, TopK: 2, Routing: moe.Uniform})
	tape := &autograd.Tape{}
	route := r.Route(tape.Input(random(1, 2, 2, 4, 4)))
	require.Equal(t, [][]int{{0, 1}, {0, 1}}, route.Experts)
	require.InDeltaSlice(t, []float32{0.5, 0.5, 0.5, 0.5}, route.Weights.Data, 0)
	require.False(t, route.Gates.NeedsGrad())
}

func TestNoBandsGivesTheWholeLatent(t *testing.T) {
	r := newRouter(t, moe.Config{Channels: 2, Experts: 3, NoBands: true})
	tape := &autograd.Tape{}
	x := random(1, 2, 2, 4, 4)
	route := r.Route(tape.Input(x))
	for e := range 3 {
		require.Equal(t, x.Data, route.Input(e).Data)
	}
}

func TestNoMixingGivesTheBands(t *testing.T) {
	r := newRouter(t, moe.Config{Channels: 2, Experts: 3, NoMixing: true})
	tape := &autograd.Tape{}
	v := tape.Input(random(1, 2, 2, 6, 5))
	route, bands := r.Route(v), r.Bands().Split(v)
	for e := range 3 {
		require.InDeltaSlice(t, autograd.Narrow(bands, 0, e, 1).Data, route.Input(e).Data, 0)
	}
	require.Nil(t, r.ExpertFreq)
}

// An expert gets what lies near the frequency that it prefers.
func TestPreference(t *testing.T) {
	r := newRouter(t, moe.Config{Channels: 1, Experts: 3, AffinitySharpness: 100})
	tape := &autograd.Tape{}
	energy := func(x *autograd.Value) float64 {
		sum := 0.0
		for _, v := range x.Data {
			sum += float64(v) * float64(v)
		}
		return sum
	}
	low, high := r.Route(tape.Input(waves(1, 1, 16, 1))), r.Route(tape.Input(waves(1, 1, 16, 7)))
	require.Greater(t, energy(low.Input(0)), 1e3*energy(low.Input(2)))
	require.Greater(t, energy(high.Input(2)), 1e3*energy(high.Input(0)))
	r.ExpertFreq.Data[0] = 1
	require.Greater(t, energy(r.Route(tape.Input(waves(1, 1, 16, 7))).Input(0)), 1e3*energy(high.Input(0)))
}

// Descent on the load-balancing loss alone spreads the samples over the experts; the reference's loss, which draws gates towards what
// was selected, leaves the preferred expert alone on top.
func TestBalance(t *testing.T) {
	var correlations []float64
	for i := range 12 {
		correlations = append(correlations, float64(i)/6-0.95)
	}
	x := coloured(1, 4, 8, correlations...)
	train := func(d moe.Defects) (before, after []int) {
		r := newRouter(t, moe.Config{Channels: 4, Experts: 3, TopK: 1, Balance: 1, Defects: d})
		r.Gate.Bias.Data[1] = 0.5
		for i := range 300 {
			tape := &autograd.Tape{}
			route := r.Route(tape.Input(x))
			if i == 0 {
				before = route.Stats().Samples
			}
			after = route.Stats().Samples
			grads := route.Balance.Backward()
			for _, p := range autograd.Params(r) {
				if g := grads.Of(p); g != nil {
					for j, v := range g.Data {
						p.Data[j] -= 0.05 * v
					}
				}
			}
		}
		return before, after
	}
	before, after := train(moe.Defects{})
	require.Equal(t, []int{0, 12, 0}, before)
	for _, n := range after {
		require.GreaterOrEqual(t, n, 2, "%v", after)
	}
	_, after = train(moe.Defects{BalanceToSelection: true})
	require.Equal(t, []int{0, 12, 0}, after)
	_, after = train(moe.Defects{DetachedBalance: true})
	require.Equal(t, []int{0, 12, 0}, after)

	r := newRouter(t, moe.Config{Channels: 4, Experts: 3, Balance: -1})
	require.Nil(t, r.Route((&autograd.Tape{}).Input(x)).Balance)
}

func TestRouterGradients(t *testing.T) {
	for _, c := range []moe.Config{{}, {NoAttention: true}, {HardBands: true}, {Defects: moe.Defects{RawGates: true, LinspaceRadius: true, OpenBands: true}}} {
		c.Channels, c.Experts, c.TopK = 3, 3, 3
		r := newRouter(t, c)
		var params []*autograd.Param
		for _, p := range autograd.Params(r) {
			params = append(params, p)
		}
		x := random(1, 2, 3, 5, 6)
		for i := range x.Data {
			x.Data[i] *= 0.3
		}
		f := func(in []*autograd.Value) *autograd.Value {
			route := r.Route(in[0])
			y := []*autograd.Value{autograd.Reshape(route.Gates, -1), autograd.Reshape(route.Balance, 1)}
			for e := range 3 {
				y = append(y, autograd.Reshape(route.Input(e), -1))
			}
			return autograd.Concat(0, y...)
		}
		require.NoError(t, autograd.CheckGrad(autograd.GradCheck{Params: params, Step: 1.0 / 128, Tol: 3e-3}, f, x), "%+v", c)
	}
}

func TestConfig(t *testing.T) {
	for message, c := range map[string]moe.Config{
		"moe: 0 channels, 3 experts; want at least 1 of each":                   {Experts: 3},
		"moe: 2 channels, 0 experts; want at least 1 of each":                   {Channels: 2},
		"moe: top_k 4; want 1 to 3, the number of experts":                      {Channels: 2, Experts: 3, TopK: 4},
		"moe: top_k -1; want 1 to 3, the number of experts":                     {Channels: 2, Experts: 3, TopK: -1},
		"moe: band_sharpness -1, affinity_sharpness 10; want positive numbers":  {Channels: 2, Experts: 3, BandSharpness: -1},
		"moe: band_sharpness 20, affinity_sharpness NaN; want positive numbers": {Channels: 2, Experts: 3, AffinitySharpness: math.NaN()},
		"moe: noise -1; want 0 or more":                                         {Channels: 2, Experts: 3, Noise: -1},
		"moe: balance is not a number":                                          {Channels: 2, Experts: 3, Balance: math.NaN()},
		`moe: routing "best"; want "learned", "uniform" or "random"`:            {Channels: 2, Experts: 3, Routing: "best"},
	} {
		_, err := moe.NewRouter(c, nil)
		require.EqualError(t, err, message)
	}
	c := moe.Config{Channels: 2, Experts: 3, HardBands: true, Routing: moe.Random, Defects: moe.ReferenceDefects()}
	text, err := json.Marshal(c)
	require.NoError(t, err)
	var back moe.Config
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, c, back)
	text, err = json.Marshal(moe.Config{Channels: 2})
	require.NoError(t, err)
	require.JSONEq(t, `{"channels": 2}`, string(text))
}

func TestRouteWantsPlanes(t *testing.T) {
	r := newRouter(t, moe.Config{Channels: 2, Experts: 3})
	tape := &autograd.Tape{}
	require.PanicsWithValue(t, "moe: Route: shape [1 3 4 4]; want [batch, 2, ny, nx], not empty", func() { r.Route(tape.Input(autograd.New(1, 3, 4, 4))) })
	require.Panics(t, func() { r.Route(tape.Input(autograd.New(0, 2, 4, 4))) })
}

// Latents without anything in them, or with one constant, are routed all the same.
func TestOddLatents(t *testing.T) {
	for _, c := range []moe.Config{{}, {NoAttention: true}, {Defects: moe.ReferenceDefects()}} {
		c.Channels, c.Experts = 2, 3
		r := newRouter(t, c)
		x := random(1, 3, 2, 5, 1)
		for i := range 10 {
			x.Data[i], x.Data[10+i] = 0, 4
		}
		tape := &autograd.Tape{}
		v := tape.Input(x)
		route := r.Route(v)
		for _, g := range autograd.Sum(autograd.Square(route.Weights)).Backward().Wrt(v).Data {
			require.False(t, math.IsNaN(float64(g)) || math.IsInf(float64(g), 0))
		}
		for _, g := range route.Gates.Data {
			require.Positive(t, g)
		}
	}
}
