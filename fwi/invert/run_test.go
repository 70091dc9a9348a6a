package invert

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi/wave"
	"github.com/spamoe/spamoe/internal/kernel"
)

const testNZ, testNX = 16, 20

// survey is small and coarse, so that an inversion takes a moment.
func survey() wave.Config {
	return wave.Config{Dx: 20, Dt: 0.002, Samples: 180, Pad: 15, Shots: 4}
}

// anomaly is a map whose velocity grows with depth, with a slow lens and a fast layer.
func anomaly() []float32 {
	vel := make([]float32, testNZ*testNX)
	for i := range vel {
		z, x := i/testNX, i%testNX
		vel[i] = 1900 + 60*float32(z)
		if z > 10 {
			vel[i] = 3300
		}
		if z > 3 && z < 8 && x > 6 && x < 13 {
			vel[i] -= 300
		}
	}
	return vel
}

func record(t testing.TB, cfg wave.Config, vel []float32) []float32 {
	t.Helper()
	s, err := wave.New[float32](cfg, testNZ, testNX)
	require.NoError(t, err)
	shots, nt, nr := s.Shape()
	data := make([]float32, shots*nt*nr)
	require.NoError(t, s.Forward(context.Background(), data, vel))
	return data
}

func meanError(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		sum += math.Abs(float64(v-b[i])) / float64(len(a))
	}
	return sum
}

func problem(t testing.TB) (Problem, []float32) {
	truth := anomaly()
	return Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: record(t, survey(), truth)}, truth
}

// killTraces sets every n-th trace to zero.
func killTraces(data []float32, n int) {
	for i := range data {
		if i%testNX%n == 0 {
			data[i] = 0
		}
	}
}

// few are stages that take a second.
func few() []Stage {
	return []Stage{
		{LowPass: 6, Iterations: 12, Smooth: 1.5, Gain: 0.5, Variation: 0.02},
		{Iterations: 15, Rounds: 2, Gain: 0.5, Variation: 0.05},
	}
}

func TestInversionFindsTheMap(t *testing.T) {
	p, truth := problem(t)
	start := 0.0
	last := 0
	r, err := Run(context.Background(), p, Config{Stages: few(), Watch: func(pr Progress) error {
		if start == 0 {
			start = meanError(pr.Vel, truth)
		}
		require.Greater(t, pr.Done, last)
		require.Equal(t, 42, pr.Total)
		last = pr.Done
		return nil
	}})
	require.NoError(t, err)
	require.Len(t, r.History, 3)
	t.Logf("mean error %.1f -> %.1f m/s, misfit %.4f", start, meanError(r.Vel, truth), r.History[2].After)
	require.Less(t, r.History[2].After, 0.03)
	require.Less(t, meanError(r.Vel, truth), 0.5*start)
}

// Every misfit, prior and optimiser lowers what it minimises.
func TestEveryKindOfStage(t *testing.T) {
	p, _ := problem(t)
	for name, s := range map[string]Stage{
		"l1":          {Iterations: 4, Misfit: L1, Gain: 0.3},
		"envelope":    {Iterations: 4, Misfit: Envelope},
		"correlation": {Iterations: 4, Misfit: Correlation},
		"layers":      {Iterations: 4, Prior: Layers},
		"blocks":      {Iterations: 4, Prior: Blocks, Variation: 0.5},
		"tikhonov":    {Iterations: 4, Tikhonov: 0.1},
		"adam":        {Iterations: 6, Adam: true},
		"damping":     {Iterations: 4, Damping: true},
		"window":      {Iterations: 4, Window: 0.2},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Run(context.Background(), p, Config{Stages: []Stage{s}, Probes: -1, Mute: 1})
			require.NoError(t, err)
			require.Less(t, r.History[0].After, r.History[0].Before)
			for i, v := range r.Vel {
				require.True(t, v >= 1500 && v <= 4500)
				if name == "layers" {
					require.InDelta(t, r.Vel[i/testNX*testNX], v, 40, "the start is constant in a row, but for what is muted at sources")
				}
			}
		})
	}
}

// Stopped anywhere and started again, an inversion ends with the same bits; so does one on another number of threads.
func TestResumesExactly(t *testing.T) {
	p, _ := problem(t)
	threads := kernel.Threads()
	defer kernel.SetThreads(threads)
	for _, adam := range []bool{false, true} {
		stages := few()
		for i := range stages {
			stages[i].Adam = adam
			stages[i].Iterations = 5
		}
		kernel.SetThreads(threads)
		want, err := Run(context.Background(), p, Config{Stages: stages})
		require.NoError(t, err)
		kernel.SetThreads(1)
		path := filepath.Join(t.TempDir(), "state")
		enough := errors.New("enough")
		for _, stop := range []int{2, 7, 8, 13} {
			_, err := Run(context.Background(), p, Config{Stages: stages, State: path, Every: time.Nanosecond, Watch: func(pr Progress) error {
				if pr.Done >= stop && !pr.Replayed {
					return enough
				}
				return nil
			}})
			require.ErrorIs(t, err, enough)
		}
		got, err := Run(context.Background(), p, Config{Stages: stages, State: path})
		require.NoError(t, err)
		require.True(t, got.Resumed)
		require.Equal(t, want.Vel, got.Vel)
		require.Equal(t, want.History, got.History)
		// A finished inversion is not repeated.
		again, err := Run(context.Background(), p, Config{Stages: stages, State: path, Watch: func(Progress) error { return enough }})
		require.NoError(t, err)
		require.Equal(t, want.Vel, again.Vel)
		require.Equal(t, want.Start, again.Start)
		require.Equal(t, want.Misfit, again.Misfit)
	}
}

func TestStateOfAnotherProblemIsRefused(t *testing.T) {
	p, _ := problem(t)
	path := filepath.Join(t.TempDir(), "state")
	cfg := Config{Stages: []Stage{{Iterations: 1}}, Probes: -1, State: path}
	_, err := Run(context.Background(), p, cfg)
	require.NoError(t, err)
	p.Data = append([]float32(nil), p.Data...)
	p.Data[1000]++
	_, err = Run(context.Background(), p, cfg)
	require.EqualError(t, err, "invert: "+path+" is the state of an inversion of other data or with other settings; remove it or name another file")
	require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	_, err = Run(context.Background(), p, cfg)
	require.Error(t, err)
}

func TestCancelledInversionSaves(t *testing.T) {
	p, _ := problem(t)
	ctx, cancel := context.WithCancel(context.Background())
	path := filepath.Join(t.TempDir(), "state")
	_, err := Run(ctx, p, Config{Stages: few(), State: path, Watch: func(pr Progress) error {
		if pr.Done == 5 {
			cancel()
		}
		return nil
	}})
	require.ErrorIs(t, err, context.Canceled)
	replayed := 0
	_, err = Run(context.Background(), p, Config{Stages: few(), State: path, Watch: func(pr Progress) error {
		if pr.Replayed {
			replayed++
		}
		return nil
	}})
	require.NoError(t, err)
	require.GreaterOrEqual(t, replayed, 4)
}

// The last row of published training data is zero though the wave goes on: it is no recording.
// Dead traces and shots do not count: at the true map there is no misfit, with amplitudes balanced or not.
func TestDeadTracesDoNotCount(t *testing.T) {
	p, truth := problem(t)
	shots, nt, nr, err := p.shape()
	require.NoError(t, err)
	require.Equal(t, testNX, nr)
	killTraces(p.Data, 3)
	clear(p.Data[(shots-1)*nt*nr:])
	p.Start = truth
	for _, m := range []Misfit{L2, L1, Envelope, Correlation} {
		r, err := Run(context.Background(), p, Config{Stages: []Stage{{Iterations: 1, Gain: 0.5, Misfit: m}}, Probes: -1})
		require.NoError(t, err, m.String())
		require.Less(t, r.Misfit, 1e-3, m.String())
		require.Less(t, r.History[0].Before, 1e-3, m.String())
	}
}

func TestRowsOfZerosAtTheEndDoNotCount(t *testing.T) {
	p, truth := problem(t)
	for shot := range 4 {
		clear(p.Data[(shot*180+175)*testNX:][:5*testNX])
	}
	p.Start = truth
	r, err := Run(context.Background(), p, Config{Stages: []Stage{{Iterations: 1}}, Probes: -1})
	require.NoError(t, err)
	require.Less(t, r.History[0].Before, 1e-3)
	p.Data[0] = float32(math.NaN())
	_, err = Run(context.Background(), p, Config{})
	require.EqualError(t, err, "invert: data: shot 0, sample 0, receiver 0 is NaN, want a finite number")
}

func TestNoiseIsEstimated(t *testing.T) {
	p, truth := problem(t)
	square := 0.0
	for _, v := range p.Data {
		square += float64(v) * float64(v) / float64(len(p.Data))
	}
	rms := math.Sqrt(square)
	require.Less(t, noiseLevel(p.Data, 4, 180, testNX, 180), 1e-4*rms, "a clean recording")
	rng := rand.New(rand.NewPCG(4, 4))
	for i := range p.Data {
		p.Data[i] += float32(0.1 * rms * rng.NormFloat64())
	}
	sigma := noiseLevel(p.Data, 4, 180, testNX, 180)
	require.InEpsilon(t, 0.1*rms, sigma, 0.15)
	// At the true map the misfit is the expected one, for every kind and weight.
	s, err := wave.New[float32](survey(), testNZ, testNX)
	require.NoError(t, err)
	for kind := L2; kind <= Correlation; kind++ {
		c := newComparison(kind, newLowPass(15, 0.002), p.Data, 4, 180, testNX, 0, 0.5)
		got, err := s.Gradient(context.Background(), &wave.Gradient[float32]{}, truth, c.measure)
		require.NoError(t, err)
		require.InEpsilon(t, got, c.expected(p.Data, sigma), 0.4, kind.String())
	}
}

// A start is found for an earth whose velocity falls with depth.
func TestSearchStart(t *testing.T) {
	vel := make([]float32, testNZ*testNX)
	for i := range vel {
		vel[i] = 3900 - 100*float32(i/testNX)
	}
	p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: record(t, survey(), vel)}
	cfg, err := Config{}.complete(&p)
	require.NoError(t, err)
	require.NoError(t, p.check())
	r := &run{ctx: context.Background(), p: p, cfg: cfg, bounds: newBounds(1500, 4500)}
	got, err := r.searchStart()
	require.NoError(t, err)
	require.Less(t, meanError(got, vel), 0.7*meanError(r.linear(0.1, 0.9), vel))
	require.Greater(t, got[0], float32(3000))
}

func TestWaveletIsEstimated(t *testing.T) {
	vel := anomaly()
	original := survey()
	original.Wavelet = make([]float64, 40)
	for i := range original.Wavelet {
		original.Wavelet[i] = math.Sin(float64(i)/4) * math.Exp(-float64(i)/12)
	}
	data := record(t, original, vel)
	p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: data}
	w, err := Wavelet(context.Background(), p, vel, 40)
	require.NoError(t, err)
	for i, v := range w {
		require.InDelta(t, original.Wavelet[i], v, 0.01)
	}
	p.Start = vel
	r, err := Run(context.Background(), p, Config{Stages: []Stage{{Iterations: 2, Wavelet: true}}, Probes: -1})
	require.NoError(t, err)
	require.NotNil(t, r.Wavelet)
	require.Less(t, r.History[0].Before, 0.02)
	killTraces(p.Data, 2)
	dead, err := Wavelet(context.Background(), p, vel, 40)
	require.NoError(t, err)
	for i, v := range dead {
		require.InDelta(t, original.Wavelet[i], v, 0.01, "every second trace is dead")
	}
	_, err = Wavelet(context.Background(), p, vel, 400)
	require.EqualError(t, err, "invert: wavelet of 400 samples, want 1 to 180")
}

// A wavelet as long as the gathers is estimated over the rows that were recorded, which are fewer.
func TestWaveletIsNoLongerThanTheRecording(t *testing.T) {
	p, truth := problem(t)
	p.Survey.Wavelet = append(wave.Ricker(15, 0.002), make([]float64, 180-73)...)
	require.Len(t, p.Survey.Wavelet, 180)
	for shot := range 4 {
		clear(p.Data[(shot*180+178)*testNX:][:2*testNX])
	}
	p.Start = truth
	r, err := Run(context.Background(), p, Config{Stages: []Stage{{Iterations: 1, Wavelet: true}}, Probes: -1})
	require.NoError(t, err)
	require.Len(t, r.Wavelet, 178)
}

// The probes estimate the diagonal of J'J, checked against differences of the data in single cells.
func TestIllumination(t *testing.T) {
	vel := anomaly()
	base := record(t, survey(), vel)
	r := &run{bounds: newBounds(1500, 4500), p: Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: base}}
	data, err := r.simulations(survey(), Stage{})
	require.NoError(t, err)
	got, err := illumination(context.Background(), data, vel, testNX, 40)
	require.NoError(t, err)
	ratio := func(i int) float64 {
		moved := append([]float32(nil), vel...)
		moved[i] += 20
		sum := 0.0
		for k, v := range record(t, survey(), moved) {
			d := float64(v-base[k]) / 20
			sum += d * d
		}
		return got[i] / sum
	}
	for _, i := range []int{8*testNX + 10, 10*testNX + 5, 12*testNX + 15} {
		require.InDelta(t, 0, math.Log(ratio(i)), 1.5, "smoothed and from few probes")
	}
	w := stepWeights(got, 0.4)
	require.Greater(t, w[14*testNX+10], 2*w[2*testNX+10])
}

// The gradient of the whole objective, bounds and basis included, against differences.
func TestObjectiveGradient(t *testing.T) {
	p, _ := problem(t)
	cfg, err := Config{}.complete(&p)
	require.NoError(t, err)
	require.NoError(t, p.check())
	p.Start = anomaly()
	p.Start[5] -= 100 // one cell alone sets the damping, where the derivative is defined
	r := &run{ctx: context.Background(), p: p, cfg: cfg, bounds: newBounds(1500, 4500)}
	_, err = r.begin()
	require.NoError(t, err)
	stage := Stage{LowPass: 12, Gain: 0.5, Smooth: 1, Variation: 0.3, Tikhonov: 0.3, Prior: Blocks, Damping: true}
	o, err := r.objective(stage)
	require.NoError(t, err)
	n := o.basis.size()
	r.regularise(o, stage, r.state.u, o.evaluate(make([]float64, n)).misfit)
	o.at = nil
	rng := rand.New(rand.NewPCG(9, 9))
	direction := noise(n, rng)
	at := func(h float64) float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = h * direction[i]
		}
		return o.evaluate(x).f
	}
	slope := dot(o.evaluate(make([]float64, n)).grad, direction)
	const h = 3e-3 // single precision sets the lower limit
	require.InEpsilon(t, (at(h)-at(-h))/(2*h), slope, 2e-3)
}

// Without stages an inversion has the usual ones, whether there is a list of them or not.
func TestNoStages(t *testing.T) {
	p, _ := problem(t)
	want, err := Config{}.complete(&p)
	require.NoError(t, err)
	require.NotEmpty(t, want.Stages)
	got, err := Config{Stages: []Stage{}}.complete(&p)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestStagesStayTheCallers(t *testing.T) {
	p, _ := problem(t)
	stages := []Stage{{Iterations: 1}}
	c, err := Config{Stages: stages}.complete(&p)
	require.NoError(t, err)
	require.Equal(t, 1, c.Stages[0].Rounds)
	require.Equal(t, []Stage{{Iterations: 1}}, stages)
}

func TestBadSettings(t *testing.T) {
	p, _ := problem(t)
	for want, cfg := range map[string]Config{
		"invert: bounds of 3000 to 2000 m/s, want 0 < Min < Max":                                                              {Min: 3000, Max: 2000},
		"invert: with Dt 0.002 s, Dx 20 m and Pad 15 velocities up to 4715.12 m/s are stable, want those up to Max, 5000 m/s": {Max: 5000},
		"invert: stage 0 has 0 iterations and 1 rounds, want 1 or more":                                                       {Stages: []Stage{{}}},
		"invert: stage 1 has a setting of -1, want numbers that are finite and not negative":                                  {Stages: []Stage{{Iterations: 1}, {Iterations: 1, Smooth: -1}}},
		"invert: stage 0 has misfit Misfit(7) and prior cells, want known ones":                                               {Stages: []Stage{{Iterations: 1, Misfit: 7}}},
	} {
		_, err := Run(context.Background(), p, cfg)
		require.EqualError(t, err, want)
	}
	short := p
	short.Data = p.Data[1:]
	_, err := Run(context.Background(), short, Config{})
	require.EqualError(t, err, "invert: data have 14399 values, want 14400 (4 shots x 180 samples x 20 receivers)")
	short = p
	short.Start = make([]float32, 3)
	_, err = Run(context.Background(), short, Config{})
	require.EqualError(t, err, "invert: start has 3 values, want 320 (16 x 20)")
	short = p
	short.Data = make([]float32, len(p.Data))
	_, err = Run(context.Background(), short, Config{})
	require.EqualError(t, err, "invert: all data are zero, want a recording")
	var prior Prior
	require.EqualError(t, prior.UnmarshalText([]byte("x")), `invert: unknown prior "x", want cells, layers, blocks, regions or strata`)
}
