package encoder

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/spectral"
)

// measured is what a map's spectrum holds, by a full complex transform in float64 and the radius written out again.
func measured(x []float32, ny, nx int) energy {
	var e energy
	n := ny * nx
	for ; len(x) > 0; x = x[n:] {
		z := make([]float64, 2*n)
		for i := range n {
			z[2*i] = float64(x[i])
		}
		kernel.FFT(z, z, 1, []int{ny, nx}, false, 1/math.Sqrt(float64(n)))
		for i := range n {
			ky, kx := i/nx, i%nx
			ky, kx = min(ky, ny-ky), min(kx, nx-kx)
			u, v := float64(ky)/float64(ny), float64(kx)/float64(nx)
			r := math.Hypot(u, v)/math.Hypot(float64(ny/2)/float64(ny), float64(nx/2)/float64(nx)) + 1e-9
			p := z[2*i]*z[2*i] + z[2*i+1]*z[2*i+1]
			if r >= 0.05 && r < 0.30 {
				e.low += p
			}
			if r >= 0.40 && r < 0.85 {
				e.high += p
			}
		}
	}
	return e
}

// smooth fills x with waves of few periods and random phases: nothing in the high band but rounding.
func smooth(x []float32, ny, nx int, rng *rand.Rand) {
	n := ny * nx
	for ; len(x) > 0; x = x[n:] {
		clear(x[:n])
		for range 3 {
			ky, kx := rng.IntN(1+ny/8), 1+rng.IntN(nx/8)
			phase, a := 2*math.Pi*rng.Float64(), rng.NormFloat64()
			for i := range n {
				x[i] += float32(a * math.Cos(2*math.Pi*(float64(ky*(i/nx))/float64(ny)+float64(kx*(i%nx))/float64(nx))+phase))
			}
		}
	}
}

// bound is what the floor promises.
const bound = 1 - 1e-5

func TestFloorOnThousandLatents(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	tape := &autograd.Tape{NoGrad: true}
	counts := map[FloorAction]int{}
	sizes := [][2]int{{16, 16}, {24, 17}, {15, 31}, {33, 20}, {70, 70}}
	for i := range 1000 {
		size := sizes[i%4]
		if i%50 == 0 {
			size = sizes[4]
		}
		ny, nx, nc := size[0], size[1], 1+rng.IntN(4)
		x := autograd.New(1, nc, ny, nx)
		in := autograd.New(1, 1, 2*ny, 3*nx)
		nn.Normal(in, 0, 1, rng)
		f := Floor{Rho: math.Pow(10, 3*rng.Float64()-2.5)}
		want := []FloorAction{FloorHeld, FloorScaled}
		switch i % 8 {
		case 0, 1: // white
			nn.Normal(x, 0, math.Pow(10, 6*rng.Float64()-3), rng)
		case 2: // smooth, with some noise
			smooth(x.Data, ny, nx, rng)
			noise := math.Pow(10, -4*rng.Float64())
			for j := range x.Data {
				x.Data[j] += float32(noise * rng.NormFloat64())
			}
		case 3: // white and far from zero
			nn.Normal(x, 100, 1, rng)
		case 4: // smooth: the high band is borrowed
			smooth(x.Data, ny, nx, rng)
			want = []FloorAction{FloorBorrowed}
		case 5: // smooth, and so is the input
			smooth(x.Data, ny, nx, rng)
			nn.Normal(in, 0, 0, rng)
			want = []FloorAction{FloorPassed}
		case 6: // zeros
			want = []FloorAction{FloorPassed}
		case 7: // constant channels
			for j := range x.Data {
				x.Data[j] = float32(j / (ny * nx))
			}
			want = []FloorAction{FloorPassed}
		}
		report := &FloorReport{}
		y := f.Forward(tape.Const(x), tape.Const(in), report)
		got := measured(y.Data, ny, nx)
		sample := report.Samples[0]
		counts[sample.Action]++
		require.Contains(t, want, sample.Action, "latent %d", i)
		before := measured(x.Data, ny, nx)
		if sample.Action == FloorPassed || sample.Action == FloorHeld {
			require.Same(t, &x.Data[0], &y.Data[0], "latent %d: unchanged means no copy", i)
		} else {
			require.Less(t, before.high, f.Rho*before.low, "latent %d", i)
			require.InEpsilon(t, before.low, got.low, 1e-5, "latent %d: the low band stays", i)
		}
		if sample.Action != FloorPassed {
			require.GreaterOrEqual(t, got.high/got.low, f.Rho*bound, "latent %d: %v", i, sample)
			require.InEpsilon(t, got.high/got.low, sample.After, 1e-5, "latent %d", i)
		}
		if sample.Action == FloorScaled || sample.Action == FloorBorrowed {
			require.InEpsilon(t, f.Rho, got.high/got.low, 1e-5, "latent %d: the bound is met, not exceeded", i)
		}
		tape.Reset()
	}
	require.Len(t, counts, 4)
	require.Equal(t, 375, counts[FloorPassed])
	require.Equal(t, 125, counts[FloorBorrowed])
}

// TestBandsAgree: the ratio here and that of package spectral are one definition, ties at the ends included.
func TestBandsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, size := range [][2]int{{70, 70}, {20, 20}, {21, 35}, {21, 21}, {31, 31}, {61, 61}, {100, 40}} {
		x := autograd.New(2, 3, size[0], size[1])
		nn.Normal(x, 1, 1, rng)
		b := bandsOf(x.Shape)
		pairs := make([]float64, 4)
		b.energies(pairs, make([]float32, b.spectrumLen(2)), x.Data)
		for i, r := range spectral.EnergyRatio(x) {
			ratio := energyOf(pairs, i).ratio()
			require.InEpsilon(t, r, ratio, 1e-5, "size %v", size)
			e := measured(x.Data[i*b.points():][:b.points()], size[0], size[1])
			require.InEpsilon(t, e.ratio(), ratio, 1e-5, "size %v", size)
		}
	}
}

func TestFloorGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	white := func(shape ...int) *autograd.Tensor {
		x := autograd.New(shape...)
		nn.Normal(x, 0.3, 1, rng)
		return x
	}
	t.Run("scaled", func(t *testing.T) {
		x := white(3, 2, 8, 9)
		clear(x.Data[:2*8*9]) // a sample that passes
		for i := range 2 * 8 * 9 {
			x.Data[4*8*9+i] *= 1e-3 // one that shares nothing with its neighbour
		}
		in := white(3, 1, 8, 9)
		inOf := func(i int) *autograd.Tensor { return autograd.FromSlice(in.Data[i*8*9:][:8*9], 1, 1, 8, 9) }
		report := &FloorReport{}
		f := Floor{Rho: 40}
		f.Forward((&autograd.Tape{}).Const(x), (&autograd.Tape{}).Const(in), report)
		require.Equal(t, 2, report.Count(FloorScaled))
		// The scale is not differentiable in zero, so the first sample is left out of what is moved.
		err := autograd.CheckGrad(autograd.GradCheck{}, func(v []*autograd.Value) *autograd.Value {
			return f.Forward(v[0], v[0].Tape().Const(inOf(1)), nil)
		}, autograd.FromSlice(x.Data[2*8*9:4*8*9], 1, 2, 8, 9))
		require.NoError(t, err)
		tape := &autograd.Tape{}
		all := tape.Input(x)
		y := f.Forward(all, tape.Const(in), nil)
		gy := white(y.Shape...)
		g := tape.Backward(autograd.Seed{Value: y, Grad: gy.Data}).Wrt(all)
		require.Equal(t, gy.Data[:2*8*9], g.Data[:2*8*9])
		// Samples do not mix: each alone has the same gradient.
		for i := range 3 {
			n := 2 * 8 * 9
			one := tape.Input(autograd.FromSlice(x.Data[i*n:][:n], 1, 2, 8, 9))
			y := f.Forward(one, tape.Const(inOf(i)), nil)
			alone := tape.Backward(autograd.Seed{Value: y, Grad: gy.Data[i*n:][:n]}).Wrt(one)
			require.Equal(t, g.Data[i*n:][:n], alone.Data)
		}
	})
	t.Run("borrowed", func(t *testing.T) {
		// Random steps would leave the branch: the latent is the low part of what is moved.
		mask := autograd.New(10 * 6 * 2)
		for i, r := range spectral.RadiusHalf(10, 10) {
			if r < 0.35 {
				mask.Data[2*i], mask.Data[2*i+1] = 1, 1
			}
		}
		f := Floor{Rho: 0.5}
		report := &FloorReport{}
		run := func(v []*autograd.Value) *autograd.Value {
			s := autograd.Reshape(spectral.RFFT(v[0], 2, spectral.NormOrtho), 2, 3, mask.Len())
			s = autograd.MulLast(s, v[0].Tape().Const(mask))
			x := spectral.IRFFT(autograd.Reshape(s, 2, 3, 10, 6, 2), []int{10, 10}, spectral.NormOrtho)
			return f.Forward(x, v[1], report)
		}
		require.NoError(t, autograd.CheckGrad(autograd.GradCheck{}, run, white(2, 3, 10, 10), white(2, 2, 12, 14)))
		require.Equal(t, len(report.Samples), report.Count(FloorBorrowed))
	})
	t.Run("loss", func(t *testing.T) {
		f := Floor{Rho: 100}
		err := autograd.CheckGrad(autograd.GradCheck{}, func(v []*autograd.Value) *autograd.Value { return f.Loss(v[0], nil) }, white(2, 2, 8, 9))
		require.NoError(t, err)
	})
}

func TestFloorLoss(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	x := autograd.New(3, 2, 20, 20)
	nn.Normal(x, 0, 1, rng)
	clear(x.Data[:800])
	ratio := spectral.EnergyRatio(x)
	tape := &autograd.Tape{}
	v := tape.Input(x)
	report := &FloorReport{}
	rho := math.Exp(1) * ratio[1]
	loss := Floor{Rho: rho}.Loss(v, report)
	want := (1 + math.Pow(max(0, 1+math.Log(ratio[1]/ratio[2])), 2)) / 3
	require.InEpsilon(t, want, float64(loss.Data[0]), 1e-5)
	require.Equal(t, FloorPassed, report.Samples[0].Action)
	require.Equal(t, FloorMissed, report.Samples[1].Action)
	require.Zero(t, Floor{Rho: 1e-3}.Loss(v, nil).Data[0])
	// Going down the gradient raises the ratio.
	g := tape.Backward(autograd.Seed{Value: loss, Grad: []float32{1}}).Wrt(v)
	for i := range x.Data {
		x.Data[i] -= 100 * g.Data[i]
	}
	require.Greater(t, spectral.EnergyRatio(x)[1], 1.1*ratio[1])
	// A map without a high band has a loss and a gradient, both finite.
	smooth(x.Data, 20, 20, rng)
	tape.Reset()
	v = tape.Input(x)
	loss = Floor{Rho: 0.1}.Loss(v, nil)
	require.InDelta(t, math.Pow(math.Log(0.1/nothing), 2), float64(loss.Data[0]), 20)
	for _, d := range loss.Backward().Wrt(v).Data {
		require.False(t, math.IsNaN(float64(d)) || math.IsInf(float64(d), 0))
	}
}

func TestFloorConfig(t *testing.T) {
	var c FloorConfig
	require.Equal(t, 0.05, c.Bound())
	require.NoError(t, json.Unmarshal([]byte(`{"rho": "data", "fraction": 0.25}`), &c))
	require.ErrorContains(t, c.defaults().check(), "data_ratio is not set")
	rng := rand.New(rand.NewPCG(9, 10))
	maps := []*autograd.Tensor{autograd.New(1, 12, 12), autograd.New(1, 12, 12), autograd.New(1, 12, 12)}
	nn.Normal(maps[0], 3000, 500, rng)
	nn.Normal(maps[1], 2000, 100, rng)
	require.NoError(t, c.MeasureData(slices.Values(maps)))
	want := (measured(maps[0].Data, 12, 12).ratio() + measured(maps[1].Data, 12, 12).ratio()) / 2
	require.InEpsilon(t, want/4, c.Bound(), 1e-4)
	text, err := json.Marshal(c)
	require.NoError(t, err)
	var again FloorConfig
	require.NoError(t, json.Unmarshal(text, &again))
	require.Equal(t, c, again)
	require.Error(t, c.MeasureData(slices.Values(maps[2:])))
	text, err = json.Marshal(FloorConfig{Rho: Rho{Number: 0.5}})
	require.NoError(t, err)
	require.JSONEq(t, `{"rho": 0.5}`, string(text))
	require.ErrorContains(t, json.Unmarshal([]byte(`{"rho": "map"}`), &c), `want a number or "data"`)
	for _, bad := range []FloorConfig{{Mode: "soft"}, {Rho: Rho{Number: -1}}, {Rho: Rho{Number: math.NaN()}}, {Rho: Rho{Number: 1e7}},
		{Fraction: -1}, {Weight: -1}} {
		require.Error(t, bad.defaults().check(), "%+v", bad)
	}
	require.Zero(t, FloorConfig{Mode: FloorOff}.Bound())
}

func TestFloorReport(t *testing.T) {
	r := &FloorReport{Samples: []FloorSample{{1, 1, FloorHeld}, {0.1, 0.4, FloorScaled}, {0, 0, FloorPassed}, {0.01, 0.4, FloorMissed}}}
	require.Equal(t, 2, r.Count(FloorScaled, FloorMissed))
	require.Equal(t, 0.5, r.Active())
	before, after := r.Means()
	require.InEpsilon(t, 0.1, before, 1e-9)
	require.InEpsilon(t, math.Cbrt(0.16), after, 1e-9)
	require.Zero(t, (&FloorReport{}).Active())
}

// The input is checked though maps with a high band do not need it.
func TestFloorChecksItsInput(t *testing.T) {
	tape := &autograd.Tape{}
	x, f := tape.Const(autograd.New(2, 3, 8, 8)), Floor{Rho: 0.01}
	for i := range x.Data {
		x.Data[i] = float32(i % 5)
	}
	require.NotPanics(t, func() { f.Forward(x, tape.Const(autograd.New(2, 1, 4, 4)), nil) })
	require.PanicsWithValue(t, "encoder: Floor: no encoder's input for x [2 3 8 8]", func() { f.Forward(x, nil, nil) })
	for _, shape := range [][]int{{1, 1, 4, 4}, {2, 4, 4}} {
		require.PanicsWithValue(t, fmt.Sprintf("encoder: Floor: encoder's input %v for x [2 3 8 8]; want [2, channel, rows, columns]", shape),
			func() { f.Forward(x, tape.Const(autograd.New(shape...)), nil) })
	}
}
