package spectral_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/golden"
	"github.com/spamoe/spamoe/internal/reference"
	"github.com/spamoe/spamoe/spectral"
)

func tensor(g golden.Tensor) *autograd.Tensor { return autograd.FromSlice(g.Data, g.Shape...) }

// conv runs a case of a spectral convolution: channels-first data, a layer that has them last.
func conv(t *testing.T, name string, defects spectral.Defects) {
	t.Helper()
	c := golden.Load(t, name)
	var ref reference.SpectralConv
	c.Config(&ref)
	layer, err := spectral.NewConv(ref.Config(defects), nil)
	require.NoError(t, err)
	weights := c.Weights()
	n := 0
	for name, p := range autograd.Params(layer) {
		require.Equal(t, weights[name].Shape, p.Shape, name)
		copy(p.Data, weights[name].Data)
		n++
	}
	require.Equal(t, len(weights), n)
	tape := &autograd.Tape{}
	x := tape.Input(tensor(c.Input("x")))
	d := len(ref.NModes)
	first, last := make([]int, 0, d+3), []int{0}
	for i := range d {
		last = append(last, 2+i)
	}
	last = append(last, 1)
	first = append(first, 0, d+1)
	for i := range d {
		first = append(first, 1+i)
	}
	if ref.ComplexData {
		first, last = append(first, d+2), append(last, d+2)
	}
	h := autograd.Permute(x, last...)
	if ref.Forward.OutputShape != nil {
		h = layer.ForwardTo(h, ref.Forward.OutputShape...)
	} else {
		h = layer.Forward(h)
	}
	y := autograd.Permute(h, first...)
	c.CheckOutput("output", y.Shape, y.Data)
	grads := tape.Backward(autograd.Seed{Value: y, Grad: c.Cotangent("output").Data})
	got := map[string][]float32{"grad_input": grads.Wrt(x).Data}
	for name, p := range autograd.Params(layer) {
		got[name] = grads.Of(p).Data
	}
	c.CheckGrads(got)
}

func TestGoldenReferenceConv(t *testing.T) {
	for _, name := range []string{"1d_even", "1d_odd", "2d_70", "2d_backward", "2d_complex", "2d_even", "2d_modes_gt_grid",
		"2d_nobias_maxmodes", "2d_odd_grid", "2d_odd_modes", "2d_ortho", "2d_output_shape", "2d_scale2", "2d_separable", "3d"} {
		t.Run(name, func(t *testing.T) { conv(t, "spectralconv"+name, spectral.ReferenceDefects()) })
	}
}

func TestGoldenUpstreamConv(t *testing.T) {
	for _, name := range []string{"2d", "2d_nyquist", "3d"} {
		t.Run(name, func(t *testing.T) { conv(t, "upstream_spectralconv"+name, spectral.UpstreamDefects()) })
	}
}

func checkOp(t *testing.T, c *golden.Case, inputs []string, f func(x []*autograd.Value) *autograd.Value) {
	t.Helper()
	tape := &autograd.Tape{}
	var x []*autograd.Value
	for _, name := range inputs {
		x = append(x, tape.Input(tensor(c.Input(name))))
	}
	y := f(x)
	c.CheckOutput("output", y.Shape, y.Data)
	grads := tape.Backward(autograd.Seed{Value: y, Grad: c.Cotangent("output").Data})
	got := map[string][]float32{}
	for i, name := range inputs {
		key := "grad_input_" + name
		if i == 0 {
			key = "grad_input"
		}
		if c.Has(key + ".npy") {
			got[key] = grads.Wrt(x[i]).Data
		}
	}
	c.CheckGrads(got)
}

func TestGoldenTransforms(t *testing.T) {
	x := []string{"x"}
	checkOp(t, golden.Load(t, "op_fft2"), x, func(x []*autograd.Value) *autograd.Value {
		return spectral.FFT(spectral.ToComplex(x[0]), 2, spectral.NormBackward)
	})
	checkOp(t, golden.Load(t, "op_rfft2"), x, func(x []*autograd.Value) *autograd.Value {
		return spectral.RFFT(x[0], 2, spectral.NormForward)
	})
	checkOp(t, golden.Load(t, "op_irfft2"), x, func(x []*autograd.Value) *autograd.Value {
		return spectral.IRFFT(x[0], []int{8, 12}, spectral.NormForward)
	})
}

func TestGoldenResample(t *testing.T) {
	for _, name := range []string{"resample_1d_2", "resample_2d_0", "resample_2d_1", "resample_3d_3"} {
		c := golden.Load(t, name)
		var ref struct {
			Size []int `json:"output_shape"`
		}
		c.Config(&ref)
		checkOp(t, c, []string{"x"}, func(x []*autograd.Value) *autograd.Value {
			return spectral.UpstreamDefects().Resample(x[0], ref.Size...)
		})
	}
}

func TestGoldenMagnitudeL1(t *testing.T) {
	for name, loss := range map[string]spectral.MagnitudeL1{
		"loss_fouriermag_default":       {},
		"loss_fouriermag_backward_norm": {Norm: spectral.NormBackward, Gamma: 0.5},
		"loss_fouriermag_nowin_gamma":   {NoWindow: true, Gamma: 1.5},
	} {
		checkOp(t, golden.Load(t, name), []string{"pred", "target"}, func(x []*autograd.Value) *autograd.Value {
			return loss.Loss(x[0], x[1])
		})
	}
}
