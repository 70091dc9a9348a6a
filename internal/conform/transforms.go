package conform

import (
	"fmt"

	"github.com/spamoe/spamoe/spectral"
)

// norm reads a name of a transform's scaling; null is PyTorch's default.
func norm(cfg *config, name string, otherwise spectral.Norm) spectral.Norm {
	if raw, ok := cfg.raw[name]; ok && string(raw) == "null" {
		otherwise = spectral.NormBackward
	}
	n := key(cfg, name, otherwise)
	if n != spectral.NormForward && n != spectral.NormOrtho && n != spectral.NormBackward && cfg.err == nil {
		cfg.err = fmt.Errorf("config key %q is %q, want one of forward, ortho, backward", name, n)
	}
	return n
}

// complexInput reports whether the first input of a case is complex.
func (c *testCase) complexInput() bool { return len(c.Inputs) > 0 && c.Inputs[0].Complex }

func fft2(c *testCase, cfg *config) (*network, error) {
	scale := norm(cfg, "norm", spectral.NormBackward)
	return op(func(in []*value) *value {
		x := in[0]
		if !c.complexInput() {
			x = spectral.ToComplex(x)
		}
		return spectral.FFT(x, 2, scale)
	}), nil
}

func rfft2(c *testCase, cfg *config) (*network, error) {
	scale := norm(cfg, "norm", spectral.NormBackward)
	return op(func(in []*value) *value { return spectral.RFFT(in[0], 2, scale) }), nil
}

func irfft2(c *testCase, cfg *config) (*network, error) {
	scale, size := norm(cfg, "norm", spectral.NormBackward), key(cfg, "s", []int(nil))
	if len(size) != 2 {
		return nil, fmt.Errorf("config's s is %v, want the two sizes of the result", size)
	}
	return op(func(in []*value) *value { return spectral.IRFFT(in[0], size, scale) }), nil
}

func resample(c *testCase, cfg *config) (*network, error) {
	size := key(cfg, "output_shape", []int(nil))
	return op(func(in []*value) *value { return spectral.ReferenceDefects().Resample(in[0], size...) }), nil
}

func magnitudeL1(c *testCase, cfg *config) (*network, error) {
	set := spectral.MagnitudeL1{NoWindow: !key(cfg, "use_window", true), Norm: norm(cfg, "fft_norm", spectral.NormOrtho), Gamma: key(cfg, "highfreq_gamma", 0.0)}
	return op(func(in []*value) *value { return set.Loss(in[0], in[1]) }), nil
}
