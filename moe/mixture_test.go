package moe_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/moe"
)

// convolutions returns experts of 3 x 3 convolutions.
func convolutions(n, in, out int) []moe.Expert {
	rng := rand.New(rand.NewPCG(5, 6))
	var experts []moe.Expert
	for range n {
		experts = append(experts, nn.NewConv2d(nn.ConvConfig{In: in, Out: out, Kernel: [2]int{3, 3}, ConvOptions: autograd.ConvOptions{Padding: [2]int{1, 1}}}, rng))
	}
	return experts
}

func newMixture(t testing.TB, c moe.Config, experts []moe.Expert) *moe.Mixture {
	t.Helper()
	m, err := moe.New(c, experts, rand.New(rand.NewPCG(3, 4)))
	require.NoError(t, err)
	return m
}

// mixed returns a mixture and samples that its router sends to different experts: its gates are centred on them.
func mixed(t testing.TB, topK int) (*moe.Mixture, *autograd.Tensor) {
	m := newMixture(t, moe.Config{Channels: 4, TopK: topK}, convolutions(3, 4, 2))
	x := coloured(3, 4, 12, 0, 0.9, 0.5, -0.5, 0.8, -0.9, 0.7)
	for i, g := range m.Router.Route((&autograd.Tape{}).Input(x)).Gates.Data {
		m.Router.Gate.Bias.Data[i%3] -= float32(math.Log(float64(g))) / 7
	}
	return m, x
}

// A batch whose samples go to different experts gives what its samples give one by one, gradients included.
func TestMixtureEqualsTheLoop(t *testing.T) {
	for topK := 1; topK <= 3; topK++ {
		m, x := mixed(t, topK)
		seed := random(9, x.Shape[0], 2, 12, 12)
		tape := &autograd.Tape{}
		v := tape.Input(x)
		route := m.Router.Route(v)
		if topK < 3 {
			require.Greater(t, spreadOf(route.Experts), 1, "all samples chose the same experts")
		}
		y := m.Apply(route)
		grads := tape.Backward(autograd.Seed{Value: y, Grad: seed.Data})

		sums := map[string][]float64{}
		per, perIn := y.Len()/x.Shape[0], x.Len()/x.Shape[0]
		for s := range x.Shape[0] {
			one := &autograd.Tape{}
			v1 := one.Input(autograd.FromSlice(x.Data[s*perIn:][:perIn], 1, 4, 12, 12))
			// The expert loop, written out.
			r := m.Router.Route(v1)
			var y1 *autograd.Value
			for j, e := range r.Experts[0] {
				w := autograd.Broadcast(autograd.Reshape(autograd.Narrow(r.Weights, 1, j, 1), 1, 1, 1, 1), 1, 2, 12, 12)
				part := autograd.Mul(m.Experts[e].Forward(r.Input(e)), w)
				if y1 == nil {
					y1 = part
				} else {
					y1 = autograd.Add(y1, part)
				}
			}
			require.InDeltaSlice(t, y1.Data, y.Data[s*per:][:per], 1e-6)
			g := one.Backward(autograd.Seed{Value: y1, Grad: seed.Data[s*per:][:per]})
			require.InDeltaSlice(t, g.Wrt(v1).Data, grads.Wrt(v).Data[s*perIn:][:perIn], 1e-5)
			for name, p := range autograd.Params(m) {
				if gp := g.Of(p); gp != nil {
					if sums[name] == nil {
						sums[name] = make([]float64, p.Len())
					}
					for i, v := range gp.Data {
						sums[name][i] += float64(v)
					}
				}
			}
		}
		for name, p := range autograd.Params(m) {
			if sums[name] == nil {
				require.Nil(t, grads.Of(p), name)
				continue
			}
			require.InDeltaSlice(t, sums[name], grads.Of(p).Data, 1e-3, name)
		}
	}
}

// spreadOf counts the different first choices.
func spreadOf(experts [][]int) int {
	seen := map[int]bool{}
	for _, e := range experts {
		seen[e[0]] = true
	}
	return len(seen)
}

func TestMixtureGradients(t *testing.T) {
	m := newMixture(t, moe.Config{Channels: 2, TopK: 3}, convolutions(3, 2, 1))
	var params []*autograd.Param
	for _, p := range autograd.Params(m) {
		params = append(params, p)
	}
	x := random(1, 2, 2, 5, 6)
	f := func(in []*autograd.Value) *autograd.Value { return m.Forward(in[0]) }
	require.NoError(t, autograd.CheckGrad(autograd.GradCheck{Params: params, Step: 1.0 / 128, Tol: 3e-3}, f, x))

	tape := &autograd.Tape{}
	g := autograd.Sum(autograd.Square(m.Forward(tape.Input(x)))).Backward().Of(m.Router.ExpertFreq)
	for _, v := range g.Data {
		require.NotZero(t, v)
	}
}

// counter is an expert that counts the samples of its calls.
type counter struct{ calls []int }

func (c *counter) Forward(x *autograd.Value) *autograd.Value {
	c.calls = append(c.calls, x.Shape[0])
	return x
}

func TestExpertsRunOnce(t *testing.T) {
	experts := []*counter{{}, {}, {}}
	m := newMixture(t, moe.Config{Channels: 2, TopK: 1}, []moe.Expert{experts[0], experts[1], experts[2]})
	copy(m.Router.Gate.Bias.Data, []float32{0, -100, 0})
	tape := &autograd.Tape{}
	x := tape.Input(random(1, 6, 2, 5, 6))
	route := m.Router.Route(x)
	y := m.Apply(route)
	require.Equal(t, x.Shape, y.Shape)
	require.Empty(t, experts[1].calls)
	for e, n := range route.Stats().Samples {
		if n > 0 {
			require.Equal(t, []int{n}, experts[e].calls)
		}
	}
	// With weights of 1 and experts that do nothing, the answer is what they got.
	for s, chosen := range route.Experts {
		in := route.Input(chosen[0])
		require.InDeltaSlice(t, in.Data[s*60:][:60], y.Data[s*60:][:60], 1e-6)
	}
}

func TestThreadsAndTapes(t *testing.T) {
	m, x := mixed(t, 2)
	run := func(noGrad bool) ([]float32, map[string][]float32) {
		tape := &autograd.Tape{NoGrad: noGrad}
		v := tape.Input(x)
		route := m.Router.Route(v)
		y := m.Apply(route)
		loss := autograd.Add(autograd.Sum(autograd.Square(y)), route.Balance)
		out := map[string][]float32{}
		if !noGrad {
			g := loss.Backward()
			out["x"] = g.Wrt(v).Data
			for name, p := range autograd.Params(m) {
				if gp := g.Of(p); gp != nil {
					out[name] = gp.Data
				}
			}
		}
		return append([]float32{}, y.Data...), out
	}
	y, grads := run(false)
	require.Contains(t, grads, "router.qkv.weight")
	require.Contains(t, grads, "experts.0.weight")
	defer kernel.SetThreads(kernel.Threads())
	for _, n := range []int{1, 2, 7} {
		kernel.SetThreads(n)
		y1, grads1 := run(false)
		require.Equal(t, y, y1)
		require.Equal(t, grads, grads1)
		y1, _ = run(true)
		require.Equal(t, y, y1)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			tape := &autograd.Tape{NoGrad: true}
			for range 3 {
				if got := m.Forward(tape.Const(x)); !equal(got.Data, y) {
					t.Error("the mixture gives another answer when several goroutines use it")
				}
				tape.Reset()
			}
		}()
	}
	wg.Wait()
}

func equal(a, b []float32) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// Operators are experts, mixtures too, and grids may change between calls.
func TestNested(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var experts []moe.Expert
	for range 2 {
		e, err := fno.New(fno.Config{In: 3, Out: 1, Hidden: 4, Modes: []int{4, 4}, Layers: 1}, rng)
		require.NoError(t, err)
		experts = append(experts, e)
	}
	inner := newMixture(t, moe.Config{Channels: 3}, experts)
	m := newMixture(t, moe.Config{Channels: 3}, []moe.Expert{inner, experts[0], experts[1]})
	for _, n := range []int{8, 11} {
		tape := &autograd.Tape{}
		require.Equal(t, []int{2, 1, n, n + 1}, m.Forward(tape.Input(random(1, 2, 3, n, n+1))).Shape)
	}
}

type wrong struct{ shape []int }

func (w wrong) Forward(x *autograd.Value) *autograd.Value {
	return x.Tape().Const(autograd.New(w.shape...))
}

func TestMistakes(t *testing.T) {
	_, err := moe.New(moe.Config{Channels: 2, Experts: 4}, convolutions(3, 2, 1), nil)
	require.EqualError(t, err, "moe: 3 experts given, config says 4")
	_, err = moe.New(moe.Config{Channels: 2}, []moe.Expert{&counter{}, nil}, nil)
	require.EqualError(t, err, "moe: expert 1 is nil")
	_, err = moe.New(moe.Config{Channels: 2}, nil, nil)
	require.EqualError(t, err, "moe: 2 channels, 0 experts; want at least 1 of each")

	m := newMixture(t, moe.Config{Channels: 2, Routing: moe.Uniform}, []moe.Expert{wrong{[]int{2, 5}}, wrong{[]int{2, 4}}})
	tape := &autograd.Tape{}
	x := tape.Input(random(1, 2, 2, 5, 6))
	require.PanicsWithValue(t, "moe: Apply: expert 1 made shape [2 4] of [2 2 5 6]; want [2 5]", func() { m.Forward(x) })
	m.Experts[0] = wrong{[]int{1, 5}}
	require.Panics(t, func() { m.Forward(x) })
	other := newRouter(t, moe.Config{Channels: 2, Experts: 2})
	require.PanicsWithValue(t, "moe: Apply: the route comes from another router", func() { m.Apply(other.Route(x)) })
}
