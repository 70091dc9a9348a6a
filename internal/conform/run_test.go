package conform

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/internal/npy"
)

// madeUp is a case of layer normalisation written by hand: x = (-1, 1) has mean 0 and variance 1, so y = w x + b but for eps, and
// with the cotangent (1, 2) the gradients are w' : (-1, 2), b' : (1, 2), x' : 0.
type madeUp struct {
	json         map[string]any
	x, y, cot    []float32
	weights      map[string]checkpoint.Tensor
	grads        map[string]checkpoint.Tensor
	gradX        []float32
	folder, name string
}

func newMadeUp(t *testing.T) *madeUp {
	f := func(x ...float32) checkpoint.Tensor { return checkpoint.FromFloat32(x, len(x)) }
	return &madeUp{
		name: "layernorm", folder: t.TempDir(),
		json: map[string]any{
			"name": "layernorm", "op": "layernorm", "config": map[string]any{"eps": 1e-12},
			"inputs":  []any{map[string]any{"name": "x", "file": "input.npy", "shape": []int{1, 2}, "dtype": "float32"}},
			"outputs": []any{map[string]any{"name": "output", "file": "output.npy", "shape": []int{1, 2}}},
			"weights": []any{map[string]any{"name": "weight", "shape": []int{2}}, map[string]any{"name": "bias", "shape": []int{2}}},
			"tolerance": map[string]any{
				"output": map[string]any{"suggest_atol_vs_f64": 1e-6, "suggest_rtol": 1e-6},
				"grad":   map[string]any{"suggest_rel_tol_floored": 1e-5},
			},
		},
		x: []float32{-1, 1}, y: []float32{-2.5, 5}, cot: []float32{1, 2}, gradX: []float32{0, 0},
		weights: map[string]checkpoint.Tensor{"weight": f(3, 4), "bias": f(0.5, 1)},
		grads:   map[string]checkpoint.Tensor{"weight": f(-1, 2), "bias": f(1, 2)},
	}
}

func (m *madeUp) write(t *testing.T) string {
	dir := filepath.Join(m.folder, m.name)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	text, err := json.Marshal(m.json)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "case.json"), text, 0o644))
	for file, data := range map[string][]float32{"input.npy": m.x, "output.npy": m.y, "cotangent.npy": m.cot, "grad_input.npy": m.gradX} {
		if data != nil {
			require.NoError(t, npy.Write(filepath.Join(dir, file), []int{1, len(data)}, data))
		}
	}
	for file, tensors := range map[string]map[string]checkpoint.Tensor{"weights.safetensors": m.weights, "grads.safetensors": m.grads} {
		if tensors != nil {
			require.NoError(t, checkpoint.Write(filepath.Join(dir, file), tensors, nil))
		}
	}
	return dir
}

func TestRunFindsMistakes(t *testing.T) {
	good := newMadeUp(t)
	r := Run(good.write(t), Options{})
	require.Equal(t, Passed, r.Status, r.Detail)
	require.Equal(t, "layernorm", r.Op)

	f := func(x ...float32) checkpoint.Tensor { return checkpoint.FromFloat32(x, len(x)) }
	for name, c := range map[string]struct {
		change func(m *madeUp)
		want   string
	}{
		"output":           {func(m *madeUp) { m.y[1] += 1e-4 }, "output output, element 1: 5, want 5.0001"},
		"output's shape":   {func(m *madeUp) { m.y = append(m.y, 1) }, "output output has shape [1 2], want [1 3]"},
		"gradient of w":    {func(m *madeUp) { m.grads["weight"] = f(-1, 2.001) }, "gradient of weight, element 1"},
		"gradient of x":    {func(m *madeUp) { m.gradX[0] = 1 }, "gradient of input x, element 0"},
		"gradient missing": {func(m *madeUp) { delete(m.grads, "bias") }, "gradient of bias is up to 2, the reference has none"},
		"gradient unknown": {func(m *madeUp) { m.grads["gain"] = f(1) }, "grads.safetensors has gain, which the model has not"},
		"trained, says the case not": {func(m *madeUp) {
			delete(m.grads, "bias")
			m.json["params_without_grad"] = []string{"bias"}
		}, "gradient of bias is up to 2"},
		"listed twice":    {func(m *madeUp) { m.json["params_without_grad"] = []string{"bias"} }, "bias is in grads.safetensors and in params_without_grad"},
		"untrained name":  {func(m *madeUp) { m.json["params_without_grad"] = []string{"gain"} }, "params_without_grad has gain"},
		"weight missing":  {func(m *madeUp) { delete(m.weights, "bias") }, "bias"},
		"weight unknown":  {func(m *madeUp) { m.weights["gain"] = f(1) }, "gain"},
		"weights of none": {func(m *madeUp) { m.json["op"], m.json["config"] = "gelu_erf", map[string]any{} }, "weights [bias weight] for a model without tensors"},
		"weight shape":    {func(m *madeUp) { m.weights["bias"] = f(1, 2, 3) }, "bias"},
		"config key":      {func(m *madeUp) { m.json["config"] = map[string]any{"epsilon": 1} }, `config keys ["epsilon"] are not known`},
		"config type":     {func(m *madeUp) { m.json["config"] = map[string]any{"eps": "small"} }, `config key "eps"`},
		"no tolerance":    {func(m *madeUp) { m.json["tolerance"] = map[string]any{} }, "no tolerance for output output"},
		"other tolerance": {func(m *madeUp) { m.json["tolerance"].(map[string]any)["output"] = map[string]any{"near": 1} }, "has none of equal, atol"},
		"input's shape":   {func(m *madeUp) { m.x = []float32{1, 2, 3} }, "input.npy has shape [1 3], case.json says [1 2]"},
		"no input":        {func(m *madeUp) { m.x = nil }, "input.npy"},
		"output unknown": {func(m *madeUp) {
			m.json["outputs"] = []any{map[string]any{"name": "mean", "file": "output_mean.npy"}}
		}, `this module gives no output "mean"`},
		"not a number": {func(m *madeUp) { m.x[0] = float32(nan()) }, "output output, element 0: NaN"},
		"misused": {func(m *madeUp) {
			m.json["weights"] = []any{map[string]any{"name": "weight", "shape": []int{3}}, map[string]any{"name": "bias", "shape": []int{3}}}
			m.weights = map[string]checkpoint.Tensor{"weight": f(1, 2, 3), "bias": f(1, 2, 3)}
		}, "panic: autograd: LayerNorm"},
	} {
		m := newMadeUp(t)
		c.change(m)
		r := Run(m.write(t), Options{})
		require.Equal(t, Failed, r.Status, "%s: %s", name, r.Detail)
		require.Contains(t, r.Detail, c.want, name)
	}
}

func nan() float64 {
	var zero float64
	return zero / zero
}

func TestTolerancesThatCount(t *testing.T) {
	for _, c := range []struct {
		tolerance map[string]any
		off       float32
		want      Status
	}{
		{map[string]any{"equal": true}, 0, Passed},
		{map[string]any{"equal": true}, 1e-6, Failed},
		{map[string]any{"atol": 1e-3}, 0.9e-3, Passed},
		{map[string]any{"atol": 1e-3}, 1.1e-3, Failed},
		{map[string]any{"rel_to_max": 1e-3}, 4.9e-3, Passed},
		{map[string]any{"rel_to_max": 1e-3}, 5.1e-3, Failed},
	} {
		m := newMadeUp(t)
		m.y[0] += c.off
		m.json["tolerance"].(map[string]any)["output"] = c.tolerance
		r := Run(m.write(t), Options{})
		require.Equal(t, c.want, r.Status, "%v %v: %s", c.tolerance, c.off, r.Detail)
	}
}

func TestOutputWithoutCotangent(t *testing.T) {
	m := newMadeUp(t)
	m.cot, m.gradX, m.grads = nil, nil, nil
	r := Run(m.write(t), Options{})
	require.Equal(t, Passed, r.Status, r.Detail)
	m = newMadeUp(t)
	m.cot = nil // its gradients are those of no output
	r = Run(m.write(t), Options{})
	require.Equal(t, Failed, r.Status)
	require.Contains(t, r.Detail, "no cotangent")
}

func TestSampledOutput(t *testing.T) {
	m := newMadeUp(t)
	m.cot, m.gradX, m.grads = nil, nil, nil
	m.y = m.y[:1]
	m.json["notes"] = []string{"output = y[:, ::2] (every other one)"}
	r := Run(m.write(t), Options{})
	require.Equal(t, Passed, r.Status, r.Detail)
	m.y[0] += 1e-3
	require.Equal(t, Failed, Run(m.write(t), Options{}).Status)
}

func TestRunAll(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"b", "a/deep/er", "c"} {
		m := newMadeUp(t)
		m.folder, m.name = root, name
		m.json["name"] = filepath.Base(name)
		switch name {
		case "b":
			m.y[0] = 7
		case "c":
			m.json["op"] = "divination"
		}
		m.write(t)
	}
	require.NoError(t, os.Mkdir(filepath.Join(root, "data"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "data", "list.json"), []byte("{}"), 0o644))
	var got []string
	passed, failed, skipped, err := RunAll(context.Background(), root, Options{}, func(r Result) { got = append(got, r.Name+" "+string(r.Status)) })
	require.NoError(t, err)
	require.Equal(t, []string{"er passed", "b failed", "c skipped"}, got)
	require.Equal(t, []int{1, 1, 1}, []int{passed, failed, skipped})

	ctx, stop := context.WithCancel(context.Background())
	passed, _, _, err = RunAll(ctx, root, Options{}, func(Result) { stop() })
	require.True(t, errors.Is(err, context.Canceled))
	require.Equal(t, 1, passed)
	_, _, _, err = RunAll(context.Background(), filepath.Join(root, "data"), Options{}, func(Result) {})
	require.ErrorContains(t, err, "no case.json in or below")
	_, _, _, err = RunAll(context.Background(), filepath.Join(root, "absent"), Options{}, func(Result) {})
	require.ErrorIs(t, err, os.ErrNotExist)

	bad := filepath.Join(root, "bad")
	require.NoError(t, os.Mkdir(bad, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(bad, "case.json"), []byte("{"), 0o644))
	r := Run(bad, Options{})
	require.Equal(t, Failed, r.Status)
	require.Equal(t, "bad", r.Name)
}

// The rule for numbers made from names, on the first of them worked out with Python's integers.
func TestHashUniform(t *testing.T) {
	x := make([]float64, 4)
	hashUniform(x, "input_851")
	require.Equal(t, []float64{-0.9190963506698608, 0.9504181146621704, -0.9210294485092163, 0.4518914222717285}, x)
}

func TestHashFill(t *testing.T) {
	type layer struct {
		Weight *autograd.Param `param:"weight"`
		Bias   *autograd.Param `param:"bias"`
	}
	m := &struct {
		Conv     layer           `param:"conv"`
		Norm     layer           `param:"norm"`
		Spectral layer           `param:"spectral"`
		Gate     layer           `param:"mlp_skips.0"`
		Token    *autograd.Param `param:"cls_token"`
		Gamma    *autograd.Param `param:"gamma_1"`
		Freq     *autograd.Param `param:"expert_freq"`
		Running  *autograd.Buffer
	}{
		Conv:     layer{autograd.NewParam(4, 3, 2, 2), autograd.NewParam(4)},
		Norm:     layer{autograd.NewParam(4), autograd.NewParam(4)},
		Spectral: layer{autograd.NewComplexParam(5, 3, 2), autograd.NewParam(5, 1, 1)},
		Gate:     layer{Weight: autograd.NewParam(1, 3, 1, 1)},
		Token:    autograd.NewParam(1, 1, 8), Gamma: autograd.NewParam(8), Freq: autograd.NewParam(2), Running: autograd.NewBuffer(1, 3),
	}
	require.NoError(t, hashFill(m, "hash_fill then conv.weight*=0.5 (float32 multiply); expert_freq keeps its values"))
	for name, p := range autograd.Params(m) {
		v := make([]float64, p.Len())
		hashUniform(v, name)
		want := map[string][2]float64{ // mean and spread
			"conv.weight": {0, 0.5 * math.Sqrt(3.0/12)}, "conv.bias": {0, 0.1}, "norm.weight": {1, 0.1}, "norm.bias": {0, 0.1},
			"spectral.weight": {0, math.Sqrt(3.0 / 10)}, "spectral.bias": {0, 0.1}, "mlp_skips.0.weight": {1, 0.1},
			"cls_token": {0, 0.5}, "gamma_1": {0.5, 0.1}, "expert_freq": {0, 0},
		}[name]
		for i := range v {
			require.InDelta(t, want[0]+want[1]*v[i], p.Data[i], 1e-7, name)
		}
	}
	require.Equal(t, []float32{1, 1, 1}, m.Running.Data)
	require.ErrorContains(t, hashFill(m, "hash_fill then deconv.weight*=0.5"), "deconv.weight, which the model has not")
	require.ErrorContains(t, hashFill(m, "xavier"), "want hash_fill")
}

func TestSample(t *testing.T) {
	x := make([]float32, 24)
	for i := range x {
		x[i] = float32(i)
	}
	data, shape := sample(x, []int{2, 3, 4}, []int{1, 2, 3})
	require.Equal(t, []int{2, 2, 2}, shape)
	require.Equal(t, []float32{0, 3, 8, 11, 12, 15, 20, 23}, data)

	c := &testCase{caseFile: caseFile{Notes: []string{"g.npy = grad_input[:, ::2, ::3]", "h.npy = x[1:2]"}}}
	steps, err := c.sampling("g.npy", 3)
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 3}, steps)
	_, err = c.sampling("h.npy", 1)
	require.ErrorContains(t, err, "not understood")
	_, err = c.sampling("i.npy", 1)
	require.ErrorContains(t, err, "no note says")
}

// Every operation refuses a config key that it does not know.
func TestUnknownKeys(t *testing.T) {
	for op, run := range runners {
		c := &testCase{dir: t.TempDir(), caseFile: caseFile{Op: op, Config: json.RawMessage(`{"no_such_key": 1}`)}}
		_, err := guarded(run, c)
		if op == "lr_schedules" || op == "mwt_filters" {
			require.Error(t, err, "they have tables, no config")
			continue
		}
		require.ErrorContains(t, err, "no_such_key", op)
	}
}
