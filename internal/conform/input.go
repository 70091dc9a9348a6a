package conform

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/checkpoint"
)

// readInput returns an input, from its file or by the rule that the config states for inputs without one.
func (c *testCase) readInput(a array, rule string) (*autograd.Tensor, error) {
	if a.File != "" {
		data, shape, err := read[float32](c, a.File, a.Shape)
		if err != nil {
			return nil, err
		}
		return autograd.FromSlice(data, shape...), nil
	}
	m := regexp.MustCompile(`^hash_uniform\('([^']+)', ?`).FindStringSubmatch(rule)
	if m == nil {
		return nil, fmt.Errorf("input %s has no file, and the config's rule for it is %q, want hash_uniform('NAME', ..)", a.Name, rule)
	}
	x := autograd.New(a.Shape...)
	v := make([]float64, x.Len())
	hashUniform(v, m[1])
	for i := range v {
		x.Data[i] = float32(v[i])
	}
	return x, nil
}

// load fills a model with the case's weights, by name and strictly, or by a rule where the config states one.
func (c *testCase) load(model any, rule string) error {
	if rule != "" {
		return hashFill(model, rule)
	}
	n := len(autograd.State(model))
	if !c.has("weights.safetensors") {
		if n > 0 {
			return fmt.Errorf("the case has no weights.safetensors for the model's %d tensors", n)
		}
		return nil
	}
	file, err := checkpoint.Read(c.path("weights.safetensors"))
	if err != nil {
		return err
	}
	if n == 0 {
		if names := file.Names(); len(names) > 0 {
			return fmt.Errorf("the case has weights %v for a model without tensors", names)
		}
		return nil
	}
	return checkpoint.LoadParams(file, model)
}

// ints returns an input of integers.
func (c *testCase) ints(name string) ([]int, error) {
	a, err := c.input(name)
	if err != nil {
		return nil, err
	}
	data, _, err := read[int64](c, a.File, a.Shape)
	out := make([]int, len(data))
	for i, v := range data {
		out[i] = int(v)
	}
	return out, err
}

// sampled reports whether a note says that the case holds a part of an array only.
func (c *testCase) sampled(name string) bool {
	return slices.ContainsFunc(c.Notes, func(note string) bool {
		return regexp.MustCompile(`^` + regexp.QuoteMeta(name) + ` = \w+\[`).MatchString(note)
	})
}

// sampling returns the steps along each axis by which a file or output holds a part of an array. A note says so in Python's notation:
// "grad_input_sample.npy = grad_input[:, :, ::20, ::7]".
func (c *testCase) sampling(name string, rank int) ([]int, error) {
	for _, note := range c.Notes {
		rest, ok := strings.CutPrefix(note, name+" = ")
		if !ok {
			continue
		}
		m := regexp.MustCompile(`^\w+\[([:\d, ]+)\]`).FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("note %q is not understood", note)
		}
		steps := slices.Repeat([]int{1}, rank)
		for i, part := range strings.Split(m[1], ",") {
			part = strings.TrimSpace(part)
			if part == ":" {
				continue
			}
			n, err := strconv.Atoi(strings.TrimPrefix(part, "::"))
			if err != nil || n < 1 || i >= rank || !strings.HasPrefix(part, "::") {
				return nil, fmt.Errorf("note %q is not understood", note)
			}
			steps[i] = n
		}
		return steps, nil
	}
	return nil, fmt.Errorf("no note says what part %s holds", name)
}

// sample takes every steps[i]-th element along axis i of x.
func sample(x []float32, shape, steps []int) (data []float32, size []int) {
	at := []int{0}
	n := len(x)
	for i, s := range shape {
		n /= s
		size = append(size, (s+steps[i]-1)/steps[i])
		var next []int
		for _, o := range at {
			for k := 0; k < s; k += steps[i] {
				next = append(next, o+k*n)
			}
		}
		at = next
	}
	for _, o := range at {
		data = append(data, x[o])
	}
	return data, size
}
