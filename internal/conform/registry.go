package conform

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/spectral"
)

// runners maps the operations of cases to what runs them.
var runners = map[string]runner{
	"attention":              plain(func(in []*value) *value { return autograd.Attention(in[0], in[1], in[2]) }),
	"batch_norm":             differentiable(batchNorm),
	"channel_mlp":            differentiable(channelMLP),
	"conv1d":                 conv(autograd.Conv1d, false),
	"conv2d":                 conv(autograd.Conv2d, false),
	"conv_transpose2d":       conv(autograd.ConvTranspose2d, true),
	"cross_entropy":          differentiable(crossEntropy),
	"fft2":                   differentiable(fft2),
	"fno1d_fork":             differentiable(fourierOperator),
	"fno2d_fork":             differentiable(fourierOperator),
	"fno3d_fork":             differentiable(fourierOperator),
	"fno_fork":               differentiable(fourierOperator),
	"fno_upstream":           differentiable(fourierOperator),
	"gelu_erf":               one(autograd.GELU),
	"gelu_tanh":              one(autograd.GELUTanh),
	"global_avg_pool":        one(autograd.GlobalAvgPool),
	"grid_embedding":         differentiable(gridEmbedding),
	"groupnorm":              differentiable(groupNorm),
	"instancenorm":           differentiable(instanceNorm),
	"interpolate_bicubic":    resize(autograd.InterpolateCubic),
	"interpolate_bilinear":   resize(autograd.InterpolateLinear),
	"irfft2":                 differentiable(irfft2),
	"layernorm":              differentiable(layerNorm),
	"leakyrelu":              differentiable(leakyReLU),
	"loss_fourier_mag_l1":    differentiable(magnitudeL1),
	"loss_grad_l1":           differentiable(gradientL1),
	"loss_h1":                differentiable(h1),
	"loss_l1l2":              differentiable(l1l2),
	"loss_lp":                differentiable(lp),
	"loss_pde_combined":      differentiable(pdeCombined),
	"loss_relative_l2":       differentiable(relativeL2),
	"loss_seismic":           differentiable(seismic),
	"lr_schedules":           schedules,
	"matmul_bmm":             plain(func(in []*value) *value { return autograd.MatMul(in[0], in[1]) }),
	"maxpool2d":              differentiable(maxPool),
	"metrics":                measures,
	"nearest":                differentiable(nearest),
	"pad":                    differentiable(pad),
	"resample":               differentiable(resample),
	"rfft2":                  differentiable(rfft2),
	"softmax_last":           one(autograd.Softmax),
	"spectral_conv_fork":     spectralConv(spectral.ReferenceDefects()),
	"spectral_conv_upstream": spectralConv(spectral.UpstreamDefects()),
	"ssim":                   differentiable(ssim),
}
