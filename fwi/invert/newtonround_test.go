package invert

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// boxed returns a map of two constant layers with a box in the lower one.
func boxed() []float32 {
	vel := make([]float32, testNZ*testNX)
	for i := range vel {
		row, col := i/testNX, i%testNX
		vel[i] = 1900
		if row >= testNZ/3 {
			vel[i] = 2300
		}
		if row >= testNZ/2 && row < testNZ/2+4 && col >= testNX/2 && col < testNX/2+5 {
			vel[i] = 2600
		}
	}
	return vel
}

// Rounds with curvature bring a map of blocks much nearer than as many without.
func TestNewtonRoundsFindBlocks(t *testing.T) {
	truth := boxed()
	start := make([]float32, len(truth))
	for i := range start {
		start[i] = 1900 + 500*float32(i/testNX)/testNZ
	}
	p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: record(t, survey(), truth), Start: start}
	errors := map[bool]float64{}
	for _, newton := range []bool{false, true} {
		stages := []Stage{
			{LowPass: 13, Rounds: 3, Iterations: 30, Variation: 0.1, Newton: newton},
			{Rounds: 4, Iterations: 30, Variation: 0.3, Newton: newton},
			{Rounds: 4, Iterations: 30, Variation: 1, Prior: Blocks, Newton: newton},
		}
		r, err := Run(context.Background(), p, Config{Stages: stages, Min: 1800, Max: 2800})
		require.NoError(t, err)
		errors[newton] = meanError(r.Vel, truth)
		if newton {
			require.LessOrEqual(t, len(r.History), 11)
			for i := 1; i < len(r.History); i++ {
				if r.History[i].Stage == 0 {
					require.Less(t, r.History[i].After, r.History[i].Before)
				}
			}
		}
	}
	t.Logf("without %.2f m/s, with curvature %.2f m/s", errors[false], errors[true])
	require.Less(t, errors[true], errors[false]/2)
}

// Enough ends a stage early, and a round that does not improve the map ends it, too.
func TestNewtonRoundsEnd(t *testing.T) {
	truth := boxed()
	p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: record(t, survey(), truth), Start: truth}
	r, err := Run(context.Background(), p, Config{Stages: []Stage{{LowPass: 13, Rounds: 5, Iterations: 30, Newton: true}}, Min: 1800, Max: 2800})
	require.NoError(t, err)
	require.Less(t, len(r.History), 5)
	require.Less(t, meanError(r.Vel, truth), 0.5)

	p.Start = nil
	r, err = Run(context.Background(), p, Config{Stages: []Stage{{LowPass: 6, Rounds: 5, Iterations: 30, Newton: true, Enough: 0.9}}, Min: 1800, Max: 2800})
	require.NoError(t, err)
	require.Len(t, r.History, 1)
}

// An inversion that is stopped within rounds goes on to the same map.
func TestNewtonRoundsResume(t *testing.T) {
	p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: record(t, survey(), boxed())}
	cfg := Config{Stages: []Stage{{LowPass: 9, Rounds: 3, Iterations: 30, Variation: 0.1, Newton: true}, {Rounds: 2, Iterations: 30, Variation: 1, Newton: true}}, Every: 1}
	whole, err := Run(context.Background(), p, cfg)
	require.NoError(t, err)
	cfg.State = filepath.Join(t.TempDir(), "state")
	stop := errors.New("stop")
	for at := 1; ; at++ {
		n := 0
		cfg.Watch = func(p Progress) error {
			if p.Replayed {
				return nil
			}
			if n++; n == 8 {
				return stop
			}
			return nil
		}
		r, err := Run(context.Background(), p, cfg)
		if err == nil {
			require.True(t, r.Resumed)
			require.Equal(t, whole.Vel, r.Vel)
			require.Greater(t, at, 2)
			return
		}
		require.ErrorIs(t, err, stop)
		require.Less(t, at, 30)
	}
}

// Total variation that is a fraction of the misfit does not hold a flat map flat.
func TestFlatMapRises(t *testing.T) {
	truth := boxed()
	start := make([]float32, len(truth))
	for i := range start {
		start[i] = 2100
	}
	p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: record(t, survey(), truth), Start: start}
	stages := []Stage{{LowPass: 9, Rounds: 4, Iterations: 30, Variation: 1, Newton: true}, {Rounds: 4, Iterations: 30, Variation: 1, Newton: true}}
	r, err := Run(context.Background(), p, Config{Stages: stages, Min: 1800, Max: 2800})
	require.NoError(t, err)
	require.Less(t, meanError(r.Vel, truth), meanError(start, truth)/3)
}

// A map of constant rows stays one while that explains the data, and finds its layers; where it does not it becomes a map of cells.
func TestNewtonRoundsOfRows(t *testing.T) {
	truth := boxed()
	layers, start := make([]float32, len(truth)), make([]float32, len(truth))
	for i := range layers {
		layers[i] = truth[i/testNX*testNX]
		start[i] = layers[i] + 40*float32(math.Sin(float64(i/testNX)))
	}
	find := func(truth []float32) ([]float64, []float32) {
		p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: record(t, survey(), truth), Start: start}
		cfg, err := Config{Stages: []Stage{{Rounds: 10, Iterations: 30, Variation: 0.3, Newton: true}}, Min: 1800, Max: 2800}.complete(&p)
		require.NoError(t, err)
		require.NoError(t, p.check())
		r := &run{ctx: context.Background(), p: p, cfg: cfg, bounds: newBounds(1800, 2800)}
		_, err = r.begin()
		require.NoError(t, err)
		r.state.Stratified = true
		for !r.state.Finished {
			require.NoError(t, r.round())
		}
		return r.state.u, r.velocities()
	}
	u, vel := find(layers)
	require.True(t, stratified(u, testNX))
	require.Less(t, meanError(vel, layers), meanError(start, layers)/10)
	u, vel = find(truth)
	require.False(t, stratified(u, testNX))
	require.Less(t, meanError(vel, truth), meanError(layers, truth))
}

// Rounds with curvature weigh the total variation by what of the misfit is not noise, and by a part of the noise where there is no more.
func TestNoiseDoesNotRegularise(t *testing.T) {
	truth := boxed()
	p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: record(t, survey(), truth), Start: truth}
	stages := []Stage{{Rounds: 1, Iterations: 1, Variation: 0.5, Newton: true}, {Rounds: 1, Iterations: 1, Variation: 0.5}}
	cfg, err := Config{Stages: stages, Min: 1800, Max: 2800}.complete(&p)
	require.NoError(t, err)
	r := &run{ctx: context.Background(), p: p, cfg: cfg, bounds: newBounds(1800, 2800)}
	_, err = r.begin()
	require.NoError(t, err)
	weight := func(stage Stage, misfit, noise float64) float64 {
		o := &objective{noise: noise, share: 0.1}
		r.regularise(o, stage, r.state.u, misfit)
		return o.tv
	}
	whole := weight(stages[0], 1, 0)
	require.Positive(t, whole)
	require.InDelta(t, 0.2*whole, weight(stages[0], 1, 0.8), 1e-12)
	require.InDelta(t, 0.1*whole, weight(stages[0], 1, 1), 1e-12)
	require.InDelta(t, 0.1*whole, weight(stages[0], 0.5, 1), 1e-12)
	require.InDelta(t, whole, weight(stages[1], 1, 0.8), 1e-12)
}

// Rounds that spare edges are left out where the map explains the data to the noise.
func TestBlocksNeedMisfit(t *testing.T) {
	truth := boxed()
	data := record(t, survey(), truth)
	for i := range data {
		data[i] += 1e-3 * float32(math.Sin(float64(i*i)))
	}
	p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: data, Start: truth}
	for _, noise := range []float64{0, 2e-3} {
		cfg, err := Config{Stages: []Stage{{Rounds: 3, Iterations: 2, Variation: 0.3, Newton: true, Prior: Blocks}}, Min: 1800, Max: 2800}.complete(&p)
		require.NoError(t, err)
		require.NoError(t, p.check())
		r := &run{ctx: context.Background(), p: p, cfg: cfg, bounds: newBounds(1800, 2800), noise: noise}
		_, err = r.begin()
		require.NoError(t, err)
		require.NoError(t, r.round())
		require.Equal(t, noise > 0, r.state.History[0].Iterations == 0)
		require.True(t, noise == 0 || r.state.Finished)
	}
}
