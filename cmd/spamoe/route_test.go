package main

import (
	"bytes"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/fwi/velocity"
	"github.com/spamoe/spamoe/internal/npy"
	"github.com/spamoe/spamoe/mno"
	"github.com/spamoe/spamoe/moe"
)

// routedRun is a run of a SPAMoE of two operators for the arrays of pairs.
func routedRun() runConfig {
	const width = 4
	c := runConfig{Data: source{X: "x.npy", Y: "y.npy", Validation: 0.25}, Training: defaultTraining("spamoe")}
	c.Training.Epochs = 1
	c.Model = fwi.Config{Network: "spamoe", X: []int{1, 8, 6}, Y: []int{1, 8, 6}, XNorm: fwi.MinMax(0, -2, 2), YNorm: fwi.MinMax(0, 0, 10),
		SPAMoE: &fwi.SPAMoEConfig{
			Encoder: encoder.Config{Out: width, Size: [2]int{8, 6}, ViT: encoder.ViTConfig{Width: 16, Depth: 1, Heads: 2, Patch: 2}},
			Mixture: moe.Config{Channels: width},
			Experts: []fwi.OperatorConfig{
				{FNO: &fno.Config{In: width, Out: 1, Hidden: width, Modes: []int{3, 3}, Layers: 1}},
				{MNO: &mno.Config{In: width, Out: 1, K: 2, Channels: 2, Blocks: 1}},
				{FNO: &fno.Config{In: width, Out: 1, Hidden: width, Modes: []int{2, 2}, Layers: 1}},
			},
		}}
	return c
}

var routePictures = []string{"experts.png", "gates.png", "bands.png", "preference.png", "ratio.png"}

func TestRoute(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs(t, 20)
	require.NoError(t, writeJSON("config.json", routedRun()))
	out := succeed(t, "train", "-config", "config.json", "-out", "run")
	require.Contains(t, out, "expert mno")
	require.Contains(t, out, "energy ratio of high to low frequencies")

	// By default the pairs that the run was validated on, and a folder in the run.
	out = succeed(t, "route")
	require.Contains(t, out, "5 samples, each to 2 of 3 experts")
	for _, word := range []string{"FNO 1 ", "MNO ", "FNO 2 ", filepath.Join("run", "routing")} {
		require.Contains(t, out, word)
	}
	var r routing
	require.NoError(t, readJSON(filepath.Join("run", "routing", routingFile), &r))
	require.Equal(t, []string{"fno", "mno", "fno"}, r.Experts)
	require.Len(t, r.Samples, 5)

	succeed(t, "route", "-model", "run", "-x", "x.npy", "-y", "y.npy", "-out", "all")
	for _, name := range routePictures {
		data, err := os.ReadFile(filepath.Join("all", name))
		require.NoError(t, err)
		img, err := png.Decode(bytes.NewReader(data))
		require.NoError(t, err)
		require.Greater(t, img.Bounds().Dx(), 400, name)
	}
	r = routing{}
	require.NoError(t, readJSON(filepath.Join("all", routingFile), &r))
	require.Len(t, r.Samples, 20)
	require.Equal(t, 20, r.Summary.Samples)
	require.Nil(t, r.Summary.Families)
	require.InDelta(t, 0.05, r.Summary.Rho, 1e-9)
	chosen, first := make([]int, 3), make([]int, 3)
	active := 0
	for i, s := range r.Samples {
		require.Equal(t, i, s.Index)
		require.Len(t, s.Experts, 2)
		gates := 0.0
		for _, g := range s.Gates {
			gates += g
			require.LessOrEqual(t, g, s.Gates[s.Experts[0]])
		}
		require.InDelta(t, 1, gates, 1e-5)
		require.InDelta(t, 1, s.Weights[0]+s.Weights[1], 1e-5)
		require.GreaterOrEqual(t, s.Weights[0], s.Weights[1])
		require.Len(t, s.BandEnergy, 3)
		first[s.Experts[0]]++
		for _, e := range s.Experts {
			chosen[e]++
		}
		require.GreaterOrEqual(t, s.After, 0.05*(1-1e-5))
		require.Equal(t, s.Before < 0.05, s.Action == encoder.FloorScaled)
		if s.Action == encoder.FloorScaled {
			active++
		} else {
			require.InEpsilon(t, s.Before, s.After, 1e-4)
		}
	}
	require.Equal(t, chosen, r.Summary.Chosen)
	require.Equal(t, first, r.Summary.First)
	require.InDelta(t, float64(active)/20, r.Summary.Active, 1e-12)
	require.Equal(t, active, r.Summary.Actions[encoder.FloorScaled])

	refuse(t, 2, []string{"route", "-x", "x.npy"}, "-x with -y")
	refuse(t, 2, []string{"route", "-x", "x.npy", "-y", "y.npy", "-data", "d"}, "one of them is enough")
	refuse(t, 1, []string{"route", "-model", "nowhere"}, "nowhere")
	require.NoError(t, os.WriteFile("file", nil, 0o644))
	refuse(t, 1, []string{"route", "-out", "file"}, "file")
}

func TestRouteNeedsASPAMoE(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs(t, 6)
	succeed(t, "train", "-model", "fno", "-x", "x.npy", "-y", "y.npy", "-epochs", "1", "-out", "run")
	refuse(t, 1, []string{"route"}, filepath.Join("run", fwi.ModelFile), "network fno does not route")
	require.NoDirExists(t, filepath.Join("run", "routing"))
}

// families is a set whose pairs belong to families; nothing else of it is used.
type families struct {
	fwi.Data
	of []velocity.Family
}

func (f families) Family(i int) velocity.Family { return f.of[i] }

func TestRoutingByFamily(t *testing.T) {
	set := fwi.Subset{Data: families{of: []velocity.Family{"Style_A", "FlatVel_A", "CurveVel_B"}}, Index: []int{2, 1, 1}}
	of := familyOf(set)
	require.Equal(t, []string{"CurveVel_B", "FlatVel_A", "FlatVel_A"}, []string{of(0), of(1), of(2)})
	require.Equal(t, "Style_A", familyOf(channelled{families{of: []velocity.Family{"Style_A"}}})(0))
	require.Empty(t, familyOf(struct{ fwi.Data }{})(0))

	stats := &moe.Stats{
		Gates: [][]float64{{0.1, 0.9}, {0.4, 0.6}, {0.8, 0.2}}, Experts: [][]int{{1}, {1}, {0}}, Weights: [][]float64{{1}, {1}, {1}},
		BandEnergy: [][]float64{{3, 1}, {0, 0}, {1, 1}}, BandCenters: []float64{0, 1}, Preference: [][]float64{{1, 0}, {0, 1}},
	}
	floor := &encoder.FloorReport{Rho: 0.1, Samples: []encoder.FloorSample{
		{Before: 0.4, After: 0.4, Action: encoder.FloorHeld}, {Before: 0.01, After: 0.1, Action: encoder.FloorScaled}, {Action: encoder.FloorPassed},
	}}
	m := &fwi.Model{Config: fwi.Config{SPAMoE: &fwi.SPAMoEConfig{Experts: []fwi.OperatorConfig{{FNO: &fno.Config{}}, {Multiscale: &mno.MultiscaleConfig{}}}}}}
	r := newRouting(m, "model", &fwi.Routings{Stats: stats, Floor: floor}, of)
	require.Equal(t, []string{"FNO", "Multiscale"}, r.labels())
	require.Equal(t, []int{1, 2}, r.Summary.Chosen)
	require.Len(t, r.Summary.Families, 2)
	curve, flat := r.Summary.Families["CurveVel_B"], r.Summary.Families["FlatVel_A"]
	require.Equal(t, groupSummary{Samples: 1, Chosen: []int{0, 1}, First: []int{0, 1}, Gates: []float64{0.1, 0.9}, BandPart: []float64{0.75, 0.25},
		Before: curve.Before, After: curve.After}, curve)
	require.InDelta(t, 0.4, curve.Before, 1e-12)
	require.InDeltaSlice(t, []float64{0.6, 0.4}, flat.Gates, 1e-12)
	require.InDelta(t, 0.01, flat.Before, 1e-12, "a ratio of 0 does not count")
	require.InDelta(t, 0.1, flat.After, 1e-12)
	require.InDelta(t, 0.5, flat.Active, 1e-12)
	require.InDelta(t, math.Sqrt(0.4*0.1), r.Summary.After, 1e-12)

	var out bytes.Buffer
	r.print(&environment{stdout: &out})
	require.Contains(t, out.String(), "CurveVel-B")
	require.NoError(t, r.draw(t.TempDir()))
}

// Without -model a SPAMoE is made for whatever planes there are.
func TestTrainDefault(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs(t, 8)
	succeed(t, "train", "-x", "x.npy", "-y", "y.npy", "-epochs", "1", "-out", "run")
	var c runConfig
	require.NoError(t, readJSON("run/config.json", &c))
	require.Equal(t, "spamoe", c.Model.Network)
	require.Equal(t, [2]int{8, 6}, c.Model.SPAMoE.Encoder.Size)
	require.Equal(t, defaultTraining("spamoe").Batch, c.Training.Batch)
	require.NoError(t, npy.Write("line.npy", []int{4, 6}, make([]float32, 24)))
	refuse(t, 1, []string{"train", "-x", "line.npy", "-y", "line.npy"}, "a spamoe maps planes to planes", "[1 6]", "a fno takes any")
}
