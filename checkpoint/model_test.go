package checkpoint

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/testdata"
	"github.com/stretchr/testify/require"
)

type layer struct {
	Weight  *autograd.Param  `param:"weight.tensor"`
	Bias    *autograd.Param  `param:"bias"`
	Mean    *autograd.Buffer `param:"running_mean"`
	Batches *autograd.Buffer `param:"num_batches_tracked"`
}

type network struct {
	Layers []*layer `param:"layers"`
	// Head shares the bias of the first layer.
	Head *autograd.Param `param:"head"`
}

// newNetwork is a network of two layers whose numbers depend on seed.
func newNetwork(seed int) *network {
	n := &network{}
	x := float32(seed)
	fill := func(p *autograd.Param) *autograd.Param {
		for i := range p.Data {
			x = x*1.7 - float32(math.Floor(float64(x*1.7))) - 0.5
			p.Data[i] = x
		}
		return p
	}
	for range 2 {
		l := &layer{Weight: fill(autograd.NewComplexParam(2, 3)), Bias: fill(autograd.NewParam(3, 1)), Mean: autograd.NewBuffer(x, 3), Batches: autograd.NewCounter()}
		l.Batches.Ints[0] = int64(seed)
		n.Layers = append(n.Layers, l)
	}
	n.Head = n.Layers[0].Bias
	return n
}

type config struct {
	Width int     `json:"width"`
	Rate  float64 `json:"rate"`
}

func TestModelRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	m := newNetwork(3)
	m.Layers[0].Weight.Data[0] = float32(math.Copysign(0, -1))
	m.Layers[0].Weight.Data[1] = 1e-45
	extra := map[string]Tensor{"adam.step": FromInt64([]int64{12}), "adam.m": FromFloat64([]float64{0.1}, 1)}
	info := Info{Kind: "network", Config: config{Width: 2, Rate: 1e-4}, Metadata: map[string]string{"note": "x"}, Extra: extra}
	require.NoError(t, SaveModel(path, m, info))
	f, err := Read(path)
	require.NoError(t, err)
	require.Equal(t, []string{"extra:adam.m", "extra:adam.step", "head", "layers.0.bias", "layers.0.num_batches_tracked", "layers.0.running_mean",
		"layers.0.weight.tensor", "layers.1.bias", "layers.1.num_batches_tracked", "layers.1.running_mean", "layers.1.weight.tensor"}, f.Names())
	require.Equal(t, map[string]string{KindKey: "network", ConfigKey: `{"width":2,"rate":0.0001}`, "note": "x",
		ComplexKey: "layers.0.weight.tensor,layers.1.weight.tensor"}, f.Metadata)
	w, _ := f.Tensor("layers.1.weight.tensor")
	require.Equal(t, F32, w.DType)
	require.Equal(t, []int{2, 3, 2}, w.Shape)
	require.Equal(t, "network", f.Kind())
	var c config
	require.NoError(t, f.Config(&c))
	require.Equal(t, config{Width: 2, Rate: 1e-4}, c)
	require.Equal(t, []float64{0.1}, f.Extra()["adam.m"].Float64())
	require.Len(t, f.Extra(), 2)

	got := newNetwork(5)
	require.NoError(t, LoadParams(f, got))
	same(t, m, got)
}

// same compares every bit of two networks.
func same(t *testing.T, want, got any) {
	t.Helper()
	a, _, err := collect(want, Info{})
	require.NoError(t, err)
	b, _, err := collect(got, Info{})
	require.NoError(t, err)
	require.Len(t, b, len(a))
	for name := range a {
		require.True(t, bytes.Equal(a[name].Data, b[name].Data), name)
	}
}

func TestPartOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.safetensors")
	run := struct {
		Net  *network
		Step *autograd.Buffer
	}{newNetwork(1), autograd.NewCounter()}
	require.NoError(t, SaveModel(path, run, Info{Kind: "run"}))
	f, err := Read(path)
	require.NoError(t, err)
	got := newNetwork(2)
	require.ErrorContains(t, LoadParams(f, got), "unexpected: net.head (3x1), ")
	require.NoError(t, LoadParams(f.Sub("net."), got))
	same(t, run.Net, got)
	require.Equal(t, path, f.Sub("net.").Name())
	require.Equal(t, "run", f.Sub("net.").Kind())
}

// edit gives a file with the tensors of network 1, changed.
func edit(t *testing.T, change func(map[string]Tensor)) *File {
	t.Helper()
	tensors, _, err := collect(newNetwork(1), Info{})
	require.NoError(t, err)
	change(tensors)
	path := filepath.Join(t.TempDir(), "edited.safetensors")
	require.NoError(t, Write(path, tensors, nil))
	f, err := Read(path)
	require.NoError(t, err)
	return f
}

func TestEveryMismatchIsListedAtOnce(t *testing.T) {
	f := edit(t, func(m map[string]Tensor) {
		delete(m, "layers.0.weight.tensor")
		delete(m, "layers.1.running_mean")
		m["layers.2.bias"] = FromFloat32(make([]float32, 3), 3, 1)
		m["zzz"] = FromInt64(nil, 0)
		m["extra:adam.m"] = FromFloat32(nil, 0)
		m["layers.1.bias"] = FromFloat32(make([]float32, 3), 1, 3)
		m["layers.1.weight.tensor"] = Tensor{DType: C64, Shape: []int{3, 2}, Data: make([]byte, 48)}
		m["layers.1.num_batches_tracked"] = FromFloat32([]float32{1})
		m["layers.0.running_mean"] = FromInt64(make([]int64, 3), 3)
		m["head"] = FromFloat32(make([]float32, 3), 3, 1)
	})
	n := newNetwork(7)
	require.EqualError(t, LoadParams(f, n), "checkpoint: "+f.Name()+" does not fit the model: "+
		"2 missing: layers.0.weight.tensor (2x3x2), layers.1.running_mean (3); "+
		"2 unexpected: layers.2.bias (3x1), zzz (0); "+
		"2 of another shape: layers.1.weight.tensor is 3x2x2, want 2x3x2, layers.1.bias is 1x3, want 3x1; "+
		"2 of another kind: layers.0.running_mean is I64, want floating-point numbers, layers.1.num_batches_tracked is F32, want integers; "+
		"1 tied but different: head and layers.0.bias")
	same(t, newNetwork(7), n)
}

func TestOtherTypesAreConverted(t *testing.T) {
	want := newNetwork(1)
	f := edit(t, func(m map[string]Tensor) {
		w := m["layers.0.weight.tensor"]
		m["layers.0.weight.tensor"] = Tensor{DType: C64, Shape: []int{2, 3}, Data: w.Data}
		m["layers.1.bias"] = FromFloat64(m["layers.1.bias"].Float64(), 3, 1)
		m["layers.0.num_batches_tracked"] = Tensor{DType: I32, Data: []byte{1, 0, 0, 0}}
	})
	got := newNetwork(2)
	require.NoError(t, LoadParams(f, got))
	same(t, want, got)
	// A complex tensor is no real one, whatever its shape.
	f = edit(t, func(m map[string]Tensor) {
		m["layers.1.bias"] = Tensor{DType: C64, Shape: []int{3}, Data: make([]byte, 24)}
	})
	require.ErrorContains(t, LoadParams(f, got), "layers.1.bias is C64, want floating-point numbers")
}

func TestTiedNamesNeedOneTensor(t *testing.T) {
	for _, name := range []string{"head", "layers.0.bias"} {
		f := edit(t, func(m map[string]Tensor) { delete(m, name) })
		got := newNetwork(2)
		require.NoError(t, LoadParams(f, got))
		same(t, newNetwork(1), got)
	}
	f := edit(t, func(m map[string]Tensor) { delete(m, "head"); delete(m, "layers.0.bias") })
	require.ErrorContains(t, LoadParams(f, newNetwork(2)), "2 missing: layers.0.bias (3x1), head (3x1)")
}

// A model whose fields are unexported would be saved as an empty file, and loaded from one without effect.
func TestModelsWithoutStateAreRefused(t *testing.T) {
	dir := t.TempDir()
	hidden := struct{ net *network }{newNetwork(1)}
	const want = "has no parameters or buffers behind exported fields"
	for name, save := range map[string]func(string, any, Info) error{"a.safetensors": SaveModel, "a.pt": SavePyTorch} {
		path := filepath.Join(dir, name)
		require.ErrorContains(t, save(path, hidden, Info{}), want)
		require.NoFileExists(t, path)
	}
	path := filepath.Join(dir, "empty.safetensors")
	require.NoError(t, Write(path, nil, nil))
	f, err := Read(path)
	require.NoError(t, err)
	require.ErrorContains(t, LoadParams(f, hidden), want)
	require.ErrorContains(t, LoadParams(f, hidden), "empty.safetensors")
}

func TestModelsThatCannotBeSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	twice := struct {
		A *autograd.Param `param:"x"`
		B *autograd.Param `param:"x"`
	}{autograd.NewParam(1), autograd.NewParam(1)}
	require.ErrorContains(t, SaveModel(path, twice, Info{}), `two tensors of the name "x"`)
	reserved := struct {
		A *autograd.Param `param:"extra:x"`
	}{autograd.NewParam(1)}
	require.ErrorContains(t, SaveModel(path, reserved, Info{}), `"extra:" begins the names of others`)
	require.ErrorContains(t, SaveModel(path, newNetwork(1), Info{Config: math.NaN()}), "configuration: ")
	require.NoFileExists(t, path)
	require.NoError(t, Write(path, map[string]Tensor{"x": FromFloat32([]float32{1}, 1)}, nil))
	f, err := Read(path)
	require.NoError(t, err)
	require.ErrorContains(t, LoadParams(f, twice), `two tensors of the name "x"`)
}

func TestConfigErrors(t *testing.T) {
	f := &File{name: "m.safetensors", Metadata: map[string]string{}}
	var c config
	require.ErrorContains(t, f.Config(&c), "m.safetensors carries no configuration")
	for text, want := range map[string]string{
		`{"width":1,"depth":2}`: `unknown field "depth"`,
		`{"width":"wide"}`:      "width",
		`{"width":1} {}`:        "text after the end",
		`{"width":1`:            "unexpected EOF",
	} {
		f.Metadata[ConfigKey] = text
		err := f.Config(&c)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "m.safetensors")
	}
}

// The weights of a Fourier operator as PyTorch stores them load into parameters of those names and shapes.
func TestReferenceModel(t *testing.T) {
	path := testdata.Shared(t, "golden", "channelmlp", "weights.safetensors")
	f, err := Read(path)
	require.NoError(t, err)
	m := map[string]*autograd.Param{}
	for _, name := range f.Names() {
		x, _ := f.Tensor(name)
		m[name] = autograd.NewParam(x.Shape...)
	}
	require.NoError(t, LoadParams(f, m))
	for name, p := range m {
		x, _ := f.Tensor(name)
		require.Equal(t, x.Float32(), p.Data, name)
	}
	again := filepath.Join(t.TempDir(), "again.safetensors")
	require.NoError(t, SaveModel(again, m, Info{}))
	info, err := os.Stat(again)
	require.NoError(t, err)
	require.Positive(t, info.Size())
	g, err := Read(again)
	require.NoError(t, err)
	require.Equal(t, f.Names(), g.Names())
}

// A single number has no sizes to put into parentheses.
func TestMismatchOfSingleNumbers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	require.NoError(t, Write(path, map[string]Tensor{"other": FromFloat32([]float32{1})}, nil))
	f, err := Read(path)
	require.NoError(t, err)
	err = LoadParams(f, &struct{ Scale *autograd.Param }{autograd.NewParam()})
	require.ErrorContains(t, err, "1 missing: scale (); 1 unexpected: other ()")
}
