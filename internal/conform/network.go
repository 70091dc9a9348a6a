package conform

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/internal/npy"
)

type (
	value  = autograd.Value
	values = map[string]*value
)

// network is an operation with gradients, built for a case.
type network struct {
	model   any // its parameters and buffers have the names of the case's weights; nil where it has none
	train   bool
	forward func(in []*value) (out values, err error) // in has the inputs of the case that are no integers, in its order
	// arrays returns outputs without gradients after the forward pass: integers and such.
	arrays func(name string) (shape []int, data []float64, ok bool)
}

// op returns a network without weights whose only output is f of its inputs.
func op(f func(in []*value) *value) *network {
	return &network{forward: func(in []*value) (values, error) { return values{"output": f(in)}, nil }}
}

// differentiable turns a way to build a network from a config into a runner: load the weights, run forward and backward,
// compare.
func differentiable(build func(c *testCase, cfg *config) (*network, error)) runner {
	return func(c *testCase) (string, error) {
		cfg := newConfig(c.Config)
		scale, shift := key(cfg, "input_scale", float32(1)), key(cfg, "input_shift", float32(0))
		inputRule, weightRule := key(cfg, "input", ""), key(cfg, "weights", "")
		n, err := build(c, cfg)
		// A key that is unknown or wrong comes first: it may be why the operation could not be built.
		if err := cmp.Or(cfg.done(), err); err != nil {
			return "", err
		}
		if err := c.load(n.model, weightRule); err != nil {
			return "", err
		}
		tape := &autograd.Tape{Train: n.train, BFloat16: c.bf16, Rand: rand.New(rand.NewPCG(1, 2))}
		leaves := values{}
		var in []*value
		for i, a := range c.Inputs {
			if a.DType == "int64" {
				continue
			}
			x, err := c.readInput(a, inputRule)
			if err != nil {
				return "", err
			}
			v := tape.Input(x)
			leaves[a.Name] = v
			if i == 0 && (scale != 1 || shift != 0) {
				v = autograd.AddScalar(autograd.Scale(v, scale), shift)
			}
			in = append(in, v)
		}
		out, err := n.forward(in)
		if err != nil {
			return "", err
		}
		return c.compare(n, tape, leaves, out)
	}
}

// compare holds outputs and gradients against the case.
func (c *testCase) compare(n *network, tape *autograd.Tape, leaves, out values) (string, error) {
	worst := 0.0
	var seeds []autograd.Seed
	for _, o := range c.Outputs {
		var e float64
		var err error
		if v, ok := out[o.Name]; ok {
			data, shape := v.Data, v.Shape
			if c.sampled(o.Name) {
				var steps []int
				if steps, err = c.sampling(o.Name, len(shape)); err != nil {
					return "", err
				}
				data, shape = sample(data, shape, steps)
			}
			e, err = c.checkOutput(o, shape, func(i int) float64 { return float64(data[i]) })
			if file := beside(o.File, "output", "cotangent"); err == nil && c.has(file) {
				var seed []float32
				seed, _, err = read[float32](c, file, v.Shape)
				seeds = append(seeds, autograd.Seed{Value: v, Grad: seed})
			}
		} else if shape, data, ok := n.array(o.Name); ok {
			e, err = c.checkOutput(o, shape, func(i int) float64 { return data[i] })
		} else {
			err = fmt.Errorf("this module gives no output %q", o.Name)
		}
		if err != nil {
			return "", err
		}
		worst = max(worst, e)
	}
	detail := fmt.Sprintf("outputs within %.2g of the tolerance", worst)
	if c.bf16 {
		detail = fmt.Sprintf("outputs off by %.2g of their size", worst)
	}
	if len(seeds) == 0 {
		if c.has("grads.safetensors") || c.has("grad_input.npy") {
			return "", fmt.Errorf("the case has gradients and no cotangent")
		}
		return detail, nil
	}
	list, err := c.gradients(n.model, leaves, tape.Backward(seeds...))
	if err != nil {
		return "", err
	}
	if c.bf16 {
		worst, err = c.gradientDeviation(list)
		return fmt.Sprintf("%s, %d gradients by %.2g", detail, len(list), worst), err
	}
	worst, err = c.checkGradients(list)
	return fmt.Sprintf("%s, %d gradients within %.2g", detail, len(list), worst), err
}

func (n *network) array(name string) (shape []int, data []float64, ok bool) {
	if n.arrays == nil {
		return nil, nil, false
	}
	return n.arrays(name)
}

// gradients lists the gradients that the case has, each with the one found.
func (c *testCase) gradients(model any, leaves values, grads *autograd.Grads) ([]gradient, error) {
	var list []gradient
	for _, a := range c.Inputs {
		v, ok := leaves[a.Name]
		if !ok {
			continue
		}
		g, err := c.inputGradient(a, grads.Wrt(v), v.Shape)
		if err != nil {
			return nil, err
		}
		if g != nil {
			list = append(list, *g)
		}
	}
	params := map[string]*autograd.Param{}
	for _, e := range autograd.State(model) {
		if e.Param != nil {
			params[e.Name] = e.Param
		}
	}
	known := map[*autograd.Param]bool{}
	if c.has("grads.safetensors") {
		file, err := checkpoint.Read(c.path("grads.safetensors"))
		if err != nil {
			return nil, err
		}
		for _, name := range file.Names() {
			want, _ := file.Tensor(name)
			p, ok := params[name]
			if !ok {
				return nil, fmt.Errorf("grads.safetensors has %s, which the model has not", name)
			}
			if !slices.Equal(p.Shape, want.Shape) {
				return nil, fmt.Errorf("grads.safetensors has %s of shape %v, the model of %v", name, want.Shape, p.Shape)
			}
			known[p] = true
			list = append(list, gradient{name, dataOf(grads.Of(p)), want.Float32()})
		}
	}
	for _, name := range c.ParamsWithoutGrad {
		p, ok := params[name]
		switch {
		case !ok:
			return nil, fmt.Errorf("params_without_grad has %s, which the model has not", name)
		case known[p]:
			return nil, fmt.Errorf("%s is in grads.safetensors and in params_without_grad", name)
		}
	}
	for name, p := range autograd.Params(model) {
		if g := dataOf(grads.Of(p)); !known[p] && maxAbs(g) != 0 {
			return nil, fmt.Errorf("gradient of %s is up to %g, the reference has none", name, maxAbs(g))
		}
	}
	return list, nil
}

// inputGradient pairs the gradient of an input with the reference's, whole or a sample of it; nil where the case has none.
func (c *testCase) inputGradient(a array, got *autograd.Tensor, shape []int) (*gradient, error) {
	stem := "grad_input"
	if a.File != "" {
		stem = beside(a.File[:len(a.File)-len(".npy")], "input", stem)
	}
	if c.has(stem + ".npy") {
		want, _, err := read[float32](c, stem+".npy", shape)
		return &gradient{"input " + a.Name, dataOf(got), want}, err
	}
	if !c.has(stem + "_sample.npy") {
		return nil, nil
	}
	want, size, err := npy.Read[float32](c.path(stem + "_sample.npy"))
	if err != nil {
		return nil, err
	}
	steps, err := c.sampling(stem+"_sample.npy", len(shape))
	if err != nil {
		return nil, err
	}
	g := autograd.New(shape...)
	if got != nil {
		g = got
	}
	sampled, sampledShape := sample(g.Data, shape, steps)
	if !slices.Equal(sampledShape, size) {
		return nil, fmt.Errorf("%s_sample.npy has shape %v, want %v", stem, size, sampledShape)
	}
	return &gradient{"input " + a.Name, sampled, want}, nil
}

func dataOf(t *autograd.Tensor) []float32 {
	if t == nil {
		return nil
	}
	return t.Data
}
