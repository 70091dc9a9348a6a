package loss_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/loss"
	"github.com/spamoe/spamoe/internal/golden"
	"github.com/spamoe/spamoe/internal/npy"
)

type objective func(pred, target *autograd.Value) *autograd.Value

// pair puts prediction and target of a case on a new tape.
func pair(c *golden.Case) (pred, target *autograd.Value) {
	tape := &autograd.Tape{}
	p, q := c.Input("pred"), c.Input("target")
	return tape.Input(autograd.FromSlice(p.Data, p.Shape...)), tape.Input(autograd.FromSlice(q.Data, q.Shape...))
}

// check holds a loss, and other settings of it that the case has as further outputs, against a case. The gradients are those of
// all outputs together.
func check(t *testing.T, name string, f objective, others map[string]objective) {
	t.Helper()
	c := golden.Load(t, name)
	pred, target := pair(c)
	var seeds []autograd.Seed
	add := func(output string, f objective) {
		y := f(pred, target)
		c.CheckOutput(output, y.Shape, y.Data)
		seeds = append(seeds, autograd.Seed{Value: y, Grad: c.Cotangent(output).Data})
	}
	add("output", f)
	for output, f := range others {
		add(output, f)
	}
	grads := pred.Tape().Backward(seeds...)
	got := map[string][]float32{"grad_input": grads.Wrt(pred).Data}
	if c.Has("grad_input_target.npy") {
		got["grad_input_target"] = grads.Wrt(target).Data
	}
	c.CheckGrads(got)
}

func TestL1L2Golden(t *testing.T) {
	check(t, "loss_l1l2", func(p, q *autograd.Value) *autograd.Value { return loss.L1L2(p, q, 0.6, 0.4) }, nil)
	check(t, "loss_l1l2", func(p, q *autograd.Value) *autograd.Value {
		return autograd.Add(autograd.Scale(loss.L1(p, q), 0.6), autograd.Scale(loss.MSE(p, q), 0.4))
	}, nil)
}

func TestRelativeL2Golden(t *testing.T) {
	check(t, "loss_relativel2", func(p, q *autograd.Value) *autograd.Value { return loss.RelativeL2(p, q, 1e-8) },
		map[string]objective{"persample": func(p, q *autograd.Value) *autograd.Value { return loss.RelativeL2PerSample(p, q, 0) }})
}

func lp(c loss.LpConfig) objective {
	return func(p, q *autograd.Value) *autograd.Value { return loss.Lp(p, q, c) }
}

func TestLpGolden(t *testing.T) {
	check(t, "loss_lp_d2p2", lp(loss.LpConfig{Reduction: loss.SumOf}), map[string]objective{
		"abs":  lp(loss.LpConfig{Reduction: loss.SumOf, Absolute: true}),
		"mean": lp(loss.LpConfig{}),
	})
	// The case's config leaves out that its reduction is the mean and that its domain measures 8: its numbers say so.
	check(t, "loss_lp_d2p1", lp(loss.LpConfig{P: 1}), map[string]objective{
		"abs": lp(loss.LpConfig{P: 1, Absolute: true, Measure: []float64{2, 4}}),
	})
}

func h1(c loss.H1Config) objective {
	return func(p, q *autograd.Value) *autograd.Value { return loss.H1(p, q, c) }
}

func TestH1Golden(t *testing.T) {
	check(t, "loss_h1_d2", h1(loss.H1Config{Reduction: loss.SumOf}), map[string]objective{
		"mean": h1(loss.H1Config{}),
		"abs":  h1(loss.H1Config{Reduction: loss.SumOf, Absolute: true}),
	})
	check(t, "loss_h1_d2_fixbnd", h1(loss.H1Config{Reduction: loss.SumOf, Bounded: [3]bool{true, true}}), nil)
	check(t, "loss_h1_d1", func(p, q *autograd.Value) *autograd.Value {
		top := func(v *autograd.Value) *autograd.Value { return autograd.Narrow(v, 2, 0, 1) }
		return loss.H1(top(p), top(q), loss.H1Config{Axes: 1, Reduction: loss.SumOf})
	}, nil)
}

func TestGradientL1Golden(t *testing.T) {
	for name, c := range map[string]loss.GradientL1Config{
		"loss_gradl1_sobel_replicate_mean": {},
		"loss_gradl1_sobel_zeros_sum":      {Padding: loss.Zeros, Reduction: loss.SumOf},
		"loss_gradl1_scharr_reflect_mean":  {Stencil: loss.Scharr, Padding: loss.Reflect, Dy: 2, Dx: 0.5},
	} {
		check(t, name, func(p, q *autograd.Value) *autograd.Value { return loss.GradientL1(p, q, c) }, nil)
	}
}

func TestSSIMGolden(t *testing.T) {
	check(t, "ssim_diff", func(p, q *autograd.Value) *autograd.Value { return loss.SSIM(p, q, loss.SSIMConfig{}) }, nil)

	c := golden.Load(t, "metrics_seismic")
	p, q := c.Input("pred").Data, c.Input("target").Data
	half := func(x []float32) []float32 {
		y := make([]float32, len(x))
		for i, v := range x {
			y[i] = v/2 + 0.5
		}
		return y
	}
	for i, got := range loss.SSIMOfImages(half(p), half(q), 70, 70, loss.SSIMConfig{}) {
		require.InEpsilon(t, c.Read("output_ssim_per_sample.npy").Data[i], got, 2e-5, "sample %d", i)
	}
}

func TestCrossEntropyGolden(t *testing.T) {
	c := golden.Load(t, "op_cross_entropy")
	labels, _, err := npy.Read[int64](c.Path("input_labels.npy"))
	require.NoError(t, err)
	var class []int
	for _, k := range labels {
		class = append(class, int(k))
	}
	in := c.Input("logits")
	tape := &autograd.Tape{}
	x := tape.Input(autograd.FromSlice(in.Data, in.Shape...))
	y := loss.CrossEntropy(x, class, 0)
	c.CheckOutput("output", y.Shape, y.Data)
	grads := tape.Backward(autograd.Seed{Value: y, Grad: c.Cotangent("output").Data})
	c.CheckGrads(map[string][]float32{"grad_input": grads.Wrt(x).Data})
}
