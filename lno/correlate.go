package lno

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// correlate returns the cross-correlation of x, nb x n1 .. nd x in, which is padded already, with the kernel w, k1 x k2 x k3 x in x out, plus
// b, of out elements or nil:
//
//	y[p, o] = b[o] + sum over t and i of w[t, i, o] x[stride p + t, i].
//
// The result is nb x m1 .. md x out, m = floor((n - k) / stride) + 1. Used tells which taps of w may differ from zero, nil that all may; the
// others cost nothing and get no gradient.
func correlate(x, w, b *autograd.Value, stride [3]int, used []bool) *autograd.Value {
	d := x.Rank() - 2
	if d < 1 || d > 3 || w.Rank() != 5 || x.Dim(-1) != w.Shape[3] || b != nil && b.Len() != w.Shape[4] {
		panic(fmt.Sprintf("lno: correlate: kernel %v does not fit shape %v", w.Shape, x.Shape))
	}
	c := correlation{nb: x.Shape[0], ci: w.Shape[3], co: w.Shape[4], n: [3]int{1, 1, 1}, k: [3]int(w.Shape), s: stride, used: used}
	copy(c.n[3-d:], x.Shape[1:1+d])
	for a := range c.m {
		if c.n[a] < c.k[a] {
			panic(fmt.Sprintf("lno: correlate: kernel %v is larger than the padded shape %v", w.Shape, x.Shape))
		}
		c.m[a] = (c.n[a]-c.k[a])/c.s[a] + 1
	}
	shape := slices.Clone(x.Shape)
	copy(shape[1:], c.m[3-d:])
	shape[d+1] = c.co
	out := x.Tape().Alloc(shape...)
	inputs := []*autograd.Value{x, w}
	var bias []float32
	if b != nil {
		bias = b.Data
		inputs = append(inputs, b)
	}
	c.forward(out.Data, x.Data, w.Data, bias, false)
	return autograd.Record("lno.correlate", out, inputs, func(g *autograd.Grads, gy []float32) {
		if x.NeedsGrad() {
			gx, acc := g.Buffer(x)
			c.inputGrad(g, gx, gy, w.Data, acc)
		}
		if w.NeedsGrad() {
			gw, acc := g.Buffer(w)
			c.weightGrad(g, gw, x.Data, gy, acc)
		}
		if b != nil && b.NeedsGrad() {
			gb, acc := g.Buffer(b)
			kernel.ColSum(gb, gy, len(gy)/c.co, c.co, acc)
		}
	})
}

// correlation has the sizes of a cross-correlation over three axes: n input points, a window of k, strides s, m output points.
type correlation struct {
	nb, ci, co int
	n, k, s, m [3]int
	used       []bool // by tap; nil: all
}

// pixels is how many grid points one task of forward covers: its part of the result stays in the cache while all taps add to it.
const pixels = 512

// forward computes, or adds if acc. With channels last every tap is a matrix product, of the points of some rows by the tap's matrix. Rows
// are taken together where the stride allows it: lying behind each other in memory they are one tall matrix, whose last k-1 points of each
// row are computed for nothing.
func (c *correlation) forward(y, x, w, bias []float32, acc bool) {
	together := 1
	if c.s[1] == 1 && c.s[2] == 1 {
		together = min(c.m[1], max(1, pixels/c.n[2]))
	}
	blocks := (c.m[1] + together - 1) / together
	direct := together == 1 || c.n[2] == c.m[2]
	kernel.Parallel(c.nb*c.m[0]*blocks, 1, func(lo, hi int) {
		var work []float32
		if !direct {
			work = scratch.Get(together * c.n[2] * c.co)
			defer scratch.Put(work)
		}
		for t := lo; t < hi; t++ {
			plane, row := t/blocks, t%blocks*together
			rows := min(together, c.m[1]-row)
			points := (rows-1)*c.n[2] + c.m[2]
			dst := y[(plane*c.m[1]+row)*c.m[2]*c.co:][:rows*c.m[2]*c.co]
			if direct {
				c.products(dst, x, w, bias, points, plane, row, acc)
				continue
			}
			c.products(work, x, w, bias, points, plane, row, false)
			for r := range rows {
				from := work[r*c.n[2]*c.co:][:c.m[2]*c.co]
				to := dst[r*c.m[2]*c.co:][:len(from)]
				if acc {
					kernel.Add(to, to, from)
				} else {
					copy(to, from)
				}
			}
		}
	})
}

// products adds up all taps for a number of points from the start of an output row on.
func (c *correlation) products(dst, x, w, bias []float32, points, plane, row int, acc bool) {
	start := ((plane/c.m[0]*c.n[0]+plane%c.m[0]*c.s[0])*c.n[1] + row*c.s[1]) * c.n[2]
	ep := kernel.Epilogue[float32]{ColBias: bias}
	c.taps(func(t, offset int) {
		kernel.GemmEpilogue(false, false, points, c.co, c.ci, x[(start+offset)*c.ci:], c.s[2]*c.ci, w[t*c.ci*c.co:], c.co, dst, c.co, acc, &ep)
		acc, ep.ColBias = true, nil
	})
}

// taps calls f for every used tap t, which lies offset input points behind the first.
func (c *correlation) taps(f func(t, offset int)) {
	t := 0
	for u := range c.k[0] {
		for v := range c.k[1] {
			for w := range c.k[2] {
				if c.used == nil || c.used[t] {
					f(t, (u*c.n[1]+v)*c.n[2]+w)
				}
				t++
			}
		}
	}
}

// inputGrad correlates gy, its points a stride apart and k-1 zeros around them, with the taps in reverse.
func (c *correlation) inputGrad(g *autograd.Grads, gx, gy, w []float32, acc bool) {
	back := correlation{nb: c.nb, ci: c.co, co: c.ci, k: c.k, s: [3]int{1, 1, 1}, m: c.n}
	var at [3]int
	for a := range at {
		back.n[a] = c.n[a] + c.k[a] - 1
		at[a] = c.k[a] - 1
	}
	taps := c.k[0] * c.k[1] * c.k[2]
	turned := g.Scratch(len(w))
	size := c.ci * c.co
	c.taps(func(t, _ int) {
		kernel.Transpose(turned[(taps-1-t)*size:][:size], w[t*size:][:size], 1, c.ci, c.co)
	})
	if c.used != nil {
		back.used = slices.Clone(c.used)
		slices.Reverse(back.used)
	}
	spread, free := c.spread(g, gy, back.n, at)
	back.forward(gx, spread, turned, nil, acc)
	free()
	g.Free(turned)
}

// weightGrad is one product over all points for each tap: gy takes the places of the points that its first tap sees, zeros those of all
// others.
func (c *correlation) weightGrad(g *autograd.Grads, gw, x, gy []float32, acc bool) {
	spread, free := c.spread(g, gy, c.n, [3]int{})
	points := len(x) / c.ci
	if c.used != nil && !acc {
		clear(gw)
	}
	c.taps(func(t, offset int) {
		kernel.Gemm(true, false, c.ci, c.co, points-offset, x[offset*c.ci:], c.ci, spread, c.co, gw[t*c.ci*c.co:], c.co, acc)
	})
	free()
}

// spread puts gy on a grid of n points, from one place on, a stride apart. free gives the memory back.
func (c *correlation) spread(g *autograd.Grads, gy []float32, n, at [3]int) (dst []float32, free func()) {
	if n == c.m {
		return gy, func() {}
	}
	plane := n[1] * n[2] * c.co
	dst = g.Scratch(c.nb * n[0] * plane)
	kernel.Parallel(c.nb*n[0], grain(plane), func(lo, hi int) {
		for p := lo; p < hi; p++ {
			part := dst[p*plane:][:plane]
			clear(part)
			i := p%n[0] - at[0]
			if i < 0 || i%c.s[0] != 0 || i/c.s[0] >= c.m[0] {
				continue
			}
			from := gy[(p/n[0]*c.m[0]+i/c.s[0])*c.m[1]*c.m[2]*c.co:]
			for j := range c.m[1] {
				to := part[((at[1]+j*c.s[1])*n[2]+at[2])*c.co:]
				row := from[j*c.m[2]*c.co:][:c.m[2]*c.co]
				if c.s[2] == 1 {
					copy(to, row)
					continue
				}
				for k := range c.m[2] {
					copy(to[k*c.s[2]*c.co:], row[k*c.co:][:c.co])
				}
			}
		}
	})
	return dst, func() { g.Free(dst) }
}

// scratch keeps the buffers of tasks.
var scratch kernel.Scratch[float32]
