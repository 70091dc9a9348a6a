package autograd

import (
	"cmp"
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
)

// ConvOptions are the options of convolutions, {height, width} each. Strides, dilations and groups of 0 mean 1.
type ConvOptions struct {
	Stride, Padding, Dilation [2]int
	Groups                    int
	// OutputPadding makes the result of a transposed convolution larger at its far ends; convolutions ignore it.
	OutputPadding [2]int
}

// resolve replaces 0 by what it stands for.
func (o ConvOptions) resolve(op string) ConvOptions {
	for _, pair := range [][2]int{o.Stride, o.Padding, o.Dilation, o.OutputPadding, {o.Groups}} {
		if min(pair[0], pair[1]) < 0 {
			panic(fmt.Sprintf("autograd: %s: options %+v; want none negative", op, o))
		}
	}
	for i := range 2 {
		o.Stride[i], o.Dilation[i] = cmp.Or(o.Stride[i], 1), cmp.Or(o.Dilation[i], 1)
	}
	o.Groups = cmp.Or(o.Groups, 1)
	return o
}

// Conv2d returns the cross-correlation of x, [batch, in, ny, nx], with w, [out, in/groups, ky, kx], plus b, [out] or nil:
//
//	y[n,o,i,j] = b[o] + sum over c,u,v of w[o,c,u,v] x[n, c, i stride + u dilation - padding, j stride + v dilation - padding].
//
// The result is [batch, out, floor((ny + 2 padding - dilation (ky-1) - 1) / stride) + 1, ..].
func Conv2d(x, w, b *Value, o ConvOptions) *Value {
	t := on("Conv2d", x, w, b)
	o = o.resolve("Conv2d")
	if x.Rank() != 4 || w.Rank() != 4 || x.Shape[1] != w.Shape[1]*o.Groups || w.Shape[0]%o.Groups != 0 {
		panic(fmt.Sprintf("autograd: Conv2d: weight %v does not fit x %v in %d groups", w.Shape, x.Shape, o.Groups))
	}
	checkBias("Conv2d", w, b, w.Shape[0])
	s := kernel.ConvShape{N: x.Shape[0], C: x.Shape[1], H: x.Shape[2], W: x.Shape[3], Out: w.Shape[0], KH: w.Shape[2], KW: w.Shape[3],
		StrideH: o.Stride[0], StrideW: o.Stride[1], PadH: o.Padding[0], PadW: o.Padding[1],
		DilationH: o.Dilation[0], DilationW: o.Dilation[1], Groups: o.Groups}
	if !s.Fits() {
		panic(fmt.Sprintf("autograd: Conv2d: weight %v with dilation %v does not fit in x %v with padding %v", w.Shape, o.Dilation, x.Shape, o.Padding))
	}
	ny, nx := s.OutSize()
	out := t.Alloc(s.N, s.Out, ny, nx)
	kernel.ConvForward(out.Data, x.Data, w.Data, dataOf(b), s, false)
	return Record("Conv2d", out, []*Value{x, w, b}, convGrad{s, x, w, b})
}

type convGrad struct {
	kernel.ConvShape
	x, w, b *Value
}

func (o *convGrad) Backward(g *Grads, gy []float32) {
	if o.x.grad {
		gx, acc := g.Buffer(o.x)
		kernel.ConvInputGrad(gx, gy, o.w.Data, o.ConvShape, acc)
	}
	if o.w.grad {
		gw, acc := g.Buffer(o.w)
		kernel.ConvWeightGrad(gw, o.x.Data, gy, o.ConvShape, acc)
	}
	if o.b.NeedsGrad() {
		ny, nx := o.OutSize()
		gb, acc := g.Buffer(o.b)
		kernel.ConvBiasGrad(gb, gy, o.N, o.Out, ny*nx, acc)
	}
}

// ConvTranspose2d returns the transposed convolution of x, [batch, in, ny, nx], with w, [in, out/groups, ky, kx], plus b, [out] or
// nil: the gradient of Conv2d with respect to its input. The result is
// [batch, out, (ny-1) stride - 2 padding + dilation (ky-1) + output padding + 1, ..].
func ConvTranspose2d(x, w, b *Value, o ConvOptions) *Value {
	t := on("ConvTranspose2d", x, w, b)
	o = o.resolve("ConvTranspose2d")
	if x.Rank() != 4 || w.Rank() != 4 || x.Shape[1] != w.Shape[0] || w.Shape[0]%o.Groups != 0 {
		panic(fmt.Sprintf("autograd: ConvTranspose2d: weight %v does not fit x %v in %d groups", w.Shape, x.Shape, o.Groups))
	}
	checkBias("ConvTranspose2d", w, b, w.Shape[1]*o.Groups)
	s := kernel.TransposeShape(x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3], w.Shape[1]*o.Groups, w.Shape[2], w.Shape[3],
		o.Stride, o.Padding, o.OutputPadding, o.Dilation, o.Groups)
	if s.H < 1 || s.W < 1 || !s.Fits() {
		panic(fmt.Sprintf("autograd: ConvTranspose2d: weight %v and x %v with padding %v give a result of %d x %d points; want at least one",
			w.Shape, x.Shape, o.Padding, s.H, s.W))
	}
	out := t.Alloc(s.N, s.C, s.H, s.W)
	kernel.ConvTransposeForward(out.Data, x.Data, w.Data, dataOf(b), s)
	return Record("ConvTranspose2d", out, []*Value{x, w, b}, convTransposeGrad{s, x, w, b})
}

type convTransposeGrad struct {
	kernel.ConvShape
	x, w, b *Value
}

func (o *convTransposeGrad) Backward(g *Grads, gy []float32) {
	if o.x.grad {
		gx, acc := g.Buffer(o.x)
		kernel.ConvForward(gx, gy, o.w.Data, nil, o.ConvShape, acc)
	}
	if o.w.grad {
		gw, acc := g.Buffer(o.w)
		kernel.ConvWeightGrad(gw, gy, o.x.Data, o.ConvShape, acc)
	}
	if o.b.NeedsGrad() {
		gb, acc := g.Buffer(o.b)
		kernel.ConvBiasGrad(gb, gy, o.N, o.C, o.H*o.W, acc)
	}
}

// Conv1d is Conv2d for x, [batch, in, n], and w, [out, in/groups, k]; of every pair of options it takes the second.
func Conv1d(x, w, b *Value, o ConvOptions) *Value {
	on("Conv1d", x, w, b)
	if x.Rank() != 3 || w.Rank() != 3 {
		panic(fmt.Sprintf("autograd: Conv1d: weight %v and x %v are not both of rank 3", w.Shape, x.Shape))
	}
	o.Stride[0], o.Padding[0], o.Dilation[0] = 1, 0, 1
	y := Conv2d(Reshape(x, x.Shape[0], x.Shape[1], 1, x.Shape[2]), Reshape(w, w.Shape[0], w.Shape[1], 1, w.Shape[2]), b, o)
	return Reshape(y, y.Shape[0], y.Shape[1], y.Shape[3])
}

func checkBias(op string, w, b *Value, n int) {
	if b != nil && b.Len() != n {
		panic(fmt.Sprintf("autograd: %s: bias %v does not fit weight %v", op, b.Shape, w.Shape))
	}
}

func dataOf(v *Value) []float32 {
	if v == nil {
		return nil
	}
	return v.Data
}
