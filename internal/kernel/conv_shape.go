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

// Fits reports whether the kernel has elements and there is a window that fits.
func (s ConvShape) Fits() bool {
	s = s.filled()
	return s.OH > 0 && s.OW > 0 && s.KH > 0 && s.KW > 0 && s.PadH >= 0 && s.PadW >= 0
}

// filled has what 0 stands for.
func (s ConvShape) filled() ConvShape {
	for _, v := range []*int{&s.StrideH, &s.StrideW, &s.DilationH, &s.DilationW, &s.Groups} {
		*v = max(*v, 1)
	}
	if s.OH == 0 {
		s.OH = floorDiv(s.H+2*s.PadH-s.DilationH*(s.KH-1)-1, s.StrideH) + 1
	}
	if s.OW == 0 {
		s.OW = floorDiv(s.W+2*s.PadW-s.DilationW*(s.KW-1)-1, s.StrideW) + 1
	}
	return s
}

// resolve fills in what 0 stands for and checks the sizes against each other.
func (s ConvShape) resolve(op string) ConvShape {
	s = s.filled()
	if !s.Fits() {
		panic(fmt.Sprintf("kernel: %s: kernel %d x %d with dilation %d, %d and padding %d, %d does not fit in %d x %d",
			op, s.KH, s.KW, s.DilationH, s.DilationW, s.PadH, s.PadW, s.H, s.W))
	}
	if s.C%s.Groups != 0 || s.Out%s.Groups != 0 {
		panic(fmt.Sprintf("kernel: %s: %d and %d channels are not multiples of %d groups", op, s.C, s.Out, s.Groups))
	}
	return s
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -((b - 1 - a) / b)
	}
	return a / b
}

func (s ConvShape) check(op string, y, x, w int) {
	wantY, wantX, wantW := s.N*s.Out*s.OH*s.OW, s.N*s.C*s.H*s.W, s.Out*s.patch()
	if y != wantY || x != wantX || w != wantW {
		panic(fmt.Sprintf("kernel: %s: %d x %d x %d x %d with %d x %d x %d x %d to %d x %d x %d x %d, slices have %d, %d and %d elements",
			op, s.N, s.C, s.H, s.W, s.Out, s.C/s.Groups, s.KH, s.KW, s.N, s.Out, s.OH, s.OW, x, w, y))
	}
}

// patch is how many elements of x one element of y sees.
func (s ConvShape) patch() int { return s.C / s.Groups * s.KH * s.KW }

// pointwise tells whether the convolution is a plain product with the image.
func (s ConvShape) pointwise() bool {
	return s.KH == 1 && s.KW == 1 && s.StrideH == 1 && s.StrideW == 1 && s.PadH == 0 && s.PadW == 0 && s.Groups == 1 && s.OH == s.H && s.OW == s.W
}

// columns is how many windows are worked on at a time.
func (s ConvShape) columns() int { return min(256, s.OH*s.OW) }
