package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/steady"
)

// Kernels allocate nothing once they have run, on sizes that are cut into several chunks.
func TestKernelsDoNotAllocate(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const rows, n = 1024, 96
	x, y, z := normals[float32](rng, rows*n), normals[float32](rng, rows*n), normals[float32](rng, rows*n)
	v, w, short := normals[float32](rng, n), normals[float32](rng, n), normals[float32](rng, rows)
	mean, rstd := normals[float32](rng, rows), normals[float32](rng, rows)
	conv := ConvShape{N: 2, C: 16, H: 24, W: 128, Out: 16, KH: 3, KW: 3, PadH: 1, PadW: 1}
	strided := ConvShape{N: 2, C: 16, H: 24, W: 128, Out: 16, KH: 2, KW: 2, StrideH: 2, StrideW: 2}
	apart := ConvShape{N: 2, C: 16, H: 24, W: 128, Out: 16, KH: 3, KW: 3, PadH: 1, PadW: 1, Groups: 16}
	pool := MaxPool{NY: 24, NX: 128, KY: 2, KX: 2, SY: 2, SX: 2}
	arg := make([]int32, len(x)/4)
	m := NewAxisMap(Linear, 96, 48, false)
	span := Span{Batch: 256 * 3 * n, Head: 24, Row: 3 * n}
	att := Attention{Batch: 1, Heads: 4, Queries: 256, Keys: 256, Dim: 24, Out: 24, Q: span, K: span, V: span, Y: Span{Batch: 256 * n, Head: 24, Row: n},
		Rotation: &Rotation{First: 1, Sin: x[:255*12], Cos: y[:255*12]}}
	pads := [2]PadAxis{{24, 1, 2}, {128, 3, -1}}
	padded := make([]float32, 32*27*130)
	sums := make([]float32, rows*n)
	lanes := func(data []float32, cols int) Lanes[float32] {
		return Lanes[float32]{Data: data, Row: 32 * cols, Col: 32}
	}
	for _, c := range []struct {
		name string
		run  func()
	}{
		{"Add", func() { Add(z, x, y) }},
		{"GELUGrad", func() { GELUGrad(z, x, y, true) }},
		{"Fill", func() { Fill(z, 2) }},
		{"Sum", func() { Sum(x) }},
		{"Dot", func() { Dot(x, y) }},
		{"Transpose", func() { Transpose(z, x, 1, rows, n) }},
		{"MulRow", func() { MulRow(z, x, v, rows, n) }},
		{"MulRowGrad", func() { MulRowGrad(z, w, x, y, v, rows, n, false, true) }},
		{"ColSum", func() { ColSum(v, x, rows, n, true) }},
		{"AddColSum", func() { AddColSum(v, x, rows, n) }},
		{"RowSum", func() { RowSum(short, x, rows, n, false) }},
		{"RowDot", func() { RowDot(short, x, y, rows, n, false) }},
		{"ScaleShiftRows", func() { ScaleShiftRows(z, x, short, nil, rows, n, true) }},
		{"SumGroups", func() { SumGroups(sums[:n*n], x, 4, n*n, false) }},
		{"Softmax", func() { Softmax(z, x, rows, n) }},
		{"SoftmaxGrad", func() { SoftmaxGrad(z, x, y, rows, n, true) }},
		{"LayerNorm", func() { LayerNorm(z, mean, rstd, x, v, w, rows, n, 1e-5) }},
		{"LayerNorm, plain", func() { LayerNorm(z, mean, rstd, x, nil, nil, rows, n, 1e-5) }},
		{"LayerNormGrad", func() { LayerNormGrad(z, v, w, x, y, v, mean, rstd, rows, n, true, true) }},
		{"Moments", func() { Moments(mean, rstd, x, rows, n) }},
		{"ChannelMoments", func() { ChannelMoments(mean[:n], rstd[:n], x, 16, n, 64) }},
		{"ChannelAffine", func() { ChannelAffine(z, x, v, w, 16, n, 64) }},
		{"ChannelNorm", func() { ChannelNorm(z, x, mean[:n], rstd[:n], v, w, 16, n, 64, 6, false) }},
		{"ChannelNormGrad", func() { ChannelNormGrad(z, v, w, x, y, mean[:n], rstd[:n], v, 16, n, 64, 6, false, true, true) }},
		{"AdamW", func() { AdamW(z, sums, y, x, nil, AdamStep{Beta1: 0.9, Beta2: 0.99, Bias1: 1, Bias2: 1, Scale: 1}) }},
		{"MulLanes", func() { MulLanes(lanes(z, 16), lanes(x, 16), lanes(y, 16), 16, 16, 16, 16, false) }},
		{"MulLanes, tall", func() { MulLanes(lanes(z, 16), lanes(x, 1), lanes(y, 16), 16, 16, 1, 16, true) }},
		{"ApplyAxis", func() { ApplyAxis(z[:len(z)/2], x, m, 16, 64, false) }},
		{"ApplyAxis, last", func() { ApplyAxis(z[:len(z)/2], x, m, rows, 1, true) }},
		{"MaxPool2d", func() { MaxPool2d(z[:len(arg)], arg, x, 32, pool) }},
		{"MaxPool2dGrad", func() { MaxPool2dGrad(z, x[:len(arg)], arg, 32, pool, true) }},
		{"Pad", func() { Pad(padded, x, PadReflect, 32, pads[:]...) }},
		{"PadGrad", func() { PadGrad(z, padded, PadReflect, 32, false, pads[:]...) }},
		{"Gemm", func() { Gemm(true, false, n, n, rows, x, n, y, n, z, n, false) }},
		{"GemmEpilogue", func() {
			GemmEpilogue(false, true, rows, n, n, x, n, y, n, z, n, false, &Epilogue[float32]{ColBias: v, GELU: true})
		}},
		{"GemmBF16", func() { GemmBF16(false, true, rows, n, n, x, n, y, n, z, n, false, nil) }},
		{"GemmPanels", func() {
			p := Pack(true, n, n, y, n)
			GemmPanels(64, x, n, p, z, n, false, &Epilogue[float32]{ColBias: v})
			p.Release()
		}},
		{"ConvForward", func() { ConvForward(z, x, y[:16*16*9], v[:16], conv, false) }},
		{"ConvInputGrad", func() { ConvInputGrad(z, x, y[:16*16*9], conv, true) }},
		{"ConvInputGrad, strided", func() { ConvInputGrad(z, x[:len(x)/4], y[:16*16*4], strided, false) }},
		{"ConvWeightGrad", func() { ConvWeightGrad(z[:16*16*9], x, y, conv, false) }},
		{"ConvBiasGrad", func() { ConvBiasGrad(v[:16], x, 2, 16, 24*128, true) }},
		{"depthwise", func() { ConvForward(z, x, y[:16*9], nil, apart, false) }},
		{"depthwise weight", func() { ConvWeightGrad(z[:16*9], x, y, apart, false) }},
		{"Attention", func() { att.Forward(z[:256*n], mean, x, x[n:], x[2*n:]) }},
		{"Attention backward", func() { att.Backward(z, z[n:], z[2*n:], y[:256*n], sums, mean, x, x[n:], x[2*n:]) }},
	} {
		objects, _ := steady.Step(t, 50, c.run)
		require.Zero(t, objects, c.name)
	}
}
