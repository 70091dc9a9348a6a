package kernel

import "fmt"

// ConvShape describes a convolution of x, N x C x H x W, with w, Out x C/Groups x KH x KW, to y, N x Out x OH x OW:
//
//	y[n,o,i,j] = sum over c,u,v of w[o,c,u,v] x[n, c, i StrideH + u DilationH - PadH, j StrideW + v DilationW - PadW],
//
// x being zero outside. Strides, dilations and groups of 0 mean 1. OH and OW of 0 mean all windows that fit.
type ConvShape struct {
	N, C, H, W           int
	Out, KH, KW          int
	StrideH, StrideW     int
	PadH, PadW           int
	DilationH, DilationW int
	Groups               int
	OH, OW               int
}

// OutSize returns the height and width of y.
func (s ConvShape) OutSize() (h, w int) {
	s = s.resolve("OutSize")
	return s.OH, s.OW
}

// TransposeShape returns the shape whose input gradient is the transposed convolution (PyTorch's conv_transpose2d) of
// x, n x in x h x w, with w, in x out/groups x kh x kw, to y of height (h-1) stride - 2 pad + dilation (kh-1) + extra + 1,
// and the same for the width. Arrays are {height, width}; strides, dilations and groups of 0 mean 1. In the shape, C, H
// and W are those of y and Out, OH and OW those of x: ConvTransposeForward runs it, ConvForward takes the gradient of y
// to that of x, and ConvWeightGrad(gw, gy, x, ...) gives the weight's.
func TransposeShape(n, in, h, w, out, kh, kw int, stride, pad, extra, dilation [2]int, groups int) ConvShape {
	for d := range 2 {
		stride[d], dilation[d] = max(stride[d], 1), max(dilation[d], 1)
	}
	return ConvShape{
		N: n, C: out, Out: in, KH: kh, KW: kw, Groups: groups, OH: h, OW: w,
		H:       (h-1)*stride[0] - 2*pad[0] + dilation[0]*(kh-1) + extra[0] + 1,
		W:       (w-1)*stride[1] - 2*pad[1] + dilation[1]*(kw-1) + extra[1] + 1,
		StrideH: stride[0], StrideW: stride[1], PadH: pad[0], PadW: pad[1], DilationH: dilation[0], DilationW: dilation[1],
	}
}

// ConvForward computes y from x, w and bias (length Out, or nil); with acc it adds to y.
func ConvForward[T Float](y, x, w, bias []T, s ConvShape, acc bool) {
	s = s.resolve("ConvForward")
	s.check("ConvForward", len(y), len(x), len(w))
	if bias != nil && len(bias) != s.Out {
		panic(fmt.Sprintf("kernel: ConvForward: bias has %d elements, want %d", len(bias), s.Out))
	}
	cg, og, patch := s.C/s.Groups, s.Out/s.Groups, s.patch()
	step := s.columns()
	ns := (s.OH*s.OW + step - 1) / step
	Parallel(s.N*s.Groups*ns, 1, func(lo, hi int) {
		cols := make([]T, patch*step)
		for t := lo; t < hi; t++ {
			n, g, j0 := t/ns/s.Groups, t/ns%s.Groups, t%ns*step
			j1 := min(j0+step, s.OH*s.OW)
			gather(s, cols, x[(n*s.C+g*cg)*s.H*s.W:][:cg*s.H*s.W], j0, j1)
			ep := Epilogue[T]{}
			if bias != nil {
				ep.RowBias = bias[g*og : (g+1)*og]
			}
			GemmEpilogue(false, false, og, j1-j0, patch, w[g*og*patch:], patch, cols, j1-j0,
				y[(n*s.Out+g*og)*s.OH*s.OW+j0:], s.OH*s.OW, acc, &ep)
		}
	})
}

// ConvInputGrad computes gx, the gradient of x, from gy, the gradient of y; with acc it adds to gx.
func ConvInputGrad[T Float](gx, gy, w []T, s ConvShape, acc bool) {
	s = s.resolve("ConvInputGrad")
	s.check("ConvInputGrad", len(gy), len(gx), len(w))
	cg, og, patch := s.C/s.Groups, s.Out/s.Groups, s.patch()
	step := s.columns()
	Parallel(s.N*s.Groups, 1, func(lo, hi int) {
		cols := make([]T, patch*step)
		for t := lo; t < hi; t++ {
			n, g := t/s.Groups, t%s.Groups
			dst := gx[(n*s.C+g*cg)*s.H*s.W:][:cg*s.H*s.W]
			if !acc {
				clear(dst)
			}
			for j0 := 0; j0 < s.OH*s.OW; j0 += step {
				j1 := min(j0+step, s.OH*s.OW)
				Gemm(true, false, patch, j1-j0, og, w[g*og*patch:], patch,
					gy[(n*s.Out+g*og)*s.OH*s.OW+j0:], s.OH*s.OW, cols, j1-j0, false)
				scatter(s, dst, cols, j0, j1)
			}
		}
	})
}

// ConvWeightGrad computes gw, the gradient of w, from x and gy; with acc it adds to gw.
func ConvWeightGrad[T Float](gw, x, gy []T, s ConvShape, acc bool) {
	s = s.resolve("ConvWeightGrad")
	s.check("ConvWeightGrad", len(gy), len(x), len(gw))
	cg, og, patch := s.C/s.Groups, s.Out/s.Groups, s.patch()
	step := s.columns()
	if !acc {
		clear(gw)
	}
	Parallel(s.Groups, 1, func(lo, hi int) {
		cols := make([]T, patch*step)
		for g := lo; g < hi; g++ {
			for n := range s.N {
				for j0 := 0; j0 < s.OH*s.OW; j0 += step {
					j1 := min(j0+step, s.OH*s.OW)
					gather(s, cols, x[(n*s.C+g*cg)*s.H*s.W:][:cg*s.H*s.W], j0, j1)
					Gemm(false, true, og, patch, j1-j0, gy[(n*s.Out+g*og)*s.OH*s.OW+j0:], s.OH*s.OW,
						cols, j1-j0, gw[g*og*patch:], patch, true)
				}
			}
		}
	})
}

// ConvTransposeForward computes the transposed convolution y of x with bias (length C of the shape, or nil); s is made
// by TransposeShape.
func ConvTransposeForward[T Float](y, x, w, bias []T, s ConvShape) {
	if bias != nil {
		if len(bias) != s.C || len(y) != s.N*s.C*s.H*s.W {
			panic(fmt.Sprintf("kernel: ConvTransposeForward: bias has %d elements and y %d, want %d and %d", len(bias), len(y), s.C, s.N*s.C*s.H*s.W))
		}
		for i := range s.N * s.C {
			fill(y[i*s.H*s.W:][:s.H*s.W], bias[i%s.C])
		}
	}
	ConvInputGrad(y, x, w, s, bias != nil)
}

// ConvBiasGrad computes gb[c] = sum over n, i of gy[n,c,i], gy being n x c x size; with acc it adds to gb. Each plane is
// summed in ascending order in float64.
func ConvBiasGrad[T Float](gb, gy []T, n, c, size int, acc bool) {
	if len(gb) != c || len(gy) != n*c*size {
		panic(fmt.Sprintf("kernel: ConvBiasGrad: gb has %d elements and gy %d, want %d and %d x %d x %d", len(gb), len(gy), c, n, c, size))
	}
	Parallel(c, max(1, 1<<14/max(1, n*size)), func(lo, hi int) {
		for ch := lo; ch < hi; ch++ {
			sum := 0.0
			for i := range n {
				var s [4]float64
				p := gy[(i*c+ch)*size:][:size]
				for ; len(p) >= 4; p = p[4:] {
					s[0] += float64(p[0])
					s[1] += float64(p[1])
					s[2] += float64(p[2])
					s[3] += float64(p[3])
				}
				for _, v := range p {
					s[0] += float64(v)
				}
				sum += s[0] + s[1] + (s[2] + s[3])
			}
			if acc {
				sum += float64(gb[ch])
			}
			gb[ch] = T(sum)
		}
	})
}

func fill[T Float](x []T, v T) {
	for i := range x {
		x[i] = v
	}
}
