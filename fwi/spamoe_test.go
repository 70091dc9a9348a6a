package fwi

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/fwi/inversionnet"
	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/lno"
	"github.com/spamoe/spamoe/mno"
	"github.com/spamoe/spamoe/moe"
)

// toySPAMoE is a SPAMoE for the pairs of toy: two channels of 24 x 10, resampled and joined to 12 x 20, to maps of 12 x 10.
func toySPAMoE() Config {
	c := toyConfig()
	c.Network, c.OperatorConfig, c.Join = "spamoe", OperatorConfig{}, true
	modes := []int{4, 4}
	c.SPAMoE = &SPAMoEConfig{
		Encoder: encoder.Config{Out: 4, Size: [2]int{12, 10}, Types: 3, ViT: encoder.ViTConfig{Width: 16, Depth: 1, Heads: 2, Patch: 4},
			Floor: encoder.FloorConfig{Rho: encoder.Rho{Number: 0.2}}},
		Mixture: moe.Config{Channels: 4},
		Experts: []OperatorConfig{
			{FNO: &fno.Config{In: 4, Out: 1, Hidden: 6, Modes: modes, Layers: 2}},
			{MNO: &mno.Config{In: 4, Out: 1, K: 2, Channels: 2, Modes: 3, Blocks: 1}},
			{LNO: &lno.Config{In: 4, Out: 1, Hidden: 6, Modes: modes, Grid: []int{12, 10}, Layers: 1}},
		},
	}
	return c
}

func newModelOf(t testing.TB, c Config) *Model {
	m, err := New(c, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	return m
}

// inputs returns the inputs of the first n pairs of toy.
func inputs(t testing.TB, n int) []float32 {
	x := make([]float32, n*480)
	for i := range n {
		require.NoError(t, newToy(n).Read(i, x[i*480:(i+1)*480], nil))
	}
	return x
}

func TestSPAMoEFile(t *testing.T) {
	c := toySPAMoE()
	c.SPAMoE.Mixture.Routing, c.SPAMoE.Mixture.TopK = moe.Random, 1
	random := newModelOf(t, c)
	for _, m := range []*Model{newModelOf(t, toySPAMoE()), random} {
		path := filepath.Join(t.TempDir(), ModelFile)
		require.NoError(t, m.Save(path))
		again, err := Load(path)
		require.NoError(t, err)
		require.Equal(t, m.Config, again.Config)
		require.Equal(t, parameters(m), parameters(again))
		x := inputs(t, 9)
		want, err := m.Predict(context.Background(), x)
		require.NoError(t, err)
		require.Len(t, want, 9*120)
		for range 2 {
			got, err := again.Predict(context.Background(), x)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
}

// What a caller does to a configuration later does not reach the model, nor its file.
func TestModelOwnsItsConfig(t *testing.T) {
	c := toySPAMoE()
	c.SPAMoE.Experts = append(c.SPAMoE.Experts, OperatorConfig{Multiscale: &mno.MultiscaleConfig{In: 4, Out: 1, Hidden: 4, Scales: []float64{1, 0.5}}})
	m := newModelOf(t, c)
	want := roundTrip(t, m.Config)
	net := m.Net.(*SPAMoE).Config.clone()
	c.X[1], c.Y[0], c.XNorm.Shift[0], c.YNorm.Scale[0] = 25, 2, 7, 7
	x := c.SPAMoE.Experts
	x[0].FNO.Modes[0], x[1].MNO.K, x[2].LNO.Grid[0], x[3].Multiscale.Scales[1] = 2, 3, 13, 0.25
	x[0], c.SPAMoE.Mixture.TopK = x[2], 1
	require.Equal(t, want, m.Config)
	require.Equal(t, net, m.Net.(*SPAMoE).Config)
}

// A file has the Fourier modes that operators work with.
func TestFileHasTheModesInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), ModelFile)
	x := inputs(t, 1)
	for _, c := range []Config{toyConfig(), toySPAMoE()} {
		m := newModelOf(t, c)
		if net, ok := m.Net.(*SPAMoE); ok {
			require.NoError(t, net.Mixture.Experts[0].(*fno.Model).SetModes(2, 2))
			require.NoError(t, net.Mixture.Experts[2].(*lno.Model).SetModes(3, 2))
		} else {
			require.NoError(t, m.Net.(*fno.Model).SetModes(2, 2))
		}
		want, err := m.Predict(context.Background(), x)
		require.NoError(t, err)
		require.NoError(t, m.Save(path))
		again, err := Load(path)
		require.NoError(t, err)
		got, err := again.Predict(context.Background(), x)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// trainedOn returns the parameters and buffers after a whole run, and its log without the times.
func trainedOn(t *testing.T, m *Model, train, val Data, cfg Training, dir string) (map[string]any, []Record) {
	require.NoError(t, Train(context.Background(), m, train, val, cfg, dir, nil))
	state := map[string]any{}
	for _, e := range autograd.State(m.Net) {
		if e.Param != nil {
			state[e.Name] = e.Param.Data
		} else {
			state[e.Name] = *e.Buffer
		}
	}
	log, err := ReadLog(filepath.Join(dir, LogFile))
	require.NoError(t, err)
	for i := range log {
		log[i].Seconds = 0
	}
	return state, log
}

func TestSPAMoELearns(t *testing.T) {
	cfg := toyTraining()
	cfg.Epochs, cfg.Rate, cfg.Average = 16, 1e-2, 0
	_, log := trainedOn(t, newModelOf(t, toySPAMoE()), newToy(32), newToy(8), cfg, t.TempDir())
	first, last := log[0], log[15]
	require.Less(t, last.Loss, first.Loss/3)
	require.Less(t, last.ValMAE, first.ValMAE/3)
	r := last.Routing
	require.NotNil(t, r)
	require.Equal(t, 16, r.Samples[0]+r.Samples[1]+r.Samples[2], "two experts for each of eight pairs")
	require.Equal(t, 0.2, r.Rho)
	require.GreaterOrEqual(t, r.After, 0.2*(1-1e-5))
}

// Every trained parameter of an expert that is chosen gets a gradient, and so do those of the router and of the encoder.
func TestSPAMoEGradients(t *testing.T) {
	c := toySPAMoE()
	c.SPAMoE.Mixture.TopK = 3
	m := newModelOf(t, c)
	tape := &autograd.Tape{Train: true}
	x, y := toyBatch(t, m, 3)
	out := m.Net.(*SPAMoE).ForwardWith(tape.Const(x), false)
	o := DefaultObjective()
	grads := o.regularise(o.Loss(out.Map, tape.Const(y)), out).Backward()
	for name, p := range autograd.Params(m.Net) {
		if g := grads.Of(p); within(name, "encoder.type_head") {
			require.Nil(t, g, name)
		} else {
			require.NotNil(t, g, name)
		}
	}
}

func within(name, prefix string) bool {
	return len(name) > len(prefix) && name[:len(prefix)+1] == prefix+"."
}

// toyBatch returns the first n pairs of toy as the network of m takes them.
func toyBatch(t *testing.T, m *Model, n int) (x, y *autograd.Tensor) {
	l := newLoader(m, newToy(n))
	for b := range l.batches(context.Background(), inOrder(n), n) {
		require.NoError(t, b.err)
		x, y = b.x, b.y
	}
	return x, y
}

// The loss of a step is that of the maps, the balance of the mixture with its weight, and the floor's loss as it comes.
func TestRegularise(t *testing.T) {
	c := toySPAMoE()
	c.SPAMoE.Encoder.Floor = encoder.FloorConfig{Mode: encoder.FloorLoss, Rho: encoder.Rho{Number: 100}}
	m := newModelOf(t, c)
	x, y := toyBatch(t, m, 4)
	tape := &autograd.Tape{NoGrad: true}
	out := m.Net.(*SPAMoE).ForwardWith(tape.Const(x), false)
	require.Positive(t, out.FloorLoss.Data[0])
	require.Positive(t, out.Balance.Data[0])
	o := Objective{L1: 1, LoadBalance: 0.5}
	l := o.Loss(out.Map, tape.Const(y))
	require.InDelta(t, l.Data[0]+0.5*out.Balance.Data[0]+out.FloorLoss.Data[0], o.regularise(l, out).Data[0], 1e-6)
	o.LoadBalance = 0
	require.InDelta(t, l.Data[0]+out.FloorLoss.Data[0], o.regularise(l, out).Data[0], 1e-6)
}

func TestObjectiveWithoutTerms(t *testing.T) {
	x := (&autograd.Tape{}).Const(autograd.New(1, 1, 8, 8))
	for _, o := range []Objective{{}, {LoadBalance: 1}} {
		require.ErrorContains(t, o.Validate(), "all weights of the data are zero")
		require.PanicsWithValue(t, "fwi: Objective.Loss: all weights of the data are zero; want at least one above", func() { o.Loss(x, x) })
	}
}

func TestSPAMoETrainingDoesNotDependOnThreads(t *testing.T) {
	defer kernel.SetThreads(kernel.Threads())
	cfg := toyTraining()
	cfg.Epochs = 2
	kernel.SetThreads(1)
	one, logOne := trainedOn(t, newModelOf(t, toySPAMoE()), newToy(14), newToy(3), cfg, t.TempDir())
	kernel.SetThreads(3)
	two, logTwo := trainedOn(t, newModelOf(t, toySPAMoE()), newToy(14), newToy(3), cfg, t.TempDir())
	require.Equal(t, one, two)
	require.Equal(t, logOne, logTwo)
}

// Whether blocks are computed again changes no bit of a training, not even what noisy gates draw.
func TestRecomputeChangesNothing(t *testing.T) {
	c := toySPAMoE()
	c.SPAMoE.Mixture.Noise = 1
	cfg := toyTraining()
	cfg.Epochs = 2
	want, wantLog := trainedOn(t, newModelOf(t, c), newToy(14), newToy(3), cfg, t.TempDir())
	cfg.Recompute = true
	got, log := trainedOn(t, newModelOf(t, c), newToy(14), newToy(3), cfg, t.TempDir())
	require.Equal(t, want, got)
	require.Equal(t, wantLog, log)
}

// Training and prediction on products of bfloat16 change results, and little.
func TestBFloat16(t *testing.T) {
	cfg := toyTraining()
	cfg.Epochs = 2
	m := newModelOf(t, toySPAMoE())
	want, _ := trainedOn(t, m, newToy(14), newToy(3), cfg, t.TempDir())
	cfg.BFloat16 = true
	got, _ := trainedOn(t, newModelOf(t, toySPAMoE()), newToy(14), newToy(3), cfg, t.TempDir())
	require.NotEqual(t, want, got)

	x := make([]float32, size(m.Config.X))
	for i := range x {
		x[i] = float32(i%17) / 9
	}
	exact, err := m.Predict(t.Context(), slices.Clone(x))
	require.NoError(t, err)
	m.BFloat16 = true
	rounded, err := m.Predict(t.Context(), slices.Clone(x))
	require.NoError(t, err)
	require.NotEqual(t, exact, rounded)
	for i, v := range exact {
		require.InDelta(t, v, rounded[i], 40, "%d", i)
	}
}

// gathers are random inputs in the shapes of OpenFWI, and maps.
type gathers int

func (n gathers) Len() int           { return int(n) }
func (gathers) Shapes() (x, y []int) { return []int{5, 1000, 70}, []int{1, 70, 70} }
func (gathers) Read(i int, x, y []float32) error {
	rng := rand.New(rand.NewPCG(uint64(i), 1))
	for j := range x {
		x[j] = float32(rng.NormFloat64())
	}
	for j := range y {
		y[j] = float32(2000 + 10*(j/70) + 100*i)
	}
	return nil
}

// A run that stops and goes on from its checkpoint ends where an uninterrupted one does: with everything that a SPAMoE draws, and
// with the running statistics of an InversionNet, which are no parameters.
func TestResumeIsExactForEveryNetwork(t *testing.T) {
	random := toySPAMoE()
	random.SPAMoE.Mixture.Routing, random.SPAMoE.Mixture.TopK = moe.Random, 1
	convolutions := seismic("inversionnet")
	convolutions.InversionNet = inversionnet.Config{Widths: [5]int{2, 2, 2, 2, 2}}
	for name, c := range map[string]struct {
		config     Config
		train, val Data
	}{
		"spamoe": {toySPAMoE(), newToy(14), newToy(3)}, "random": {random, newToy(14), newToy(3)}, "inversionnet": {convolutions, gathers(6), gathers(2)},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := toyTraining()
			cfg.Epochs, cfg.Batch = 2, 4
			want, wantLog := trainedOn(t, newModelOf(t, c.config), c.train, c.val, cfg, t.TempDir())
			dir := t.TempDir()
			ctx, cancel := context.WithCancel(context.Background())
			err := Train(ctx, newModelOf(t, c.config), c.train, c.val, cfg, dir, func(e Event) {
				if e.Step == 3 {
					cancel()
				}
			})
			require.ErrorIs(t, err, context.Canceled)
			got, log := trainedOn(t, newModelOf(t, c.config), c.train, c.val, cfg, dir)
			require.Equal(t, want, got)
			require.Equal(t, wantLog, log)
			if name == "inversionnet" {
				require.NotZero(t, got["convblock1.layers.1.running_mean"].(autograd.Buffer).Data[0])
			}
		})
	}
}

// reads are pairs of which a read, counted from 1, calls stop.
type reads struct {
	Data
	left atomic.Int64
	stop func()
}

func (d *reads) Read(i int, x, y []float32) error {
	if d.left.Add(-1) == 0 {
		d.stop()
	}
	return d.Data.Read(i, x, y)
}

// A run that is stopped while it gathers the gradients of a step ends after the step: every batch of it changes running statistics.
func TestStopWithinAStepIsExact(t *testing.T) {
	c := seismic("inversionnet")
	c.InversionNet = inversionnet.Config{Widths: [5]int{2, 2, 2, 2, 2}}
	cfg := toyTraining()
	cfg.Epochs, cfg.Batch, cfg.Accumulate = 1, 2, 3
	train, val := gathers(28), gathers(2)
	want, wantLog := trainedOn(t, newModelOf(t, c), train, val, cfg, t.TempDir())
	for _, pair := range []int{18, 28} { // the last of the third step, and of the fifth, which has two
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		stopped := &reads{Data: train, stop: cancel}
		stopped.left.Store(int64(pair + 3)) // three more tell what data they are
		require.ErrorIs(t, Train(ctx, newModelOf(t, c), stopped, val, cfg, dir, nil), context.Canceled)
		require.NoFileExists(t, filepath.Join(dir, ModelFile))
		got, log := trainedOn(t, newModelOf(t, c), train, val, cfg, dir)
		require.Equal(t, want, got)
		require.Equal(t, wantLog, log)
	}
}

// Prepare against loops: channels are normalised, resampled by the matrix, and put side by side.
func TestPrepare(t *testing.T) {
	for _, join := range []bool{false, true} {
		for _, rows := range []int{0, 12} {
			c := toySPAMoE()
			c.Join, c.Rows = join, rows
			in := c.inputShape()
			e := &c.SPAMoE.Encoder
			e.In = in[0]
			m := newModelOf(t, c)
			require.Equal(t, in, m.InputShape())
			x := inputs(t, 1)
			dst := make([]float32, size(in))
			m.Prepare(dst, append([]float32{}, x...))
			n := in[1]
			weight := func(j, i int) float64 {
				if rows == 0 {
					return map[bool]float64{true: 1}[i == j]
				}
				return float64(NewResampler(24, rows).w[j*24+i])
			}
			for ch := range 2 {
				for j := range n {
					for k := range 10 {
						want := 0.0
						for i := range 24 {
							v := float64(x[(ch*24+i)*10+k])
							z := math.Copysign(math.Log1p(math.Abs(v)), v)
							lo, hi := -math.Log1p(3), math.Log1p(3)
							want += weight(j, i) * (2*(z-lo)/(hi-lo) - 1)
						}
						at := (ch*n+j)*10 + k
						if join {
							at = j*20 + ch*10 + k
						}
						require.InDelta(t, want, dst[at], 1e-5)
					}
				}
			}
		}
	}
}

func TestBadSPAMoEs(t *testing.T) {
	for want, change := range map[string]func(c *Config){
		"expert 1: 2 operators":                   func(c *Config) { c.SPAMoE.Experts[1].FNO = c.SPAMoE.Experts[0].FNO },
		"expert 2: 0 operators":                   func(c *Config) { c.SPAMoE.Experts[2] = OperatorConfig{} },
		"the config has a part for lno, too":      func(c *Config) { c.OperatorConfig = c.SPAMoE.Experts[2] },
		"the config has a part for spamoe, too":   func(c *Config) { c.Network, c.OperatorConfig = "fno", c.SPAMoE.Experts[0] },
		"no part of that name":                    func(c *Config) { c.SPAMoE = nil },
		"expert 0, fno, maps 5 channels to 1":     func(c *Config) { c.SPAMoE.Experts[0].FNO.In = 5 },
		"expert 2, lno, maps 4 channels to 2":     func(c *Config) { c.SPAMoE.Experts[2].LNO.Out = 2 },
		"gives 4 channels, the mixture takes 6":   func(c *Config) { c.SPAMoE.Mixture.Channels = 6 },
		"inputs of shape [2 12 10]":               func(c *Config) { c.Join = false },
		"makes maps of shape [1 12 10]":           func(c *Config) { c.Y = []int{1, 12, 12} },
		"this vit wants sides of 17 or more":      func(c *Config) { c.SPAMoE.Encoder.ViT.Patch = 32 },
		"this convnext wants sides of 32 or more": func(c *Config) { c.SPAMoE.Encoder.Kind = encoder.KindConvNeXt },
		"cannot be joined":                        func(c *Config) { c.X = []int{2, 24} },
		"top_k 4; want 1 to 3":                    func(c *Config) { c.SPAMoE.Mixture.TopK = 4 },
		"0 experts":                               func(c *Config) { c.SPAMoE.Experts = nil },
		`rho is "data", but data_ratio is not`:    func(c *Config) { c.SPAMoE.Encoder.Floor.Rho = encoder.Rho{Data: true} },
		"neither resampled nor joined":            func(c *Config) { c.Network, c.SPAMoE = "inversionnet", nil },
		`network "emo" is unknown; wanted one of`: func(c *Config) { c.Network = "emo" },
	} {
		c := toySPAMoE()
		change(&c)
		_, err := New(c, rand.New(rand.NewPCG(0, 0)))
		require.ErrorContains(t, err, want)
	}
}
