package autograd

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Permute returns x with its axes in another order: axis i of the result is axis axes[i] of x. It copies.
func Permute(x *Value, axes ...int) *Value {
	inverse := make([]int, len(axes))
	shape := make([]int, len(axes))
	seen := 0
	for i, a := range axes {
		if len(axes) != x.Rank() || a < 0 || a >= len(axes) || seen&(1<<a) != 0 {
			panic(fmt.Sprintf("autograd: Permute: %v is not an order of the axes of shape %v", axes, x.Shape))
		}
		seen |= 1 << a
		inverse[a], shape[i] = i, x.Shape[a]
	}
	if len(axes) != x.Rank() {
		panic(fmt.Sprintf("autograd: Permute: %v is not an order of the axes of shape %v", axes, x.Shape))
	}
	out := x.tape.Alloc(shape...)
	forward := permutation(x.Shape, axes)
	forward.run(out.Data, x.Data)
	return Record("Permute", out, []*Value{x}, BackwardFunc(func(g *Grads, gy []float32) {
		back := permutation(shape, inverse)
		gx, acc := g.Buffer(x)
		if !acc {
			back.run(gx, gy)
			return
		}
		d := g.Scratch(len(gx))
		back.run(d, gy)
		kernel.Add(gx, gx, d)
		g.Free(d)
	}))
}

// ChannelsLast turns [batch, channel, spatial...] into [batch, spatial..., channel].
func ChannelsLast(x *Value) *Value {
	if x.Rank() < 2 {
		panic(fmt.Sprintf("autograd: ChannelsLast: shape %v has no channels", x.Shape))
	}
	axes := make([]int, 0, 8)
	axes = append(axes, 0)
	for i := 2; i < x.Rank(); i++ {
		axes = append(axes, i)
	}
	return Permute(x, append(axes, 1)...)
}

// ChannelsFirst turns [batch, spatial..., channel] into [batch, channel, spatial...].
func ChannelsFirst(x *Value) *Value {
	if x.Rank() < 2 {
		panic(fmt.Sprintf("autograd: ChannelsFirst: shape %v has no channels", x.Shape))
	}
	axes := make([]int, 0, 8)
	axes = append(axes, 0, x.Rank()-1)
	for i := 1; i < x.Rank()-1; i++ {
		axes = append(axes, i)
	}
	return Permute(x, axes...)
}

// order is a permutation of axes reduced to what matters: the axes of the result with their strides in the source, without
// those of size 1, and with neighbours that stay neighbours merged.
type order struct{ dims []dim }

func permutation(shape, axes []int) order {
	strides := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = n
		n *= shape[i]
	}
	dims := make([]dim, 0, len(axes))
	for _, a := range axes {
		d := dim{shape[a], strides[a]}
		if d.n == 1 {
			continue
		}
		if k := len(dims) - 1; k >= 0 && dims[k].stride == d.n*d.stride {
			dims[k] = dim{dims[k].n * d.n, d.stride}
			continue
		}
		dims = append(dims, d)
	}
	return order{dims}
}

func (p order) run(dst, src []float32) {
	if len(dst) == 0 {
		return
	}
	d := p.dims
	switch {
	case len(d) <= 1:
		copy(dst, src)
	case len(d) == 2:
		kernel.Transpose(dst, src, 1, d[1].n, d[0].n)
	case len(d) == 3 && d[1].stride == 1 && d[0].stride == d[1].n*d[2].n:
		kernel.Transpose(dst, src, d[0].n, d[2].n, d[1].n)
	default:
		outer, last := d[:len(d)-1], d[len(d)-1]
		kernel.Parallel(walkSize(outer), grain(last.n), func(lo, hi int) {
			walk(outer, lo, hi, func(i, o int) {
				row := dst[i*last.n:][:last.n]
				if last.stride == 1 {
					copy(row, src[o:])
					return
				}
				for j := range row {
					row[j] = src[o+j*last.stride]
				}
			})
		})
	}
}
