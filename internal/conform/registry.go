package conform

import "github.com/spamoe/spamoe/autograd"

// runners maps the operations of cases to what runs them.
var runners = map[string]runner{
	"attention":            plain(func(in []*value) *value { return autograd.Attention(in[0], in[1], in[2]) }),
	"batch_norm":           differentiable(batchNorm),
	"conv1d":               conv(autograd.Conv1d, false),
	"conv2d":               conv(autograd.Conv2d, false),
	"conv_transpose2d":     conv(autograd.ConvTranspose2d, true),
	"cross_entropy":        differentiable(crossEntropy),
	"gelu_erf":             one(autograd.GELU),
	"gelu_tanh":            one(autograd.GELUTanh),
	"global_avg_pool":      one(autograd.GlobalAvgPool),
	"groupnorm":            differentiable(groupNorm),
	"instancenorm":         differentiable(instanceNorm),
	"interpolate_bicubic":  resize(autograd.InterpolateCubic),
	"interpolate_bilinear": resize(autograd.InterpolateLinear),
	"layernorm":            differentiable(layerNorm),
	"leakyrelu":            differentiable(leakyReLU),
	"matmul_bmm":           plain(func(in []*value) *value { return autograd.MatMul(in[0], in[1]) }),
	"maxpool2d":            differentiable(maxPool),
	"nearest":              differentiable(nearest),
	"pad":                  differentiable(pad),
	"softmax_last":         one(autograd.Softmax),
}
