package autograd

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Permute returns x with its axes in another order: axis i of the result is axis axes[i] of x. It copies.
func Permute(x *Value, axes ...int) *Value {
	t := on("Permute", x)
	inverse, shape := append(make([]int, 0, 8), axes...), append(make([]int, 0, 8), axes...)
	seen, fits := 0, len(axes) == x.Rank()
	for i := 0; fits && i < len(axes); i++ {
		a := axes[i]
		if fits = a >= 0 && a < len(axes) && seen&(1<<a) == 0; fits {
			seen |= 1 << a
			inverse[a], shape[i] = i, x.Shape[a]
		}
	}
	if !fits {
		panic(fmt.Sprintf("autograd: Permute: %v is not an order of the axes of shape %v", slices.Clone(axes), x.Shape))
	}
	out := t.Alloc(shape...)
	t.permutation(x.Shape, axes).run(out.Data, x.Data)
	return Record("Permute", out, []*Value{x}, permuteGrad{x, t.permutation(shape, inverse)})
}

type permuteGrad struct {
	x    *Value
	back order
}

func (o *permuteGrad) Backward(g *Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	if !acc {
		o.back.run(gx, gy)
		return
	}
	d := g.Scratch(len(gx))
	o.back.run(d, gy)
	kernel.Add(gx, gx, d)
	g.Free(d)
}

// ChannelsLast turns [batch, channel, spatial...] into [batch, spatial..., channel].
func ChannelsLast(x *Value) *Value {
	on("ChannelsLast", x)
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
	on("ChannelsFirst", x)
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

func (t *Tape) permutation(shape, axes []int) order {
	dims := make([]dim, 0, 8)
	for _, a := range axes {
		d := dim{shape[a], sizeOf(shape[a+1:])}
		if d.n == 1 {
			continue
		}
		if k := len(dims) - 1; k >= 0 && dims[k].stride == d.n*d.stride {
			dims[k] = dim{dims[k].n * d.n, d.stride}
			continue
		}
		dims = append(dims, d)
	}
	return order{t.dims.keep(dims)}
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
		kernel.ParallelWith(walkSize(outer), kernel.RowGrain(last.n, 1), reordering{dst, src, outer, last})
	}
}

// reordering writes rows of dst, along its last axis.
type reordering struct {
	dst, src []float32
	outer    []dim
	last     dim
}

func (r *reordering) Chunk(lo, hi int) {
	n, stride := r.last.n, r.last.stride
	walk(r.outer, lo, hi, func(i, o int) {
		row := r.dst[i*n:][:n]
		if stride == 1 {
			copy(row, r.src[o:])
			return
		}
		for j := range row {
			row[j] = r.src[o+j*stride]
		}
	})
}
