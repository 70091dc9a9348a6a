package moe_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/moe"
)

func TestStats(t *testing.T) {
	m, x := mixed(t, 2)
	tape := &autograd.Tape{}
	route := m.Router.Route(tape.Input(x))
	s := route.Stats()
	total := 0
	for _, n := range s.Samples {
		total += n
	}
	require.Equal(t, 2*x.Shape[0], total)
	mean := 0.0
	for _, g := range s.MeanGates {
		mean += g
	}
	require.InDelta(t, 1, mean, 1e-6)
	n := x.Len() / x.Shape[0]
	for i, e := range s.BandEnergy {
		want, got := 0.0, 0.0
		for _, v := range x.Data[i*n:][:n] {
			want += float64(v) * float64(v)
		}
		for _, v := range e {
			got += v
		}
		require.InEpsilon(t, want, got, 1e-5)
	}
	waves := m.Router.Route((&autograd.Tape{}).Input(waves(1, 4, 12, 1, 5))).Stats().BandEnergy // of at most 6 periods
	require.Greater(t, waves[0][0], waves[0][1])
	require.Greater(t, waves[1][2], waves[1][1])
	for _, row := range s.Preference {
		sum := 0.0
		for _, p := range row {
			sum += p
		}
		require.InDelta(t, 1, sum, 1e-6)
	}
	require.Equal(t, []float64{0, 0.5, 1}, s.ExpertFreq)

	// They outlive the pass, and files.
	gates, first := append([]float64{}, s.Gates[0]...), s.Experts[0][0]
	tape.Reset()
	m.Router.Route(tape.Input(random(1, 7, 4, 12, 12)))
	require.Equal(t, gates, s.Gates[0])
	require.Equal(t, first, s.Experts[0][0])
	text, err := json.Marshal(s)
	require.NoError(t, err)
	var back moe.Stats
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, *s, back)

	// Those of two batches are those of the whole.
	half := x.Len() / 7 * 3
	a := m.Router.Route(tape.Input(autograd.FromSlice(x.Data[:half], 3, 4, 12, 12))).Stats()
	a.Append(m.Router.Route(tape.Input(autograd.FromSlice(x.Data[half:], 4, 4, 12, 12))).Stats())
	require.Equal(t, s.Samples, a.Samples)
	require.Equal(t, s.Experts, a.Experts)
	require.InDeltaSlice(t, s.MeanGates, a.MeanGates, 1e-6)
	require.Len(t, a.BandEnergy, 7)
	var empty moe.Stats
	empty.Append(s)
	require.Equal(t, *s, empty)
}

func TestStatsOfSwitches(t *testing.T) {
	for name, c := range map[string]struct {
		config     moe.Config
		preference [][]float64
	}{
		"no bands":  {moe.Config{NoBands: true, Routing: moe.Uniform}, [][]float64{{1, 1}, {1, 1}}},
		"no mixing": {moe.Config{NoMixing: true}, [][]float64{{1, 0}, {0, 1}}},
	} {
		c.config.Channels, c.config.Experts = 2, 2
		r := newRouter(t, c.config)
		s := r.Route((&autograd.Tape{}).Input(random(1, 2, 2, 6, 6))).Stats()
		require.Equal(t, c.preference, s.Preference, name)
		require.Nil(t, s.ExpertFreq, name)
		require.Len(t, s.BandEnergy, 2, name)
	}
}
