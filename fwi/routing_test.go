package fwi

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/fwi/velocity"
	"github.com/spamoe/spamoe/moe"
	"github.com/spamoe/spamoe/spectral"
)

func TestRoute(t *testing.T) {
	const n = 11 // more than one batch
	m, d := newModelOf(t, toySPAMoE()), newToy(n)
	seen := 0
	all, err := Route(context.Background(), m, d, func(k int) { seen += k })
	require.NoError(t, err)
	require.Equal(t, n, seen)
	require.Equal(t, n, all.Stats.Samples[0]+all.Stats.Samples[1]+all.Stats.Samples[2]-n, "two experts each")
	require.InDelta(t, 1, all.Stats.MeanGates[0]+all.Stats.MeanGates[1]+all.Stats.MeanGates[2], 1e-6)
	require.Len(t, all.Stats.Gates, n)
	require.Len(t, all.Floor.Samples, n)
	count := [3]int{}
	for i, chosen := range all.Stats.Experts {
		require.Len(t, chosen, 2)
		sum := 0.0
		for j, e := range chosen {
			count[e]++
			sum += all.Stats.Weights[i][j]
		}
		require.InDelta(t, 1, sum, 1e-6)
	}
	require.Equal(t, all.Stats.Samples, count[:])

	// What is said of a sample is what it gets by itself.
	net := m.Net.(*SPAMoE)
	for i := range n {
		x := autograd.New(append([]int{1}, m.InputShape()...)...)
		m.Prepare(x.Data, inputs(t, n)[i*480:(i+1)*480])
		out := net.ForwardWith((&autograd.Tape{NoGrad: true}).Const(x), true)
		require.Equal(t, out.Route.Experts[0], all.Stats.Experts[i])
		require.InDeltaSlice(t, out.Route.Gates[0], all.Stats.Gates[i], 1e-5)
		require.Equal(t, out.Floor.Samples[0].Action, all.Floor.Samples[i].Action)
		require.InEpsilon(t, out.Floor.Samples[0].Before, all.Floor.Samples[i].Before, 1e-3)
	}

	s := all.Summary()
	require.Equal(t, all.Stats.Samples, s.Samples)
	require.Equal(t, all.Stats.MeanGates, s.Gates)
	require.Equal(t, 0.2, s.Rho)
	log, active := 0.0, 0.0
	for _, f := range all.Floor.Samples {
		log += math.Log(f.After) / n
		if f.Before < 0.2 {
			active += 1.0 / n
		}
	}
	require.InEpsilon(t, math.Exp(log), s.After, 1e-9)
	require.InDelta(t, active, s.Active, 1e-9)
	require.LessOrEqual(t, s.Before, s.After)
	text, err := json.Marshal(all)
	require.NoError(t, err)
	var again Routings
	require.NoError(t, json.Unmarshal(text, &again))
	require.Equal(t, all, &again)
}

// Reports of several batches add up, and taking them in leaves them as they are.
func TestRoutingsAdd(t *testing.T) {
	var r Routings
	require.Nil(t, r.Summary())
	r.Add(Output{})
	require.Nil(t, r.Summary())
	part := func(e int, gates ...float64) *moe.Stats {
		s := &moe.Stats{}
		s.Append(&moe.Stats{Gates: [][]float64{gates}, Experts: [][]int{{e}}, Weights: [][]float64{{1}}, BandCenters: []float64{0, 1}})
		return s
	}
	first := part(0, 0.75, 0.25)
	r.Add(Output{Route: first, Floor: &encoder.FloorReport{Rho: 2, Samples: []encoder.FloorSample{{Before: 1, After: 2, Action: encoder.FloorScaled}}}})
	r.Add(Output{Route: part(1, 0.25, 0.75), Floor: &encoder.FloorReport{Rho: 2, Samples: []encoder.FloorSample{{Before: 4, After: 4, Action: encoder.FloorHeld}}}})
	r.Add(Output{Route: part(1, 0, 1), Floor: &encoder.FloorReport{Rho: 2, Samples: []encoder.FloorSample{{Before: 2, After: 8, Action: encoder.FloorHeld}}}})
	s := r.Summary()
	require.Equal(t, []int{1, 2}, s.Samples)
	require.InDeltaSlice(t, []float64{1.0 / 3, 2.0 / 3}, s.Gates, 1e-12)
	require.InDelta(t, 2, s.Before, 1e-12)
	require.InDelta(t, 4, s.After, 1e-12)
	require.InDelta(t, 1.0/3, s.Active, 1e-12)
	require.Equal(t, part(0, 0.75, 0.25), first)
}

func TestRouteErrors(t *testing.T) {
	_, err := Route(context.Background(), newToyModel(t), newToy(3), nil)
	require.ErrorContains(t, err, "a model of network fno does not route")
	m := newModelOf(t, toySPAMoE())
	_, err = Route(context.Background(), m, gathers(2), nil)
	require.ErrorContains(t, err, "the data have pairs of shapes [5 1000 70] and [1 70 70]")
	bad := newToy(3)
	bad.spot, bad.bad = 2, float32(math.NaN())
	_, err = Route(context.Background(), m, bad, nil)
	require.ErrorContains(t, err, "input of pair 2 holds NaN")
	ctx, cancel := context.WithCancel(context.Background())
	_, err = Route(ctx, m, newToy(30), func(int) { cancel() })
	require.ErrorIs(t, err, context.Canceled)
}

// No latent of a fresh model falls below the floor, for records of a hundredth of the range that they are normalised to up to ten
// times that range.
func TestFloorHolds(t *testing.T) {
	c := toySPAMoE()
	c.SPAMoE.Encoder.Floor.Rho.Number = 1.5
	m := newModelOf(t, c)
	net := m.Net.(*SPAMoE)
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 5))
		x := autograd.New(append([]int{4}, m.InputShape()...)...)
		for i := range x.Data {
			x.Data[i] = float32(rng.NormFloat64() * math.Pow(10, float64(seed)/3-2))
		}
		tape := &autograd.Tape{NoGrad: true}
		out := net.ForwardWith(tape.Const(x), true)
		latent := net.Encoder.Forward(tape.Const(x))
		energies := spectral.BandEnergies(latent.Tensor, 2, spectral.LowBandStart, spectral.LowBandEnd, spectral.HighBandStart, spectral.HighBandEnd)
		for i, e := range energies {
			require.GreaterOrEqual(t, e[2]/e[0], 1.5*(1-1e-5))
			require.InEpsilon(t, e[2]/e[0], out.Floor.Samples[i].After, 1e-4)
		}
	}
}

// mapsOnly are velocity maps alone.
type mapsOnly struct {
	list [][]float32
	fail error
}

func (d mapsOnly) Len() int           { return len(d.list) }
func (mapsOnly) Shapes() (x, y []int) { return []int{5, 1000, 70}, []int{1, 70, 70} }
func (d mapsOnly) Read(i int, x, y []float32) error {
	copy(y, d.list[i])
	return d.fail
}

func TestMeasureFloor(t *testing.T) {
	c, err := Preset("tiny")
	require.NoError(t, err)
	require.NoError(t, c.MeasureFloor(mapsOnly{fail: errors.New("not read")}), "a bound that is a number needs no data")
	c.SPAMoE.Encoder.Floor = encoder.FloorConfig{Rho: encoder.Rho{Data: true}, Fraction: 0.25}
	_, err = New(c, nil)
	require.ErrorContains(t, err, "data_ratio is not set")

	var d mapsOnly
	mean := 0.0
	g, err := velocity.New(velocity.Config{Family: velocity.CurveVelB})
	require.NoError(t, err)
	for i := range 4 {
		y := make([]float32, 4900)
		g.Map(y, i)
		d.list = append(d.list, y)
		e := spectral.BandEnergies(autograd.FromSlice(y, 1, 1, 70, 70), 2, 0.05, 0.30, 0.40, 0.85)[0]
		mean += e[2] / e[0] / 4
	}
	require.NoError(t, c.MeasureFloor(d))
	require.InEpsilon(t, mean, c.SPAMoE.Encoder.Floor.DataRatio, 1e-9)
	require.InEpsilon(t, mean/4, c.SPAMoE.Encoder.Floor.Bound(), 1e-9)
	require.NoError(t, c.MeasureFloor(mapsOnly{}), "once it is known the data do not matter")
	m, err := New(c, nil)
	require.NoError(t, err)
	require.Equal(t, c, roundTrip(t, m.Config))

	c.SPAMoE.Encoder.Floor.DataRatio = 0
	require.ErrorContains(t, c.MeasureFloor(newToy(3)), "maps of shape [1 12 10]; the model wants [1 70 70]")
	require.EqualError(t, c.MeasureFloor(mapsOnly{d.list, errors.New("not read")}), "not read")
	require.ErrorContains(t, c.MeasureFloor(mapsOnly{list: [][]float32{make([]float32, 4900)}}), "no training map has energy")
	single := toyConfig()
	require.NoError(t, single.MeasureFloor(newToy(3)))
	require.Equal(t, toyConfig(), single)
}
