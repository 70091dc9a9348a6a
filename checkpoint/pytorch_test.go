package checkpoint

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/testdata"
	"github.com/stretchr/testify/require"
)

// python runs a script of testdata, and skips the test where there is no Python with PyTorch.
func python(t *testing.T, script string, args ...string) []byte {
	t.Helper()
	if testing.Short() {
		t.Skip("starts PyTorch")
	}
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		cmd := exec.Command(name, append([]string{filepath.Join("testdata", script)}, args...)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() != 77 {
			t.Fatalf("%s: %v\n%s", script, err, stderr.String())
		}
		if err == nil {
			return out
		}
	}
	t.Skip("neither /usr/bin/python3 nor python3 has PyTorch (Debian: python3-torch)")
	return nil
}

// PyTorch's files that lie in testdata, and the same written anew where PyTorch is.
func TestReadWhatPyTorchWrote(t *testing.T) {
	checkPyTorchFiles(t, "testdata")
}

func TestReadWhatPyTorchWritesHere(t *testing.T) {
	dir := t.TempDir()
	python(t, "make.py", dir)
	checkPyTorchFiles(t, dir)
}

// checkPyTorchFiles reads the files of testdata/make.py in dir.
func checkPyTorchFiles(t *testing.T, dir string) {
	for _, name := range []string{"kinds.pt", "frames.pt", "legacy.pt", "legacyframes.pt"} {
		t.Run(name, func(t *testing.T) {
			f, err := Read(filepath.Join(dir, name))
			require.NoError(t, err)
			require.Empty(t, f.Metadata)
			want := map[string]struct {
				dtype  DType
				shape  []int
				values []float64
			}{
				"weight":     {F32, []int{2, 3}, []float64{0, 0.5, 1, 1.5, 2, 2.5}},
				"transposed": {F32, []int{3, 2}, []float64{0, 1.5, 0.5, 2, 1, 2.5}},
				"row":        {F32, []int{3}, []float64{1.5, 2, 2.5}},
				"columns":    {F32, []int{2, 2}, []float64{0.5, 1, 2, 2.5}},
				"same":       {F32, []int{3, 2}, []float64{0, 0.5, 1, 1.5, 2, 2.5}},
				"expanded":   {F32, []int{2, 3}, []float64{7, 7, 7, 7, 7, 7}},
				"cube": {I64, []int{4, 2, 3}, []float64{0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 22,
					3, 7, 11, 15, 19, 23}},
				"parameter": {F32, []int{2}, []float64{1, -1}},
				"counter":   {I64, []int{}, []float64{-5}},
				"empty":     {F32, []int{0, 3}, []float64{}},
				"one":       {F32, []int{1, 1}, []float64{1}},
				"f16":       {F16, []int{2}, []float64{1, -2}},
				"bf16":      {BF16, []int{2}, []float64{1, -2}},
				"f64":       {F64, []int{1}, []float64{0.1}},
				"i8":        {I8, []int{1}, []float64{-1}},
				"i16":       {I16, []int{1}, []float64{-2}},
				"i32":       {I32, []int{1}, []float64{-3}},
				"u8":        {U8, []int{1}, []float64{255}},
				"truth":     {Bool, []int{2}, []float64{1, 0}},
				"complex":   {C64, []int{2, 2}, []float64{0, 1, 2, 3, 4, 5, 6, 7}},
			}
			require.Len(t, f.Names(), len(want))
			for name, w := range want {
				x, ok := f.Tensor(name)
				require.True(t, ok, name)
				require.Equal(t, w.dtype, x.DType, name)
				require.Equal(t, w.shape, x.Shape, name)
				require.Equal(t, w.values, x.Float64(), name)
			}
			// Views in order share the memory of their storage.
			a, b, row := f.tensors["weight"], f.tensors["same"], f.tensors["row"]
			require.Same(t, &a.Data[0], &b.Data[0])
			require.Same(t, &a.Data[12], &row.Data[0])
			require.Equal(t, 12, cap(row.Data))
		})
	}
	t.Run("training.pt", func(t *testing.T) {
		path := filepath.Join(dir, "training.pt")
		f, err := Read(path)
		require.NoError(t, err)
		names := []string{"module.0.bias", "module.0.weight", "module.1.bias", "module.1.num_batches_tracked", "module.1.running_mean", "module.1.running_var", "module.1.weight"}
		require.Equal(t, names, f.Names())
		require.Equal(t, map[string]string{"epoch": "7", "note": "a b", "loss": "2.5", "lr": "0.5", "step": "9", "done": "true"}, f.Metadata)
		g, err := f.Trim("module.")
		require.NoError(t, err)
		model := map[string]any{
			"0.weight": autograd.NewParam(2, 1, 3, 3), "0.bias": autograd.NewParam(2), "1.weight": autograd.NewParam(2), "1.bias": autograd.NewParam(2),
			"1.running_mean": autograd.NewBuffer(0, 2), "1.running_var": autograd.NewBuffer(0, 2), "1.num_batches_tracked": autograd.NewCounter(),
		}
		require.NoError(t, LoadParams(g, model))
		require.Equal(t, int64(1), model["1.num_batches_tracked"].(*autograd.Buffer).Ints[0])
		require.InDelta(t, 1, model["1.weight"].(*autograd.Param).Data[0], 0.002)

		all, err := ReadAll(path)
		require.NoError(t, err)
		require.Empty(t, all.Metadata)
		require.Equal(t, []float32{3}, all.Sub("encoder_state_dict.").tensors["scale"].Float32())
		require.Equal(t, names, all.Sub("model_state_dict.").Names())
		require.Contains(t, all.Names(), "optimizer_state_dict.state.0.exp_avg")
		x, y := f.tensors["module.0.weight"], all.tensors["model_state_dict.module.0.weight"]
		require.Equal(t, x.Data, y.Data)
	})
}

// answer is what testdata/read.py says of a file.
type answer struct {
	Type    string
	Tensors map[string]struct {
		Shape   []int
		DType   string
		SHA256  string
		Storage int64
	}
}

func ask(t *testing.T, paths ...string) []answer {
	t.Helper()
	var answers []answer
	require.NoError(t, json.Unmarshal(python(t, "read.py", paths...), &answers))
	require.Len(t, answers, len(paths))
	return answers
}

var torchNames = map[DType]string{
	F16: "torch.float16", BF16: "torch.bfloat16", F32: "torch.float32", F64: "torch.float64", I8: "torch.int8", I16: "torch.int16", I32: "torch.int32",
	I64: "torch.int64", U8: "torch.uint8", Bool: "torch.bool", C64: "torch.complex64",
}

// agree compares what PyTorch found with the tensors that were written.
func agree(t *testing.T, want map[string]Tensor, got answer) {
	t.Helper()
	require.Equal(t, "OrderedDict", got.Type)
	require.Len(t, got.Tensors, len(want))
	for name, w := range want {
		g, ok := got.Tensors[name]
		require.True(t, ok, name)
		require.Equal(t, torchNames[w.DType], g.DType, name)
		require.Equal(t, append([]int{}, w.Shape...), g.Shape, name)
		sum := sha256.Sum256(w.Data)
		require.Equal(t, hex.EncodeToString(sum[:]), g.SHA256, name)
	}
}

// equal compares every bit of two sets of tensors.
func equal(t *testing.T, want, got map[string]Tensor) {
	t.Helper()
	require.Len(t, got, len(want))
	for name, w := range want {
		g, ok := got[name]
		require.True(t, ok, name)
		require.Equal(t, w.DType, g.DType, name)
		require.Equal(t, append([]int{}, w.Shape...), append([]int{}, g.Shape...), name)
		require.True(t, bytes.Equal(w.Data, g.Data), name)
	}
}

// Files that are written here are read by PyTorch with every bit; what PyTorch then saves, in both of its formats, is read here.
func TestPyTorchReadsWhatIsWritten(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	var wants []map[string]Tensor
	add := func(name string, tensors map[string]Tensor) string {
		path := filepath.Join(dir, name+".pt")
		paths, wants = append(paths, path), append(wants, tensors)
		return path
	}

	kinds, err := Read("testdata/kinds.pt")
	require.NoError(t, err)
	require.NoError(t, WritePyTorch(add("kinds", kinds.tensors), kinds.tensors, map[string]string{"k": "v"}))

	large := map[string]Tensor{"x": FromFloat32(make([]float32, 70000), 70000), "ünï": FromFloat32(make([]float32, 300), 300, 1)}
	require.NoError(t, WritePyTorch(add("large", large), large, nil))

	norm := map[string]Tensor{"weight": FromFloat32([]float32{1, 2, 3}, 3), "bias": FromFloat32([]float32{4, 5, 6}, 3),
		"running_mean": FromFloat32([]float32{7, 8, 9}, 3), "running_var": FromFloat32([]float32{1, 1, 2}, 3), "num_batches_tracked": FromInt64([]int64{12})}
	require.NoError(t, WritePyTorch(add("norm", norm), norm, nil))

	net := newNetwork(3)
	tensors, metadata, err := collect(net, Info{})
	require.NoError(t, err)
	tensors, _, err = complexTensors(tensors, metadata)
	require.NoError(t, err)
	require.NoError(t, SavePyTorch(add("net", tensors), net, Info{Kind: "network", Config: config{Width: 2}}))
	tied := len(paths) - 1

	answers := ask(t, paths...)
	for i, a := range answers {
		agree(t, wants[i], a)
	}
	require.Equal(t, answers[tied].Tensors["layers.0.bias"].Storage, answers[tied].Tensors["head"].Storage)
	require.NotEqual(t, answers[tied].Tensors["layers.1.bias"].Storage, answers[tied].Tensors["head"].Storage)
	for i, path := range paths {
		for _, p := range []string{path, path + ".zip.pt", path + ".legacy.pt"} {
			f, err := Read(p)
			require.NoError(t, err)
			equal(t, wants[i], f.tensors)
		}
	}
	again := newNetwork(4)
	f, err := Read(paths[tied] + ".zip.pt")
	require.NoError(t, err)
	require.NoError(t, LoadParams(f, again))
	same(t, net, again)
}

// The weights of reference models go to PyTorch and back: names, shapes, types and every bit.
func TestReferenceModelsThroughPyTorch(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	var wants []map[string]Tensor
	for _, name := range []string{"fno2d_spamoe", "inversionnet_small_train", "emo_tiny", "spectralconv2d_complex"} {
		f, err := Read(testdata.Shared(t, "golden", name, "weights.safetensors"))
		require.NoError(t, err)
		tensors, _, err := complexTensors(f.tensors, f.Metadata)
		require.NoError(t, err)
		path := filepath.Join(dir, name+".pt")
		require.NoError(t, WritePyTorch(path, f.tensors, f.Metadata))
		paths, wants = append(paths, path), append(wants, tensors)
	}
	kinds := map[DType]int{}
	for i, a := range ask(t, paths...) {
		agree(t, wants[i], a)
		for _, p := range []string{paths[i], paths[i] + ".zip.pt", paths[i] + ".legacy.pt"} {
			f, err := Read(p)
			require.NoError(t, err)
			equal(t, wants[i], f.tensors)
		}
		for _, x := range wants[i] {
			kinds[x.DType]++
		}
	}
	require.Positive(t, kinds[C64])
	require.Positive(t, kinds[I64])
}

func TestPyTorchRoundTrip(t *testing.T) {
	dir := t.TempDir()
	net := newNetwork(3)
	info := Info{Kind: "network", Config: config{Width: 2, Rate: 1e-4}, Metadata: map[string]string{"note": "<ü>"}}
	first := filepath.Join(dir, "a.pt")
	require.NoError(t, SavePyTorch(first, net, info))
	f, err := Read(first)
	require.NoError(t, err)
	require.Equal(t, map[string]string{KindKey: "network", ConfigKey: `{"width":2,"rate":0.0001}`, "note": "<ü>"}, f.Metadata)
	var c config
	require.NoError(t, f.Config(&c))
	require.Equal(t, 2, c.Width)
	require.Equal(t, C64, f.tensors["layers.0.weight.tensor"].DType)
	require.Equal(t, []int{2, 3}, f.tensors["layers.0.weight.tensor"].Shape)
	require.Same(t, &f.tensors["head"].Data[0], &f.tensors["layers.0.bias"].Data[0])
	again := newNetwork(4)
	require.NoError(t, LoadParams(f, again))
	same(t, net, again)

	// The same content gives the same bytes, also by way of a file.
	second := filepath.Join(dir, "b.pt")
	require.NoError(t, WritePyTorch(second, f.tensors, f.Metadata))
	a, err := os.ReadFile(first)
	require.NoError(t, err)
	b, err := os.ReadFile(second)
	require.NoError(t, err)
	require.Equal(t, a, b)

	// As real tensors it is what SaveModel writes.
	tensors, metadata := f.RealTensors()
	want, wantMetadata, err := collect(net, info)
	require.NoError(t, err)
	require.Equal(t, wantMetadata, metadata)
	equal(t, want, tensors)
	require.Equal(t, C64, f.Tensors()["layers.0.weight.tensor"].DType)

	archive, err := zip.OpenReader(first)
	require.NoError(t, err)
	defer archive.Close()
	require.Equal(t, "archive/data.pkl", archive.File[0].Name)
	for _, e := range archive.File {
		at, err := e.DataOffset()
		require.NoError(t, err)
		require.Zero(t, at%alignment, e.Name)
		require.Equal(t, zip.Store, e.Method)
	}
}

func TestPyTorchFilesThatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.pt")
	for want, tensors := range map[string]map[string]Tensor{
		`dtype "F4" is unknown`: {"a": {DType: "F4", Shape: []int{1}, Data: []byte{1}}},
		`tensor "c" is F32 of shape 2x3, but complex: want F32 with a last axis of 2`: {"c": FromFloat32(make([]float32, 6), 2, 3)},
		`tensor "c" is I64 of shape (), but complex`:                                  {"c": FromInt64([]int64{1})},
	} {
		require.ErrorContains(t, WritePyTorch(path, tensors, map[string]string{ComplexKey: "b,c"}), want)
	}
	one := FromInt64([]int64{1})
	require.ErrorContains(t, WritePyTorch(path, map[string]Tensor{"a": one}, map[string]string{"a": string(make([]byte, maxMetadata))}), "bytes of metadata")
	require.ErrorContains(t, SavePyTorch(path, newNetwork(1), Info{Config: func() {}}), "configuration")
	require.NoFileExists(t, path)
	for room := range 3000 {
		w := &fullWriter{room}
		if err := writeTorch(w, newPickler(map[string]Tensor{"a": one}), nil); err == nil {
			require.Greater(t, room, 500)
			return
		}
	}
	t.Fatal("a file of one number takes more than 3000 bytes")
}

// What Read refuses is not written; what lies just within its bounds is, and is read.
func TestPyTorchWritesWhatReadTakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.pt")
	shape := func(n int) []int { return slices.Repeat([]int{1}, n) }
	many := func(n int) map[string]Tensor {
		tensors := map[string]Tensor{}
		for i := range n {
			tensors[fmt.Sprintf("%d.%d", i, i)] = FromFloat32([]float32{1}, 1)
		}
		return tensors
	}
	for want, tensors := range map[string]map[string]Tensor{
		"it holds no tensors":               {},
		"a tensor without a name":           {"": FromFloat32([]float32{1, 2}, 2)},
		"the name of a tensor has":          {strings.Repeat("x", maxName+1): FromFloat32([]float32{1}, 1)},
		"strides of up to 64 dimensions":    {"a": FromFloat32([]float32{1}, shape(maxDims+1)...)},
		"what it builds takes more than 40": many(70000),
	} {
		err := WritePyTorch(path, tensors, nil)
		require.ErrorContains(t, err, "a.pt, since Read would refuse it")
		require.ErrorContains(t, err, want)
		require.NoFileExists(t, path)
	}
	for _, tensors := range []map[string]Tensor{
		{strings.Repeat("x", maxName): FromFloat32([]float32{1}, 1), "a": FromFloat32([]float32{1}, shape(maxDims)...)},
		many(10000),
	} {
		require.NoError(t, WritePyTorch(path, tensors, map[string]string{ComplexKey: ""}))
		f, err := Read(path)
		require.NoError(t, err)
		equal(t, tensors, f.tensors)
		require.NoError(t, os.Remove(path))
	}
}

// A list of names with commas between them cannot tell of a name with one.
func TestComplexNamesWithCommas(t *testing.T) {
	tensors, metadata := map[string]Tensor{"a,b": FromFloat32([]float32{1, 2}, 1, 2)}, map[string]string{ComplexKey: "c,a,b"}
	path := filepath.Join(t.TempDir(), "a")
	const want = `"a,b" is no name for a complex tensor`
	require.ErrorContains(t, WritePyTorch(path, tensors, metadata), want)
	require.ErrorContains(t, Write(path, tensors, metadata), want)
	require.NoFileExists(t, path)
	require.NoError(t, Write(path, tensors, map[string]string{ComplexKey: "a"}), "it is real")
}

func TestTrim(t *testing.T) {
	f, err := NewFile("x", map[string]Tensor{"module.model.a": FromFloat32(make([]float32, 2), 1, 2), "module.b": FromFloat32(nil, 0), "c": FromFloat32(nil, 0)},
		map[string]string{ComplexKey: "module.model.a", "k": "v"})
	require.NoError(t, err)
	g, err := f.Trim("model.", "module.")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, g.Names())
	require.Equal(t, map[string]string{ComplexKey: "a", "k": "v"}, g.Metadata)
	require.Equal(t, map[string]string{"k": "v"}, f.Sub("other.").Metadata)
	require.Equal(t, map[string]string{ComplexKey: "a", "k": "v"}, f.Sub("module.model.").Metadata)
	_, err = f.Trim("module.model.a")
	require.ErrorContains(t, err, `tensor "module.model.a" would be called ""`)
	f, err = NewFile("x", map[string]Tensor{"module.a": FromFloat32(nil, 0), "a": FromFloat32(nil, 0)}, nil)
	require.NoError(t, err)
	_, err = f.Trim("module.")
	require.ErrorContains(t, err, `tensor "module.a" would be called "a"`)
}
