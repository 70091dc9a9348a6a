package conform

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spamoe/spamoe/internal/npy"
)

// testCase is one folder.
type testCase struct {
	dir  string
	bf16 bool // see BFloat16
	caseFile
}

// caseFile is what case.json holds, as far as it is used.
type caseFile struct {
	Name              string
	Op                string
	Config            json.RawMessage
	Inputs, Outputs   []array
	Weights           []array
	Notes             []string
	Tolerance         map[string]json.RawMessage
	ParamsWithoutGrad []string `json:"params_without_grad"`
	Table             json.RawMessage
	Log               []logLine `json:"log_f64"`
}

// array describes a file of a case.
type array struct {
	Name    string
	File    string // empty where the data are made by a rule
	Shape   []int
	DType   string
	Complex bool `json:"complex_as_trailing_2"`
}

func readCase(dir string) (*testCase, error) {
	text, err := os.ReadFile(filepath.Join(dir, "case.json"))
	if err != nil {
		return nil, err
	}
	c := &testCase{dir: dir}
	if err := json.Unmarshal(text, &c.caseFile); err != nil {
		return nil, fmt.Errorf("case.json: %w", err)
	}
	if c.Op == "" {
		return nil, fmt.Errorf("case.json names no op")
	}
	return c, nil
}

// has reports whether the folder holds a file.
func (c *testCase) has(file string) bool {
	_, err := os.Stat(filepath.Join(c.dir, file))
	return err == nil
}

func (c *testCase) path(file string) string { return filepath.Join(c.dir, file) }

// input returns the description of an input.
func (c *testCase) input(name string) (array, error) {
	i := slices.IndexFunc(c.Inputs, func(a array) bool { return a.Name == name })
	if i < 0 {
		return array{}, fmt.Errorf("case.json lists no input %q", name)
	}
	return c.Inputs[i], nil
}

// weight returns the shape of a weight, nil where the case has none of that name.
func (c *testCase) weight(name string) []int {
	i := slices.IndexFunc(c.Weights, func(a array) bool { return a.Name == name })
	if i < 0 {
		return nil
	}
	return c.Weights[i].Shape
}

// read reads an array and checks its shape, where one is given.
func read[T float32 | float64 | int64](c *testCase, file string, shape []int) ([]T, []int, error) {
	data, got, err := npy.Read[T](c.path(file))
	if err == nil && shape != nil && !slices.Equal(got, shape) {
		err = fmt.Errorf("%s has shape %v, case.json says %v", file, got, shape)
	}
	return data, got, err
}

// beside is the file of another kind that belongs to an input or output: "output_w.npy" has the cotangent "cotangent_w.npy".
func beside(file, stem, other string) string { return other + strings.TrimPrefix(file, stem) }
