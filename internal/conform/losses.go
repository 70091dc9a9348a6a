package conform

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/loss"
	"github.com/spamoe/spamoe/fwi"
)

// objective is a loss of a prediction and a target.
type objective func(pred, target *value) *value

// losses is a network that gives one output for each of several settings of a loss.
func losses(list map[string]objective) *network {
	return &network{forward: func(in []*value) (values, error) {
		if len(in) != 2 {
			return nil, fmt.Errorf("%d inputs, want prediction and target", len(in))
		}
		out := values{}
		for name, f := range list {
			out[name] = f(in[0], in[1])
		}
		return out, nil
	}}
}

func l1l2(c *testCase, cfg *config) (*network, error) {
	a, b := key(cfg, "lambda_g1v", 1.0), key(cfg, "lambda_g2v", 1.0)
	return op(func(in []*value) *value { return loss.L1L2(in[0], in[1], a, b) }), nil
}

func relativeL2(c *testCase, cfg *config) (*network, error) {
	eps := key(cfg, "eps", 1e-8)
	return losses(map[string]objective{
		"output":    func(p, q *value) *value { return loss.RelativeL2(p, q, eps) },
		"persample": func(p, q *value) *value { return loss.RelativeL2PerSample(p, q, eps) },
	}), nil
}

// lp has the outputs "output", "mean", which averages whatever the config's reduction, and "abs", without the division by the
// target's norm.
func lp(c *testCase, cfg *config) (*network, error) {
	set := loss.LpConfig{Axes: key(cfg, "d", 1), P: key(cfg, "p", 2), Eps: key(cfg, "eps", 1e-8), Reduction: key(cfg, "reduction", loss.MeanOf)}
	abs, mean := set, set
	abs.Absolute = true
	mean.Reduction = loss.MeanOf
	if !cfg.get("measure", &abs.Measure) && set.P == 1 && set.Axes == 2 {
		// The cases with p = 1 were made on a domain of 2 x 4, which their configs leave out.
		abs.Measure = []float64{2, 4}
	}
	run := func(s loss.LpConfig) objective { return func(p, q *value) *value { return loss.Lp(p, q, s) } }
	return losses(map[string]objective{"output": run(set), "abs": run(abs), "mean": run(mean)}), nil
}

// h1 has the same outputs as lp. With one axis it takes the first row of images.
func h1(c *testCase, cfg *config) (*network, error) {
	set := loss.H1Config{Axes: key(cfg, "d", 1), Reduction: key(cfg, "reduction", loss.MeanOf)}
	set.Bounded = [3]bool{key(cfg, "fix_x_bnd", false), key(cfg, "fix_y_bnd", false), key(cfg, "fix_z_bnd", false)}
	abs, mean := set, set
	abs.Absolute = true
	mean.Reduction = loss.MeanOf
	cfg.get("measure", &abs.Measure)
	run := func(s loss.H1Config) objective {
		return func(p, q *value) *value {
			if s.Axes == 1 && p.Rank() == 4 {
				p, q = autograd.Narrow(p, 2, 0, 1), autograd.Narrow(q, 2, 0, 1)
			}
			return loss.H1(p, q, s)
		}
	}
	return losses(map[string]objective{"output": run(set), "abs": run(abs), "mean": run(mean)}), nil
}

func gradientL1(c *testCase, cfg *config) (*network, error) {
	set := loss.GradientL1Config{Stencil: key(cfg, "kernel", loss.Sobel), Padding: key(cfg, "padding_mode", loss.Replicate), Reduction: key(cfg, "reduction", loss.MeanOf)}
	spacing := key(cfg, "spacing", [2]float64{1, 1})
	set.Dy, set.Dx = spacing[0], spacing[1]
	return op(func(in []*value) *value { return loss.GradientL1(in[0], in[1], set) }), nil
}

func ssim(c *testCase, cfg *config) (*network, error) {
	set := loss.SSIMConfig{Window: key(cfg, "window", 11)}
	return op(func(in []*value) *value { return loss.SSIM(in[0], in[1], set) }), nil
}

// seismic is the loss that SPAMoE trains with, and pdeCombined one for operators: both are what fwi trains with.
func seismic(c *testCase, cfg *config) (*network, error) {
	return trained(fwi.Objective{L1: key(cfg, "lambda_g1v", 0.6), MSE: key(cfg, "lambda_g2v", 0.4),
		Gradient: key(cfg, "lambda_grad_l1", 0.15), Fourier: key(cfg, "lambda_fourier_mag_l1", 0.1)})
}

func pdeCombined(c *testCase, cfg *config) (*network, error) {
	return trained(fwi.Objective{RelativeL2: key(cfg, "lambda_rel", 1.0), Gradient: key(cfg, "lambda_grad", 0.0), Fourier: key(cfg, "lambda_fourier", 0.0)})
}

func trained(o fwi.Objective) (*network, error) {
	return op(func(in []*value) *value { return o.Loss(in[0], in[1]) }), o.Validate()
}
