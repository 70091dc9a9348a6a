package conform

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/loss"
)

// affine is the weight and bias of an operation that has no layer of its own.
type affine struct {
	Weight *autograd.Param `param:"weight"`
	Bias   *autograd.Param `param:"bias"`
}

// affine returns a weight and a bias of the shapes that the case has; each may be absent.
func (c *testCase) affine() *affine {
	a := &affine{}
	if s := c.weight("weight"); s != nil {
		a.Weight = autograd.NewParam(s...)
	}
	if s := c.weight("bias"); s != nil {
		a.Bias = autograd.NewParam(s...)
	}
	return a
}

// on returns weight and bias as values on the tape of x, nil where absent.
func (a *affine) on(x *value) (w, b *value) {
	if a.Weight != nil {
		w = x.Tape().Param(a.Weight)
	}
	if a.Bias != nil {
		b = x.Tape().Param(a.Bias)
	}
	return w, b
}

// weighted is a network of one input with weight and bias.
func (c *testCase) weighted(f func(x, w, b *value) *value) *network {
	a := c.affine()
	n := op(func(in []*value) *value {
		w, b := a.on(in[0])
		return f(in[0], w, b)
	})
	n.model = a
	return n
}

func conv(f func(x, w, b *value, o autograd.ConvOptions) *value, transposed bool) runner {
	return differentiable(func(c *testCase, cfg *config) (*network, error) {
		o := autograd.ConvOptions{Stride: cfg.pair("stride", 1), Padding: cfg.pair("padding", 0), Dilation: cfg.pair("dilation", 1), Groups: key(cfg, "groups", 1)}
		if transposed {
			o.OutputPadding = cfg.pair("output_padding", 0)
		}
		if c.weight("weight") == nil {
			return nil, fmt.Errorf("case.json lists no weight")
		}
		return c.weighted(func(x, w, b *value) *value { return f(x, w, b, o) }), nil
	})
}

// plain is an operation without config.
func plain(f func(in []*value) *value) runner {
	return differentiable(func(*testCase, *config) (*network, error) { return op(f), nil })
}

// one is an operation of one input without config.
func one(f func(x *value) *value) runner { return plain(func(in []*value) *value { return f(in[0]) }) }

func resize(mode autograd.InterpolationMode) runner {
	return differentiable(func(c *testCase, cfg *config) (*network, error) {
		size, align := key(cfg, "size", []int(nil)), key(cfg, "align_corners", false)
		if size == nil {
			return nil, fmt.Errorf("config has no size")
		}
		return op(func(in []*value) *value {
			return autograd.Resize(in[0], size, autograd.Interpolation{Mode: mode, AlignCorners: align})
		}), nil
	})
}

// nearest repeats points by a factor, so that every size becomes a whole number, or to a size.
func nearest(c *testCase, cfg *config) (*network, error) {
	size := key(cfg, "size", []int(nil))
	factor := key(cfg, "scale", 1.0)
	x, err := c.input("x")
	if err != nil {
		return nil, err
	}
	if size == nil {
		for _, n := range x.Shape[min(2, len(x.Shape)):] {
			m := int(float64(n) * factor)
			if float64(m) != float64(n)*factor {
				return nil, fmt.Errorf("config's scale %v makes %d points %v, not a whole number", factor, n, float64(n)*factor)
			}
			size = append(size, m)
		}
	}
	return op(func(in []*value) *value { return autograd.Resize(in[0], size, autograd.Interpolation{}) }), nil
}

var padModes = map[string]autograd.PadMode{
	"constant": autograd.PadZeros, "zeros": autograd.PadZeros, "reflect": autograd.PadReflect, "replicate": autograd.PadReplicate, "circular": autograd.PadCircular,
}

func pad(c *testCase, cfg *config) (*network, error) {
	pads, name := key(cfg, "pad", []int(nil)), key(cfg, "mode", "constant")
	mode, ok := padModes[name]
	if !ok {
		return nil, fmt.Errorf("config's mode %q is not one of constant, zeros, reflect, replicate, circular", name)
	}
	return op(func(in []*value) *value { return autograd.Pad(in[0], pads, mode) }), nil
}

// batchNorm has running statistics only where the case has.
func batchNorm(c *testCase, cfg *config) (*network, error) {
	eps, momentum, train := key(cfg, "eps", float32(1e-5)), key(cfg, "momentum", float32(0.1)), key(cfg, "training", false)
	m := &struct {
		affine
		Mean     *autograd.Buffer `param:"running_mean"`
		Variance *autograd.Buffer `param:"running_var"`
		Counter  *autograd.Buffer `param:"num_batches_tracked"`
	}{affine: *c.affine()}
	if s := c.weight("running_mean"); s != nil {
		m.Mean, m.Variance = autograd.NewBuffer(0, s...), autograd.NewBuffer(1, s...)
	}
	if s := c.weight("num_batches_tracked"); s != nil {
		m.Counter = autograd.NewCounter(s...)
	}
	n := op(func(in []*value) *value {
		w, b := m.on(in[0])
		return autograd.BatchNorm(in[0], w, b, m.Mean, m.Variance, m.Counter, momentum, eps)
	})
	n.model, n.train = m, train
	return n, nil
}

func layerNorm(c *testCase, cfg *config) (*network, error) {
	eps := key(cfg, "eps", float32(1e-5))
	return c.weighted(func(x, w, b *value) *value { return autograd.LayerNorm(x, w, b, eps) }), nil
}

func groupNorm(c *testCase, cfg *config) (*network, error) {
	groups, eps := key(cfg, "groups", 1), key(cfg, "eps", float32(1e-5))
	return c.weighted(func(x, w, b *value) *value { return autograd.GroupNorm(x, groups, w, b, eps) }), nil
}

func instanceNorm(c *testCase, cfg *config) (*network, error) {
	eps := key(cfg, "eps", float32(1e-5))
	return op(func(in []*value) *value { return autograd.InstanceNorm(in[0], eps) }), nil
}

func leakyReLU(c *testCase, cfg *config) (*network, error) {
	slope := key(cfg, "negative_slope", float32(0.01))
	return op(func(in []*value) *value { return autograd.LeakyReLU(in[0], slope) }), nil
}

func maxPool(c *testCase, cfg *config) (*network, error) {
	size := cfg.pair("k", 0)
	stride, padding := cfg.pair("s", 0), cfg.pair("p", 0)
	if stride == [2]int{} {
		stride = size
	}
	return op(func(in []*value) *value { return autograd.MaxPool2d(in[0], size, stride, padding) }), nil
}

func crossEntropy(c *testCase, cfg *config) (*network, error) {
	labels, err := c.ints("labels")
	return op(func(in []*value) *value { return loss.CrossEntropy(in[0], labels, 0) }), err
}
