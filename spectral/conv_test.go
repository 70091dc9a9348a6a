package spectral_test

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/spectral"
)

func randomTensor(rng *rand.Rand, shape ...int) *autograd.Tensor {
	x := autograd.New(shape...)
	nn.Normal(x, 0, 1, rng)
	return x
}

func newConv(t testing.TB, c spectral.Config, seed uint64) *spectral.Conv {
	t.Helper()
	layer, err := spectral.NewConv(c, rand.New(rand.NewPCG(seed, 1)))
	require.NoError(t, err)
	return layer
}

func params(model any) (list []*autograd.Param) {
	for _, p := range autograd.Params(model) {
		list = append(list, p)
	}
	return list
}

func forward(layer *spectral.Conv, x *autograd.Tensor, size ...int) *autograd.Tensor {
	tape := &autograd.Tape{NoGrad: true}
	v := tape.Const(x)
	if size == nil {
		return layer.Forward(v).Clone()
	}
	return layer.ForwardTo(v, size...).Clone()
}

// A derivative is a spectral convolution: here of sin x, with a weight of ik at the modes k = -1 and 1 of one axis.
func ExampleConv() {
	const n = 8
	layer, err := spectral.NewConv(spectral.Config{In: 1, Out: 1, Modes: []int{4}, NoBias: true}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	w := layer.Weight.Tensor // modes 0, 1 and 2; real and imaginary parts
	w.Set(1, 0, 0, 1, 1)
	x := autograd.New(1, n, 1)
	for i := range x.Data {
		x.Data[i] = float32(math.Sin(2 * math.Pi * float64(i) / n))
	}
	tape := &autograd.Tape{NoGrad: true}
	y := layer.Forward(tape.Const(x))
	for _, v := range y.Data {
		fmt.Printf("%.3f ", v+0)
	}
	// Output: 1.000 0.707 0.000 -0.707 -1.000 -0.707 -0.000 0.707
}

var configs = map[string]struct {
	c    spectral.Config
	grid []int
}{
	"1d":        {spectral.Config{In: 3, Out: 2, Modes: []int{5}}, []int{12}},
	"2d":        {spectral.Config{In: 2, Out: 3, Modes: []int{4, 5}}, []int{7, 10}},
	"3d":        {spectral.Config{In: 2, Out: 2, Modes: []int{3, 2, 4}}, []int{5, 4, 6}},
	"small":     {spectral.Config{In: 2, Out: 2, Modes: []int{8, 8}}, []int{5, 6}},
	"separable": {spectral.Config{In: 3, Out: 3, Modes: []int{4, 4}, Separable: true}, []int{6, 7}},
	"complex":   {spectral.Config{In: 2, Out: 3, Modes: []int{4, 5}, Complex: true}, []int{7, 6}},
	"tucker":    {spectral.Config{In: 4, Out: 5, Modes: []int{4, 4}, Rank: 0.4}, []int{8, 6}},
	"tucker3d":  {spectral.Config{In: 3, Out: 2, Modes: []int{2, 3, 4}, Rank: 0.5}, []int{4, 5, 5}},
	"max":       {spectral.Config{In: 2, Out: 2, Modes: []int{3, 4}, MaxModes: []int{6, 8}, Norm: spectral.NormOrtho}, []int{9, 8}},
	"ortho":     {spectral.Config{In: 2, Out: 2, Modes: []int{3, 4}, Norm: spectral.NormBackward, Scale: []float64{1.5, 2}}, []int{6, 5}},
	"reference": {spectral.Config{In: 2, Out: 2, Modes: []int{3, 4}, Defects: spectral.ReferenceDefects(), Scale: []float64{2}}, []int{7, 9}},
}

func inputOf(rng *rand.Rand, c spectral.Config, grid []int) *autograd.Tensor {
	shape := append(append([]int{2}, grid...), c.In)
	if c.Complex {
		shape = append(shape, 2)
	}
	return randomTensor(rng, shape...)
}

func TestConvGradients(t *testing.T) {
	for name, k := range configs {
		t.Run(name, func(t *testing.T) {
			layer := newConv(t, k.c, 1)
			x := inputOf(rand.New(rand.NewPCG(2, 3)), k.c, k.grid)
			require.NoError(t, autograd.CheckGrad(autograd.GradCheck{Params: params(layer)}, func(x []*autograd.Value) *autograd.Value {
				// Twice, so that gradients are added to what is there.
				return autograd.Add(layer.Forward(x[0]), layer.Forward(x[0]))
			}, x))
		})
	}
}

// The definition: transform all modes, multiply, transform back; in float64.
func naiveConv(c spectral.Config, w, b, x *autograd.Tensor) []float64 {
	nb, ny, nx := x.Shape[0], x.Shape[1], x.Shape[2]
	k1, k2 := c.Modes[0], c.Modes[1]/2+1
	out := make([]float64, nb*ny*nx*c.Out)
	for s := range nb {
		for o := range c.Out {
			for j1 := range k1 {
				for f2 := range k2 {
					f1 := j1 - k1/2
					var y complex128
					for i := range c.In {
						var spec complex128
						for p := range ny {
							for q := range nx {
								spec += complex(float64(x.At(s, p, q, i)), 0) * cmplx.Rect(1, -2*math.Pi*(float64(f1*p)/float64(ny)+float64(f2*q)/float64(nx)))
							}
						}
						y += spec / complex(float64(ny*nx), 0) * complex(float64(w.At(i, o, j1, f2, 0)), float64(w.At(i, o, j1, f2, 1)))
					}
					weight := 2.0
					if f2 == 0 || 2*f2 == nx {
						weight = 1
					}
					for p := range ny {
						for q := range nx {
							v := y * cmplx.Rect(1, 2*math.Pi*(float64(f1*p)/float64(ny)+float64(f2*q)/float64(nx)))
							out[((s*ny+p)*nx+q)*c.Out+o] += weight * real(v)
						}
					}
				}
			}
			for i := range ny * nx {
				out[(s*ny*nx+i)*c.Out+o] += float64(b.Data[o])
			}
		}
	}
	return out
}

func TestConvIsItsDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 5))
	for _, k := range []struct{ modes, grid []int }{{[]int{4, 4}, []int{7, 9}}, {[]int{5, 6}, []int{6, 6}}, {[]int{3, 3}, []int{8, 11}}, {[]int{6, 8}, []int{10, 8}}} {
		c := spectral.Config{In: 2, Out: 3, Modes: k.modes}
		layer := newConv(t, c, 6)
		x := inputOf(rng, c, k.grid)
		want := naiveConv(c, layer.Weight.Tensor.Tensor, layer.Bias.Tensor, x)
		got := forward(layer, x)
		for i, w := range want {
			require.InDelta(t, w, float64(got.Data[i]), 2e-6, "%v %v", k, i)
		}
	}
}

// On data whose modes are all kept, the output on a finer grid agrees with that on the coarse one where both have points.
func TestConvKnowsNoGrid(t *testing.T) {
	for _, c := range []spectral.Config{
		{In: 2, Out: 3, Modes: []int{5, 5}},
		{In: 2, Out: 2, Modes: []int{5, 5}, Complex: true},
		{In: 2, Out: 2, Modes: []int{5, 5}, Rank: 0.5},
	} {
		layer := newConv(t, c, 7)
		x := inputOf(rand.New(rand.NewPCG(8, 9)), c, []int{9, 15})
		coarse, fine := forward(layer, x), forward(layer, x, 27, 30)
		n := c.Out
		if c.Complex {
			n *= 2
		}
		for s := range 2 {
			for p := range 9 {
				for q := range 15 {
					a := coarse.Data[((s*9+p)*15+q)*n:][:n]
					b := fine.Data[((s*27+3*p)*30+2*q)*n:][:n]
					for i := range a {
						require.InDelta(t, a[i], b[i], 1e-5)
					}
				}
			}
		}
	}
}

func TestConvCommutesWithTranslation(t *testing.T) {
	c := spectral.Config{In: 2, Out: 2, Modes: []int{6, 6}}
	layer := newConv(t, c, 10)
	x := inputOf(rand.New(rand.NewPCG(11, 12)), c, []int{10, 12})
	shifted := roll(x, 3, 5)
	want := roll(forward(layer, x), 3, 5)
	got := forward(layer, shifted)
	for i := range want.Data {
		require.InDelta(t, want.Data[i], got.Data[i], 1e-5)
	}
}

// roll moves x, nb x ny x nx x nc, by dy and dx points.
func roll(x *autograd.Tensor, dy, dx int) *autograd.Tensor {
	y := x.Clone()
	nb, ny, nx, nc := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	for s := range nb {
		for p := range ny {
			for q := range nx {
				copy(y.Data[((s*ny+(p+dy)%ny)*nx+(q+dx)%nx)*nc:][:nc], x.Data[((s*ny+p)*nx+q)*nc:])
			}
		}
	}
	return y
}

// A decomposition computes the same as the tensor it stands for.
func TestTuckerIsItsTensor(t *testing.T) {
	c := spectral.Config{In: 3, Out: 4, Modes: []int{4, 6}, Rank: 0.6}
	tucker := newConv(t, c, 13)
	c.Rank = 0
	dense := newConv(t, c, 13)
	copy(dense.Bias.Data, tucker.Bias.Data)
	core, full := tucker.Weight.Core, dense.Weight.Tensor
	f := make([]*autograd.Param, 4)
	for i := range f {
		f[i] = tucker.Weight.Factors[fmt.Sprintf("factor_%d", i)]
		require.Equal(t, full.Shape[i], f[i].Shape[0])
		require.Equal(t, core.Shape[i], f[i].Shape[1])
	}
	at := func(p *autograd.Param, i, r int) complex128 {
		return complex(float64(p.At(i, r, 0)), float64(p.At(i, r, 1)))
	}
	for i := range full.Shape[0] {
		for o := range full.Shape[1] {
			for j := range full.Shape[2] {
				for k := range full.Shape[3] {
					var sum complex128
					for a := range core.Shape[0] {
						for b := range core.Shape[1] {
							for cc := range core.Shape[2] {
								for d := range core.Shape[3] {
									v := complex(float64(core.At(a, b, cc, d, 0)), float64(core.At(a, b, cc, d, 1)))
									sum += v * at(f[0], i, a) * at(f[1], o, b) * at(f[2], j, cc) * at(f[3], k, d)
								}
							}
						}
					}
					full.Set(float32(real(sum)), i, o, j, k, 0)
					full.Set(float32(imag(sum)), i, o, j, k, 1)
				}
			}
		}
	}
	x := inputOf(rand.New(rand.NewPCG(14, 15)), c, []int{8, 9})
	want, got := forward(dense, x), forward(tucker, x)
	for i := range want.Data {
		require.InDelta(t, want.Data[i], got.Data[i], 1e-5)
	}
}

func TestTuckerInitialisation(t *testing.T) {
	layer := newConv(t, spectral.Config{In: 32, Out: 32, Modes: []int{12, 12}, Rank: 0.3}, 16)
	n := float64(autograd.CountParams(layer) - 32)
	require.InEpsilon(t, 0.3*2*32*32*12*7, n, 0.1)
}

// Fewer modes in use are the same as a weight that is zero beyond them.
func TestSetModes(t *testing.T) {
	layer := newConv(t, spectral.Config{In: 2, Out: 2, Modes: []int{8, 8}}, 17)
	x := inputOf(rand.New(rand.NewPCG(18, 19)), layer.Config, []int{12, 11})
	require.NoError(t, layer.SetModes(5, 4))
	require.Equal(t, []int{5, 4}, layer.Modes())
	got := forward(layer, x)
	require.NoError(t, layer.SetModes(8, 8))
	w := layer.Weight.Tensor
	for i := range w.Data {
		j1, f2 := i/2/5%8, i/2%5
		if f1 := j1 - 4; f1 < -2 || f1 > 2 || f2 > 2 {
			w.Data[i] = 0
		}
	}
	want := forward(layer, x)
	for i := range want.Data {
		require.InDelta(t, want.Data[i], got.Data[i], 1e-5)
	}
	require.EqualError(t, layer.SetModes(9, 8), "spectral: SetModes: [9 8]; want 1 to [8 8]")
}

// Neither a convolution nor blocks read the lists of their configuration once they are made.
func TestLayersOwnTheirConfig(t *testing.T) {
	c := spectral.Config{In: 2, Out: 2, Modes: []int{4, 4}, MaxModes: []int{6, 6}, Scale: []float64{1, 2}}
	conv := newConv(t, c, 17)
	b := spectral.BlockConfig{Channels: 2, Modes: c.Modes, MaxModes: c.MaxModes, Layers: 2, Scale: c.Scale}
	blocks, err := spectral.NewBlocks(b, nil)
	require.NoError(t, err)
	c.Modes[0], c.MaxModes[0], c.Scale[0] = 1, 9, 3
	require.Equal(t, spectral.Config{In: 2, Out: 2, Modes: []int{4, 4}, MaxModes: []int{6, 6}, Scale: []float64{1, 2}}, conv.Config)
	require.Equal(t, spectral.BlockConfig{Channels: 2, Modes: []int{4, 4}, MaxModes: []int{6, 6}, Layers: 2, Scale: []float64{1, 2}}, blocks.Config)
	require.NoError(t, blocks.SetModes(2, 3))
	require.Equal(t, []int{2, 3}, blocks.Config.Modes)
}

// R maps adjoint spectra: without bias <K x, y> = <x, K' y>, where K' is what the backward pass computes.
func TestConvAdjoint(t *testing.T) {
	c := spectral.Config{In: 3, Out: 2, Modes: []int{6, 4}, NoBias: true}
	layer := newConv(t, c, 20)
	rng := rand.New(rand.NewPCG(21, 22))
	x := inputOf(rng, c, []int{10, 9})
	gy := randomTensor(rng, 2, 10, 9, 2)
	tape := &autograd.Tape{}
	v := tape.Input(x)
	y := layer.Forward(v)
	gx := tape.Backward(autograd.Seed{Value: y, Grad: gy.Data}).Wrt(v)
	require.InEpsilon(t, kernel.Dot(y.Data, gy.Data), kernel.Dot(x.Data, gx.Data), 1e-5)
}

func TestConvThreads(t *testing.T) {
	defer kernel.SetThreads(0)
	layer := newConv(t, spectral.Config{In: 40, Out: 36, Modes: []int{8, 8}}, 23)
	rng := rand.New(rand.NewPCG(24, 25))
	x, gy := inputOf(rng, layer.Config, []int{20, 21}), randomTensor(rng, 2, 20, 21, 36)
	var want [][]float32
	for _, threads := range []int{1, 2, 3} {
		kernel.SetThreads(threads)
		tape := &autograd.Tape{}
		v := tape.Input(x)
		y := layer.Forward(v)
		g := tape.Backward(autograd.Seed{Value: y, Grad: gy.Data})
		got := [][]float32{y.Data, g.Wrt(v).Data, g.Of(layer.Weight.Tensor).Data, g.Of(layer.Bias).Data}
		if want == nil {
			want = got
		}
		require.Equal(t, want, got)
	}
}

func TestConvInitialisation(t *testing.T) {
	layer := newConv(t, spectral.Config{In: 24, Out: 40, Modes: []int{8, 8}}, 26)
	w := layer.Weight.Tensor
	require.InEpsilon(t, math.Sqrt(2.0/64), math.Sqrt(2*kernel.SumSquares(w.Data)/float64(w.Len())), 0.03)
}

func TestConvMisuse(t *testing.T) {
	for want, c := range map[string]spectral.Config{
		"spectral: 0 input and 1 output channels; want at least 1":                          {Out: 1, Modes: []int{2}},
		"spectral: modes [] of 0 axes; want 1 to 3":                                         {In: 1, Out: 1},
		"spectral: modes [2 0]; want at least 1 along each axis":                            {In: 1, Out: 1, Modes: []int{2, 0}},
		"spectral: a separable convolution from 1 to 2 channels; want as many out as in":    {In: 1, Out: 2, Modes: []int{2}, Separable: true},
		"spectral: modes [4] exceed max_modes [3]":                                          {In: 1, Out: 1, Modes: []int{4}, MaxModes: []int{3}},
		"spectral: norm \"half\"; want \"forward\", \"ortho\" or \"backward\"":              {In: 1, Out: 1, Modes: []int{4}, Norm: "half"},
		"spectral: rank 2; want 0 (dense) to 1":                                             {In: 1, Out: 1, Modes: []int{4}, Rank: 2},
		"spectral: a separable convolution has no Tucker decomposition here; set rank to 0": {In: 1, Out: 1, Modes: []int{4}, Rank: 0.5, Separable: true},
	} {
		_, err := spectral.NewConv(c, nil)
		require.EqualError(t, err, want)
	}
	for want, checked := range map[string]interface{ Check() error }{
		"spectral: 0 input and 0 output channels; want at least 1":              spectral.Config{},
		"spectral: 0 blocks; want at least 1":                                   spectral.BlockConfig{},
		"spectral: mlp_expansion +Inf of 2 channels; want a width up to 2^30":   spectral.BlockConfig{Channels: 2, Layers: 1, MLPExpansion: math.Inf(1)},
		"spectral: mlp_expansion 1e+300 of 2 channels; want a width up to 2^30": spectral.BlockConfig{Channels: 2, Layers: 1, MLPExpansion: 1e300},
	} {
		require.EqualError(t, checked.Check(), want)
	}
	layer := newConv(t, spectral.Config{In: 3, Out: 1, Modes: []int{4, 4}}, 27)
	x := (&autograd.Tape{}).Const(autograd.New(1, 1, 4, 4))
	blocks, err := spectral.NewBlocks(spectral.BlockConfig{Channels: 4, Modes: []int{4}, Layers: 1}, nil)
	require.NoError(t, err)
	for want, f := range map[string]func(){
		`spectral: norm "Forward"; want "forward", "ortho" or "backward"`:                           func() { spectral.RFFT(x, 2, "Forward") },
		`spectral: norm "Ortho"; want "forward", "ortho" or "backward"`:                             func() { spectral.MagnitudeL1{Norm: "Ortho"}.Loss(x, x) },
		`spectral: skip "liner"; want "linear", "soft-gating", "identity" or "none"`:                func() { spectral.NewSkip("liner", 2, 2, nil) },
		`spectral: normalise "group"; want "group_norm", "instance_norm", "batch_norm" or "ada_in"`: func() { spectral.NewNormaliser("group", 2, 1, 0, nil) },
		"spectral: Blocks: no block 1 of 1":                                                         func() { blocks.Forward(x, 1, spectral.BlockOptions{}) },
		"spectral: Blocks: no block -1 of 1":                                                        func() { blocks.Size(-1, []int{4, 4}) },
		`spectral: normalise ""; want "group_norm", "instance_norm", "batch_norm" or "ada_in"`:      func() { spectral.NewNormaliser("", 2, 1, 0, nil) },
	} {
		require.PanicsWithValue(t, want, f)
	}
	require.Nil(t, spectral.NewSkip(spectral.SkipNone, 2, 2, nil))
	require.NotNil(t, spectral.NewNormaliser(spectral.NormaliseInstance, 2, 0, 0, nil))
	require.PanicsWithValue(t, "spectral: Conv: shape [1 8 8 2]; want [batch, 2 axes, 3 channels]", func() {
		forward(layer, autograd.New(1, 8, 8, 2))
	})
	complexLayer := newConv(t, spectral.Config{In: 3, Out: 1, Modes: []int{4, 4}, Complex: true}, 27)
	require.PanicsWithValue(t, "spectral: Conv: shape [1 8 8 3]; want [batch, 2 axes, 3 channels, 2]", func() {
		forward(complexLayer, autograd.New(1, 8, 8, 3))
	})
}
