// Package golden reads the cases in shared/golden, made with the reference implementations, and holds results against them.
// It knows plain slices only, so that the tests of any package may use it.
package golden

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/npy"
	"github.com/spamoe/spamoe/internal/testdata"
)

// Tensor is what a file of a case holds: row-major data and its shape.
type Tensor struct {
	Shape []int
	Data  []float32
}

// Case is one folder of shared/golden.
type Case struct {
	Name    string
	t       testing.TB
	dir     string
	config  json.RawMessage
	inputs  map[string]string // file of each input
	outputs []string
	tol     map[string]tolerance
	raw     json.RawMessage
}

// tolerance is how far an output, or all gradients, may be off.
type tolerance struct {
	Atol float64 `json:"suggest_atol_vs_f64"`
	Rtol float64 `json:"suggest_rtol"`
	Grad float64 `json:"suggest_rel_tol_floored"`
}

// Load reads the case.json of a case and skips the test where the golden cases are absent.
func Load(t testing.TB, name string) *Case {
	t.Helper()
	c := &Case{Name: name, t: t, dir: testdata.Shared(t, "golden", name), inputs: map[string]string{}, tol: map[string]tolerance{}}
	text, err := os.ReadFile(filepath.Join(c.dir, "case.json"))
	require.NoError(t, err)
	var file struct {
		Config          json.RawMessage
		Inputs, Outputs []struct{ Name, File string }
		Tolerance       map[string]json.RawMessage
	}
	require.NoError(t, json.Unmarshal(text, &file))
	c.config, c.raw = file.Config, text
	for _, in := range file.Inputs {
		c.inputs[in.Name] = in.File
	}
	for _, out := range file.Outputs {
		c.outputs = append(c.outputs, out.Name)
	}
	for k, v := range file.Tolerance {
		var tol tolerance
		if json.Unmarshal(v, &tol) == nil {
			c.tol[k] = tol
		}
	}
	return c
}

// Config decodes the case's config into dst.
func (c *Case) Config(dst any) {
	c.t.Helper()
	require.NoError(c.t, json.Unmarshal(c.config, dst), c.Name)
}

// Decode decodes the whole case.json into dst, for the cases that carry tables or tolerances of their own.
func (c *Case) Decode(dst any) {
	c.t.Helper()
	require.NoError(c.t, json.Unmarshal(c.raw, dst), c.Name)
}

// Has reports whether the case holds a file.
func (c *Case) Has(file string) bool {
	_, err := os.Stat(filepath.Join(c.dir, file))
	return err == nil
}

// Path returns the path of a file of the case.
func (c *Case) Path(file string) string { return filepath.Join(c.dir, file) }

// Read returns a .npy file of the case as float32.
func (c *Case) Read(file string) Tensor {
	c.t.Helper()
	data, shape, err := npy.Read[float32](c.Path(file))
	require.NoError(c.t, err, c.Name)
	return Tensor{shape, data}
}

// Input returns an input by its name, "x" mostly.
func (c *Case) Input(name string) Tensor {
	c.t.Helper()
	require.Contains(c.t, c.inputs, name, c.Name)
	return c.Read(c.inputs[name])
}

// Cotangent returns the gradient of the case's loss with respect to an output. The main output is called "output".
func (c *Case) Cotangent(output string) Tensor { return c.Read(suffixed("cotangent", output)) }

// suffixed is the name of the file of an output: the main one has no suffix.
func suffixed(stem, output string) string {
	if output != "output" {
		stem += "_" + output
	}
	return stem + ".npy"
}

// Weights returns the state_dict before the forward pass.
func (c *Case) Weights() map[string]Tensor { return c.Safetensors("weights.safetensors") }

// Grads returns the gradients of the parameters.
func (c *Case) Grads() map[string]Tensor { return c.Safetensors("grads.safetensors") }

// Safetensors returns the float32 tensors of a .safetensors file of the case. The reader is independent of package checkpoint,
// whose tests it serves as well.
func (c *Case) Safetensors(file string) map[string]Tensor {
	c.t.Helper()
	b, err := os.ReadFile(c.Path(file))
	require.NoError(c.t, err, c.Name)
	n := binary.LittleEndian.Uint64(b)
	var header map[string]struct {
		Dtype   string
		Shape   []int
		Offsets [2]int `json:"data_offsets"`
	}
	require.NoError(c.t, json.Unmarshal(b[8:8+n], &header), c.Name)
	b = b[8+n:]
	out := map[string]Tensor{}
	for name, h := range header {
		if h.Dtype != "F32" {
			continue
		}
		raw := b[h.Offsets[0]:h.Offsets[1]]
		data := make([]float32, len(raw)/4)
		for i := range data {
			data[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		out[name] = Tensor{h.Shape, data}
	}
	return out
}

// CheckOutput holds an output against output64 (or output where there is none): |got - want| <= atol + rtol |want|.
func (c *Case) CheckOutput(output string, shape []int, got []float32) {
	c.t.Helper()
	file := suffixed("output64", output)
	if !c.Has(file) {
		file = suffixed("output", output)
	}
	want, size, err := npy.Read[float64](c.Path(file))
	require.NoError(c.t, err, c.Name)
	require.Equal(c.t, len(want), len(got), "%s: %s has shape %v, want %v", c.Name, output, shape, size)
	if shape != nil {
		require.Equal(c.t, append([]int{}, size...), append([]int{}, shape...), "%s: shape of %s", c.Name, output)
	}
	tol := c.tol[output]
	require.Positive(c.t, tol.Atol+tol.Rtol, "%s: no tolerance for %s", c.Name, output)
	worst, at := 0.0, 0
	for i, w := range want {
		e := math.Abs(float64(got[i])-w) / (tol.Atol + tol.Rtol*math.Abs(w))
		if !(e <= worst) {
			worst, at = e, i
		}
	}
	require.LessOrEqual(c.t, worst, 1.0, "%s: %s[%d] is %v, want %v", c.Name, output, at, got[at], want[at])
}

// CheckGrads holds gradients against those of the case: for every tensor the largest error over the largest gradient of that
// tensor, or over a hundredth of the largest of the case where that is more. Inputs have their file's name: "grad_input" and
// "grad_input_NAME"; parameters that of the state_dict. All gradients of the case must be there.
func (c *Case) CheckGrads(got map[string][]float32) {
	c.t.Helper()
	want := map[string][]float32{}
	if c.Has("grads.safetensors") {
		for name, g := range c.Grads() {
			want[name] = g.Data
		}
	}
	files, err := filepath.Glob(c.Path("grad_input*.npy"))
	require.NoError(c.t, err)
	for _, f := range files {
		name := filepath.Base(f)
		want[name[:len(name)-len(".npy")]] = c.Read(name).Data
	}
	require.NotEmpty(c.t, want, "%s has no gradients", c.Name)
	largest := 0.0
	for _, w := range want {
		largest = max(largest, maxAbs(w))
	}
	tol := c.tol["grad"].Grad
	require.Positive(c.t, tol, "%s: no tolerance for gradients", c.Name)
	for name, w := range want {
		g, ok := got[name]
		require.True(c.t, ok, "%s: no gradient of %s", c.Name, name)
		require.Len(c.t, g, len(w), "%s: gradient of %s", c.Name, name)
		worst := 0.0
		for i := range w {
			if e := math.Abs(float64(g[i]) - float64(w[i])); !(e <= worst) {
				worst = e
			}
		}
		scale := max(maxAbs(w), 0.01*largest)
		require.LessOrEqual(c.t, worst, tol*scale, "%s: gradient of %s, relative to %g", c.Name, name, scale)
	}
}

func maxAbs(x []float32) float64 {
	m := 0.0
	for _, v := range x {
		m = max(m, math.Abs(float64(v)))
	}
	return m
}
