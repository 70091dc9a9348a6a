package kernel

import (
	"fmt"
	"iter"
	"slices"
	"sync"
)

// Padding is what lies beyond the edge of a grid.
type Padding int

const (
	PadZeros     Padding = iota // zeros
	PadReflect                  // the mirror image about the outermost point, which is not repeated: c b | a b c | b a
	PadReplicate                // the outermost point: a a | a b c | c c
	PadCircular                 // the other end: b c | a b c | a b
)

// PadAxis is one padded axis: N points, with Before and After more around them. Negative counts crop.
type PadAxis struct{ N, Before, After int }

// Out is the number of points after padding.
func (a PadAxis) Out() int { return a.N + a.Before + a.After }

// source returns the point of the axis that the padded point i shows, or -1 for zero.
func (a PadAxis) source(mode Padding, i int) int {
	i -= a.Before
	if i >= 0 && i < a.N {
		return i
	}
	switch mode {
	case PadReflect:
		if i < 0 {
			return -i
		}
		return 2*(a.N-1) - i
	case PadReplicate:
		return min(max(i, 0), a.N-1)
	case PadCircular:
		return (i + a.N) % a.N
	}
	return -1
}

// Fits reports whether mode can pad the axis.
func (a PadAxis) Fits(mode Padding) bool {
	most := max(a.Before, a.After)
	switch {
	case a.N < 1, max(0, -a.Before)+max(0, -a.After) > a.N, mode < PadZeros || mode > PadCircular,
		mode == PadReflect && most > a.N-1, mode == PadCircular && most > a.N:
		return false
	}
	return true
}

// Pad writes x, an array of outer x axes[0].N x axes[1].N .., into dst, outer x axes[0].Out() x axes[1].Out() .., and fills the
// rest as mode says. There are one to three axes. Reflection pads by less than the axis is long, the circle by no more.
func Pad[T Float](dst, x []T, mode Padding, outer int, axes ...PadAxis) {
	p := newPadPlan("Pad", mode, axes, outer, len(dst), len(x))
	ParallelWith(outer, p.grain(), padCall[T]{p, dst, x})
	padPlans.Put(p)
}

type padCall[T Float] struct {
	*padPlan
	dst, x []T
}

func (p *padCall[T]) Chunk(lo, hi int) {
	for out, in := range p.rows(lo, hi) {
		d := p.dst[out : out+p.dstRow]
		if in < 0 {
			clear(d)
			continue
		}
		src := p.x[in : in+p.srcRow]
		for i, s := range p.left {
			d[i] = at(src, s)
		}
		copy(d[len(p.left):], src[p.skip:p.skip+p.keep])
		for i, s := range p.right {
			d[len(p.left)+p.keep+i] = at(src, s)
		}
	}
}

func at[T Float](src []T, i int32) T {
	if i < 0 {
		return 0
	}
	return src[i]
}

// PadGrad is the adjoint of Pad: every element of gy is added to the element of gx that it shows. gx is overwritten, or added to
// if acc. gx has the shape of Pad's x, gy that of its dst.
func PadGrad[T Float](gx, gy []T, mode Padding, outer int, acc bool, axes ...PadAxis) {
	p := newPadPlan("PadGrad", mode, axes, outer, len(gy), len(gx))
	if !acc {
		clear(gx)
	}
	ParallelWith(outer, p.grain(), padGrad[T]{p, gx, gy})
	padPlans.Put(p)
}

type padGrad[T Float] struct {
	*padPlan
	gx, gy []T
}

func (p *padGrad[T]) Chunk(lo, hi int) {
	add := pick[elemFunc[T]](scaleElem.f32, scaleElem.f64)
	for out, in := range p.rows(lo, hi) {
		if in < 0 {
			continue
		}
		g, d := p.gy[out:out+p.dstRow], p.gx[in:in+p.srcRow]
		for i, s := range p.left {
			if s >= 0 {
				d[s] += g[i]
			}
		}
		add(d[p.skip:p.skip+p.keep], g[len(p.left):len(p.left)+p.keep], nil, 1, 0, true)
		for i, s := range p.right {
			if s >= 0 {
				d[s] += g[len(p.left)+p.keep+i]
			}
		}
	}
}

// padPlan tells where every row of the padded array comes from. Axes are filled up to three with ones in front.
type padPlan struct {
	mode           Padding
	axes           [3]PadAxis
	srcRow, dstRow int
	left, right    []int32 // sources of the points of a row outside its copied middle
	skip, keep     int     // the middle: keep points from skip on
}

var padPlans = sync.Pool{New: func() any { return new(padPlan) }}

func newPadPlan(name string, mode Padding, axes []PadAxis, outer, padded, plain int) *padPlan {
	if len(axes) < 1 || len(axes) > 3 {
		panic(fmt.Sprintf("kernel: %s: %d axes, not 1 to 3", name, len(axes)))
	}
	p := padPlans.Get().(*padPlan)
	p.mode, p.axes, p.left, p.right = mode, [3]PadAxis{{N: 1}, {N: 1}, {N: 1}}, p.left[:0], p.right[:0]
	copy(p.axes[3-len(axes):], axes)
	src, dst := outer, outer
	for _, a := range p.axes {
		if !a.Fits(mode) {
			panic(fmt.Sprintf("kernel: %s: mode %d cannot pad %d points by %d and %d", name, mode, a.N, a.Before, a.After))
		}
		src *= a.N
		dst *= a.Out()
	}
	if src != plain || dst != padded {
		panic(fmt.Sprintf("kernel: %s: slices of %d and %d elements for %d outer and axes %v (%d and %d)", name, plain, padded, outer, slices.Clone(axes), src, dst))
	}
	a := p.axes[2]
	p.srcRow, p.dstRow = a.N, a.Out()
	p.skip = max(0, -a.Before)
	p.keep = max(0, a.N-p.skip-max(0, -a.After))
	for i := range max(0, a.Before) {
		p.left = append(p.left, int32(a.source(mode, i)))
	}
	for i := len(p.left) + p.keep; i < p.dstRow; i++ {
		p.right = append(p.right, int32(a.source(mode, i)))
	}
	return p
}

// grain is how many outer indices are worth another core. All rows of one are visited in order by one goroutine.
func (p *padPlan) grain() int { return RowGrain(p.axes[0].Out()*p.axes[1].Out()*p.dstRow, 2) }

// rows goes through the rows of the padded array of outer indices lo to hi: the offset of each and that of its source, -1 for zeros.
func (p *padPlan) rows(lo, hi int) iter.Seq2[int, int] {
	return func(yield func(out, in int) bool) {
		a, b := p.axes[0], p.axes[1]
		ao, bo := a.Out(), b.Out()
		for k := lo; k < hi; k++ {
			for i := range ao {
				si := a.source(p.mode, i)
				for j := range bo {
					sj := b.source(p.mode, j)
					in := -1
					if si >= 0 && sj >= 0 {
						in = ((k*a.N+si)*b.N + sj) * p.srcRow
					}
					if !yield(((k*ao+i)*bo+j)*p.dstRow, in) {
						return
					}
				}
			}
		}
	}
}
