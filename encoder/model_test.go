package encoder

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/kernel"
)

// small returns a ViT of two blocks with everything in use.
func small() Config {
	return Config{Out: 3, Size: [2]int{8, 9}, Types: 4, ViT: ViTConfig{Width: 16, Depth: 2, Heads: 2, Patch: 4, MLPRatio: 2, QKVBias: true, LayerScale: 1}}
}

// smallConv returns a ConvNeXt of two stages.
func smallConv() Config {
	return Config{Kind: KindConvNeXt, In: 2, Out: 3, Size: [2]int{8, 9}, Types: 4, ConvNeXt: ConvNeXtConfig{Depths: []int{1, 1}, Widths: []int{4, 6}, LayerScale: 1}}
}

func newModel(t testing.TB, c Config) *Model {
	t.Helper()
	m, err := New(c, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	return m
}

func noise(seed uint64, shape ...int) *autograd.Tensor {
	x := autograd.New(shape...)
	nn.Normal(x, 0, 1, rand.New(rand.NewPCG(seed, 0)))
	return x
}

// TestParams freezes names and shapes: files of weights depend on them.
func TestParams(t *testing.T) {
	var b strings.Builder
	for _, c := range []Config{small(), smallConv()} {
		fmt.Fprintf(&b, "# %s\n", c.defaults().Kind)
		for name, p := range autograd.Params(newModel(t, c)) {
			fmt.Fprintln(&b, name, p.Shape)
		}
	}
	want, err := os.ReadFile("testdata/params.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}

// TestGradients checks every parameter and the input through all outputs, the floor included.
func TestGradients(t *testing.T) {
	for _, c := range []Config{small(), smallConv()} {
		c.Floor.Rho.Number = 3
		m := newModel(t, c)
		rng := rand.New(rand.NewPCG(3, 4))
		var params []*autograd.Param
		for _, p := range autograd.Params(m) {
			if !p.Frozen {
				// The first weights are small: most gradients would be lost in rounding, and tokens close to zero have norms
				// that bend sharply.
				for i := range p.Data {
					p.Data[i] += 0.3 * float32(rng.NormFloat64())
				}
				params = append(params, p)
			}
		}
		err := autograd.CheckGrad(autograd.GradCheck{Params: params, Step: 1.0 / 64, Directions: 2}, func(x []*autograd.Value) *autograd.Value {
			o := m.ForwardWith(x[0], Options{})
			return autograd.Concat(0, autograd.Reshape(o.Latent, -1), autograd.Reshape(o.Global, -1), autograd.Reshape(o.Types, -1))
		}, noise(3, 2, max(c.In, 1), 14, 17))
		require.NoError(t, err, "%s", c.Kind)
	}
}

// TestRecompute: gradients are the same to the last bit, with less remembered.
func TestRecompute(t *testing.T) {
	for _, c := range []Config{small(), smallConv()} {
		m := newModel(t, c)
		x := noise(3, 2, max(c.In, 1), 48, 64)
		run := func() (gradients []*autograd.Tensor) {
			tape := &autograd.Tape{Train: true}
			in := tape.Input(x)
			o := m.ForwardWith(in, Options{})
			g := autograd.Add(autograd.Sum(autograd.Square(o.Latent)), autograd.Sum(autograd.Square(o.Types))).Backward()
			gradients = append(gradients, o.Latent.Clone(), g.Wrt(in).Clone())
			for _, p := range autograd.Params(m) {
				if !p.Frozen {
					gradients = append(gradients, g.Of(p).Clone())
				}
			}
			return gradients
		}
		want := run()
		m.Recompute = true
		require.Equal(t, want, run(), "%s", c.Kind)
	}
}

// TestTokenOrder: with idle blocks every cell of the latent map is its own patch, except where the reference's defect shifts the
// grid by the four registers.
func TestTokenOrder(t *testing.T) {
	c := small()
	c.Size, c.Floor.Mode = [2]int{3, 4}, FloorOff
	for _, shifted := range []bool{false, true} {
		c.Defects.ShiftTokens = shifted
		m := newModel(t, c)
		for _, b := range m.ViT.Blocks {
			clear(b.Gamma1.Data)
			clear(b.Gamma2.Data)
		}
		x := noise(4, 1, 1, 12, 16)
		tape := &autograd.Tape{NoGrad: true}
		before := m.ForwardWith(tape.Const(x), Options{})
		x.Set(5, 0, 0, 5, 9) // patch (1, 2), the sixth
		after := m.ForwardWith(tape.Const(x), Options{})
		var changed []int
		for i := range 12 {
			if before.Latent.Data[i] != after.Latent.Data[i] {
				changed = append(changed, i)
			}
		}
		if shifted {
			require.Equal(t, []int{10}, changed)
		} else {
			require.Equal(t, []int{6}, changed)
		}
		require.Equal(t, before.Global.Data, after.Global.Data, "the global features come from other tokens")
		// The defect takes the last four patches for registers.
		x.Set(5, 0, 0, 11, 15)
		last := m.ForwardWith(tape.Const(x), Options{})
		require.Equal(t, shifted, last.Global.Data[0] != after.Global.Data[0])
	}
}

// TestRopeRelative: the product of a query and a key depends on how far their patches are apart, not on where they are.
func TestRopeRelative(t *testing.T) {
	const ny, nx, d = 6, 7, 16
	r := newRope(ny, nx, 5, d, 100)
	require.Equal(t, 5, r.First)
	turn := func(x []float32, patch int) []float32 {
		y := make([]float32, d)
		for i := range d / 2 {
			s, c := r.Sin[patch*d/2+i], r.Cos[patch*d/2+i]
			y[i], y[i+d/2] = x[i]*c-x[i+d/2]*s, x[i+d/2]*c+x[i]*s
		}
		return y
	}
	q, k := noise(5, d).Data, noise(6, d).Data
	product := func(pq, pk int) float64 { return kernel.Dot(turn(q, pq), turn(k, pk)) }
	at := func(y, x int) int { return y*nx + x }
	require.InDelta(t, product(at(0, 0), at(1, 3)), product(at(4, 2), at(5, 5)), 1e-5)
	require.Greater(t, math.Abs(product(at(0, 0), at(0, 0))-product(at(0, 0), at(3, 3))), 1e-2)
}

// TestModes: a pass that records gives what one does that does not, and what one thread finds; the report changes nothing.
// Records just large enough go through; smaller ones are refused by name.
func TestCheckSize(t *testing.T) {
	deep := smallConv()
	deep.ConvNeXt.Depths, deep.ConvNeXt.Widths = []int{1, 0, 0, 0}, []int{4, 4, 4, 4}
	for _, c := range []struct {
		Config
		kind  string
		least int
	}{{small(), "vit", 3}, {smallConv(), "convnext", 8}, {deep, "convnext", 32}} {
		m, tape, in := newModel(t, c.Config), &autograd.Tape{NoGrad: true}, max(c.In, 1)
		require.Equal(t, []int{1, 3, 8, 9}, m.Forward(tape.Const(autograd.New(1, in, c.least, c.least+1))).Shape)
		want := fmt.Sprintf("encoder: records of %d x 40; this %s wants sides of %d or more", c.least-1, c.kind, c.least)
		require.PanicsWithValue(t, want, func() { m.Forward(tape.Const(autograd.New(1, in, c.least-1, 40))) })
		require.Error(t, m.CheckSize(40, c.least-1))
	}
}

func TestModes(t *testing.T) {
	for _, c := range []Config{small(), smallConv()} {
		m := newModel(t, c)
		x := noise(7, 2, max(c.In, 1), 15, 18)
		free, recorded := &autograd.Tape{NoGrad: true}, &autograd.Tape{}
		want := m.ForwardWith(free.Const(x), Options{})
		got := m.ForwardWith(recorded.Input(x), Options{Report: true})
		require.Equal(t, want.Latent.Data, got.Latent.Data)
		require.Equal(t, want.Types.Data, got.Types.Data)
		require.Nil(t, want.Report)
		require.Len(t, got.Report.Samples, 2)
		require.Nil(t, got.FloorLoss)
		threads := kernel.Threads()
		kernel.SetThreads(1)
		one := m.Forward((&autograd.Tape{NoGrad: true}).Const(x))
		kernel.SetThreads(threads)
		require.Equal(t, want.Latent.Data, one.Data)
	}
}

func TestFloorModes(t *testing.T) {
	c := small()
	c.Floor = FloorConfig{Mode: FloorLoss, Rho: Rho{Number: 50}, Weight: 0.5}
	x := noise(8, 2, 1, 16, 16)
	tape := &autograd.Tape{}
	lossy := newModel(t, c).ForwardWith(tape.Const(x), Options{Report: true})
	require.Equal(t, 2, lossy.Report.Count(FloorMissed))
	require.Equal(t, 1.0, lossy.Report.Active())
	loss := Floor{Rho: 50}.Loss(lossy.Latent, nil)
	require.Equal(t, loss.Data[0]/2, lossy.FloorLoss.Data[0])
	c.Floor = FloorConfig{Mode: FloorOff}
	off := newModel(t, c).ForwardWith(tape.Const(x), Options{Report: true})
	require.Equal(t, lossy.Latent.Data, off.Latent.Data)
	require.Equal(t, 2, off.Report.Count(FloorHeld), "without a bound all hold")
	c.Floor = FloorConfig{Rho: Rho{Number: 50}}
	layer := newModel(t, c).ForwardWith(tape.Const(x), Options{Report: true})
	require.Equal(t, 2, layer.Report.Count(FloorScaled))
	for i, s := range layer.Report.Samples {
		require.InEpsilon(t, 50, s.After, 1e-5)
		require.Equal(t, off.Report.Samples[i].Before, s.Before)
	}
}

func TestFreeze(t *testing.T) {
	frozen := func(c Config) (names []string) {
		for name, p := range autograd.Params(newModel(t, c)) {
			if p.Frozen {
				names = append(names, name)
			}
		}
		return names
	}
	c := small()
	require.Empty(t, frozen(c))
	c.FreezeBlocks = 1
	names := frozen(c)
	require.Len(t, names, 4+15)
	require.Contains(t, names, "backbone.cls_token")
	require.Contains(t, names, "backbone.patch_embed.proj.bias")
	require.NotContains(t, strings.Join(names, " "), "blocks.1")
	c.FreezeBlocks = -1
	require.Len(t, frozen(c), 4+2*15+2)
	c.FreezeBlocks, c.Freeze = 0, []string{"backbone.blocks.*.mlp.fc1", "type_head.bias"}
	require.Equal(t, []string{"backbone.blocks.0.mlp.fc1.weight", "backbone.blocks.0.mlp.fc1.bias", "backbone.blocks.1.mlp.fc1.weight",
		"backbone.blocks.1.mlp.fc1.bias", "type_head.bias"}, frozen(c))
	c = smallConv()
	require.Equal(t, []string{"router_temp"}, frozen(c))
	c.FreezeBlocks = 1
	require.Len(t, frozen(c), 1+4+9)
	c.FreezeBlocks = -1
	require.NotContains(t, frozen(c), "backbone.head.fc.weight")
	c.Freeze = []string{"blocks"}
	_, err := New(c, nil)
	require.ErrorContains(t, err, `"blocks"`)
	// Frozen parameters get no gradient, the others do.
	c = small()
	c.FreezeBlocks = -1
	m := newModel(t, c)
	tape := &autograd.Tape{}
	g := autograd.Sum(autograd.Square(m.Forward(tape.Const(noise(9, 1, 1, 16, 16))))).Backward()
	require.Nil(t, g.Of(m.ViT.ClsToken))
	require.NotNil(t, g.Of(m.Proj.Weight))
}

// What a caller does to the lists of a configuration later does not reach the model.
func TestModelOwnsItsConfig(t *testing.T) {
	c := smallConv()
	c.Freeze = []string{"backbone.stem.*"}
	m := newModel(t, c)
	want := m.Config.Clone()
	c.Freeze[0], c.ConvNeXt.Depths[0], c.ConvNeXt.Widths[0] = "proj.*", 7, 7
	require.Equal(t, want, m.Config)
}

func TestConfig(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                                                          "out 0",
		`{"out": 4, "kind": "resnet"}`:                                `kind "resnet"`,
		`{"out": 4, "size": [0, -3]}`:                                 "size [70 -3]",
		`{"out": 4, "vit": {"width": 30}}`:                            "width 30 for 6 heads",
		`{"out": 4, "vit": {"registers": -2}}`:                        "registers -2",
		`{"out": 4, "vit": {"temperature": -2}}`:                      "temperature -2",
		`{"out": 4, "freeze_blocks": 13}`:                             "freeze_blocks 13; want -1 to 12",
		`{"out": 4, "floor": {"rho": -1}}`:                            "rho -1",
		`{"out": 4, "kind": "convnext", "convnext": {"depths": [1]}}`: "depths [1]",
		`{"out": 4, "kind": "convnext", "convnext": {"clamp": -1}}`:   "clamp -1",
	} {
		var c Config
		require.NoError(t, json.Unmarshal([]byte(text), &c))
		_, err := New(c, nil)
		require.ErrorContains(t, err, want, text)
	}
	text, err := json.Marshal(Config{Out: 8})
	require.NoError(t, err)
	require.JSONEq(t, `{"out": 8}`, string(text))
	require.Panics(t, func() { newModel(t, small()).Forward((&autograd.Tape{}).Const(autograd.New(1, 2, 16, 16))) })
	// Config of a model says all it was built from.
	m := newModel(t, small())
	text, err = json.Marshal(m.Config)
	require.NoError(t, err)
	var again Config
	require.NoError(t, json.Unmarshal(text, &again))
	require.Equal(t, m.Config, newModel(t, again).Config)
	// Without registers the class token alone describes the record.
	c := small()
	c.ViT.Registers = -1
	require.Nil(t, newModel(t, c).ViT.RegToken)
	require.Equal(t, []int{1, 16}, newModel(t, c).ForwardWith((&autograd.Tape{}).Const(noise(1, 1, 1, 8, 8)), Options{}).Global.Shape)
}

// BenchmarkForward is ViT-S/16 on one record of 1000 x 350.
func BenchmarkForward(b *testing.B) {
	m := newModel(b, Config{Out: 128, Types: 10})
	x := noise(1, 1, 1, 1000, 350)
	tape := &autograd.Tape{NoGrad: true}
	for b.Loop() {
		m.Forward(tape.Const(x))
		tape.Reset()
	}
}

// BenchmarkStep is a forward and a backward pass of the same.
func BenchmarkStep(b *testing.B) {
	m := newModel(b, Config{Out: 128, Types: 10})
	x := noise(1, 1, 1, 1000, 350)
	tape := &autograd.Tape{Train: true}
	for b.Loop() {
		autograd.Sum(m.Forward(tape.Const(x))).Backward()
		tape.Reset()
	}
}

// BenchmarkFloor is the floor alone on a batch of latent maps that it changes: GB/s count one read and one write.
func BenchmarkFloor(b *testing.B) {
	x := noise(1, 4, 128, 70, 70)
	in := noise(2, 4, 1, 100, 100)
	tape := &autograd.Tape{NoGrad: true}
	b.SetBytes(int64(8 * x.Len()))
	for b.Loop() {
		Floor{Rho: 10}.Forward(tape.Const(x), tape.Const(in), nil)
		tape.Reset()
	}
}
