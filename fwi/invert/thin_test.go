package invert

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi/wave"
)

// At the true map the thinned survey of OpenFWI explains low frequencies of what the full one recorded.
func TestThinnedSurveyExplainsLowFrequencies(t *testing.T) {
	const n = 70
	vel := make([]float32, n*n)
	layers := []float32{1700, 2100, 2000, 2900, 3300, 3100, 4200}
	for i := range vel {
		vel[i] = layers[min(len(layers)-1, (i/n+(i%n)/9)/10)]
	}
	s, err := wave.New[float32](wave.Config{Steps: 999}, n, n)
	require.NoError(t, err)
	data := make([]float32, 5*1000*n)
	require.NoError(t, s.Forward(context.Background(), data, vel))
	r := &run{bounds: newBounds(1500, 4500), p: Problem{Survey: s.Config(), NZ: n, NX: n, Data: data}}
	for corner, limit := range map[float64]float64{1.5: 0.002, 3: 0.003, 4.5: 0.004, 6.5: 0.006, 9: 0.01} {
		sims, err := r.simulations(s.Config(), Stage{LowPass: corner, Coarse: true, Gain: 0.5})
		require.NoError(t, err)
		require.Len(t, sims, 2, "sources in columns 0, 34 and 52, and in 17 and 69")
		m, err := sims.misfit(context.Background(), vel)
		require.NoError(t, err)
		require.Less(t, L2.shown(m), limit, "corner at %v Hz", corner)
	}
}

func TestThinningKeepsPlaces(t *testing.T) {
	th := thinning{nz: 7, nx: 8, row: 1, col: 0}
	nz, nx := th.size()
	require.Equal(t, []int{3, 4}, []int{nz, nx})
	p, ok := th.place(wave.Point{Row: 5, Col: 6})
	require.True(t, ok)
	require.Equal(t, wave.Point{Row: 2, Col: 3}, p)
	for _, p := range []wave.Point{{Row: 0, Col: 0}, {Row: 2, Col: 2}, {Row: 1, Col: 3}} {
		_, ok = th.place(p)
		require.False(t, ok, "%v", p)
	}
	require.True(t, th.keeps(wave.Sides{Top: true, Bottom: true, Right: true}))
	require.False(t, th.keeps(wave.Sides{Left: true}))
}

// A constant map stays what it is; the derivative is that of differences.
func TestThinningGradient(t *testing.T) {
	th := thinning{nz: 6, nx: 7, row: 1, col: 1}
	nz, nx := th.size()
	rng := rand.New(rand.NewPCG(8, 8))
	vel, thin, weight := make([]float32, 42), make([]float32, nz*nx), make([]float32, nz*nx)
	for i := range vel {
		vel[i] = 2000
	}
	th.apply(thin, vel)
	for _, v := range thin {
		require.InDelta(t, 2000, v, 1e-3)
	}
	for i := range vel {
		vel[i] += float32(500 * rng.Float64())
	}
	for i := range weight {
		weight[i] = float32(rng.NormFloat64())
	}
	value := func() (sum float64) {
		th.apply(thin, vel)
		for i, v := range thin {
			sum += float64(v) * float64(weight[i])
		}
		return sum
	}
	value()
	g := make([]float32, 42)
	th.adjoint(g, weight, vel, append([]float32(nil), thin...))
	for i := range vel {
		const step = 8
		vel[i] += step
		above := value()
		vel[i] -= 2 * step
		below := value()
		vel[i] += step
		require.InDelta(t, (above-below)/(2*step), g[i], 1e-3*math.Max(1, math.Abs(float64(g[i]))), "cell %d", i)
	}
}

// Where a survey cannot be thinned out a coarse stage simulates all of it.
func TestSurveysThatCannotBeThinned(t *testing.T) {
	c := wave.Config{Dx: 20, Dt: 0.002, Samples: 50, Pad: 15, Sources: []wave.Point{{Row: 1, Col: 4}}, Receivers: []wave.Point{{Row: 1, Col: 3}}}
	s, err := wave.New[float32](c, testNZ, testNX)
	require.NoError(t, err)
	require.Empty(t, thinOut(s.Config(), testNZ, testNX), "no receiver on the source's cells")
	c.Receivers = []wave.Point{{Row: 1, Col: 6}}
	s, err = wave.New[float32](c, testNZ, testNX)
	require.NoError(t, err)
	require.Empty(t, thinOut(s.Config(), testNZ, testNX), "none but one next to the source")
	data := make([]float32, 50)
	vel := make([]float32, testNZ*testNX)
	for i := range vel {
		vel[i] = 2000
	}
	require.NoError(t, s.Forward(context.Background(), data, vel))
	r := &run{bounds: newBounds(1500, 4500), p: Problem{Survey: c, NZ: testNZ, NX: testNX, Data: data}}
	sims, err := r.simulations(c, Stage{LowPass: 5, Coarse: true})
	require.NoError(t, err)
	require.Len(t, sims, 1)
	require.Nil(t, sims[0].thin)
}

// Strips of half as many cells damp twice as much in a time step, which can be too much for the scheme.
func TestThinnedSurveysAreStable(t *testing.T) {
	p, _ := problem(t)
	r := &run{p: p, bounds: newBounds(1500, 4500)}
	sims, err := r.simulations(p.Survey, Stage{LowPass: 6, Coarse: true})
	require.NoError(t, err)
	require.Nil(t, sims[0].thin)
}

// The gradient of a coarse stage is that of differences.
func TestCoarseGradient(t *testing.T) {
	wide := survey()
	wide.Pad = 40
	p := Problem{Survey: wide, NZ: testNZ, NX: testNX, Data: record(t, wide, anomaly())}
	r := &run{ctx: context.Background(), p: p, bounds: newBounds(1500, 4500)}
	sims, err := r.simulations(p.Survey, Stage{LowPass: 6, Coarse: true})
	require.NoError(t, err)
	require.NotNil(t, sims[0].thin)
	vel := make([]float32, testNZ*testNX)
	for i := range vel {
		vel[i] = 2000 + 30*float32(i/testNX)
	}
	vel[3] = 1950 // one cell alone sets the damping
	g := make([]float32, len(vel))
	_, err = sims.gradient(context.Background(), g, vel, true, compared)
	require.NoError(t, err)
	along := make([]float64, len(vel))
	rng := rand.New(rand.NewPCG(9, 9))
	want := 0.0
	for i := range along {
		along[i] = rng.NormFloat64()
		want += along[i] * float64(g[i])
	}
	at := func(step float64) float64 {
		moved := make([]float32, len(vel))
		for i, v := range vel {
			moved[i] = v + float32(step*along[i])
		}
		m, err := sims.misfit(context.Background(), moved)
		require.NoError(t, err)
		return m
	}
	require.InEpsilon(t, want, (at(2)-at(-2))/4, 0.02)
}
