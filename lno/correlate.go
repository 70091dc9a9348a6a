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
	return correlateWith(x, w, b, nil, stride, used, false)
}

// correlateWith returns correlate plus more, of the result's shape or nil, and with gelu the exact GELU of that, in one pass.
func correlateWith(x, w, b, more *autograd.Value, stride [3]int, used []bool, gelu bool) *autograd.Value {
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
	if more != nil && !slices.Equal(more.Shape, shape) {
		panic(fmt.Sprintf("lno: correlate: %v to be added to a result of shape %v", more.Shape, shape))
	}
	inputs := []*autograd.Value{x, w}
	ep := kernel.Epilogue[float32]{GELU: gelu}
	if b != nil {
		ep.ColBias = b.Data
		inputs = append(inputs, b)
	}
	if more != nil {
		ep.Add = more.Data
		inputs = append(inputs, more)
	}
	if gelu && slices.ContainsFunc(inputs, (*autograd.Value).NeedsGrad) {
		ep.Pre = x.Tape().Scratch(out.Len())
	}
	c.forward(out.Data, x.Data, w.Data, false, ep)
	pre := ep.Pre
	return autograd.Record("lno.correlate", out, inputs, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		gz := gy
		if gelu {
			gz = g.Scratch(len(gy))
			defer g.Free(gz)
			kernel.GELUGrad(gz, gy, pre, false)
		}
		if x.NeedsGrad() {
			gx, acc := g.Buffer(x)
			c.inputGrad(g, gx, gz, w.Data, acc)
		}
		if w.NeedsGrad() {
			gw, acc := g.Buffer(w)
			c.weightGrad(g, gw, x.Data, gz, acc)
		}
		if b != nil && b.NeedsGrad() {
			gb, acc := g.Buffer(b)
			kernel.ColSum(gb, gz, len(gz)/c.co, c.co, acc)
		}
		if more != nil {
			g.Give(more, gz)
		}
	}))
}

// correlation has the sizes of a cross-correlation over three axes: n input points, a window of k, strides s, m output points.
type correlation struct {
	nb, ci, co int
	n, k, s, m [3]int
	used       []bool // by tap; nil: all
}

// run is a number of taps behind each other along the last axis. What they see lies behind each other too, so they are one product: of
// points that are windows of n in values, a stride apart, by the taps' matrices above each other.
type run struct{ first, n, offset int }

// runs lists the used taps; the first one lies offset input points behind the start of the window.
func (c *correlation) runs() []run {
	var list []run
	for t := range c.k[0] * c.k[1] * c.k[2] {
		if c.used != nil && !c.used[t] {
			continue
		}
		if k := len(list) - 1; k >= 0 && t%c.k[2] != 0 && list[k].first+list[k].n == t {
			list[k].n++
			continue
		}
		u, v := t/c.k[2]/c.k[1], t/c.k[2]%c.k[1]
		list = append(list, run{t, 1, (u*c.n[1]+v)*c.n[2] + t%c.k[2]})
	}
	return list
}

// lines is how many values one task of forward covers: its part of the result stays in the cache while all taps add to it.
const lines = 32 << 10

// forward computes, or adds if acc, line by line of the result.
func (c *correlation) forward(y, x, w []float32, acc bool, ep kernel.Epilogue[float32]) {
	runs := c.runs()
	weights := make([]*kernel.Panels[float32], len(runs))
	for i, r := range runs {
		weights[i] = kernel.Pack(false, r.n*c.ci, c.co, w[r.first*c.ci*c.co:], c.co)
		defer weights[i].Release()
	}
	line := c.m[2] * c.co
	kernel.Parallel(c.nb*c.m[0]*c.m[1], max(1, lines/line), func(lo, hi int) {
		for t := lo; t < hi; t++ {
			plane, row := t/c.m[1], t%c.m[1]
			start := ((plane/c.m[0]*c.n[0]+plane%c.m[0]*c.s[0])*c.n[1] + row*c.s[1]) * c.n[2]
			dst := y[t*line:][:line]
			for i, r := range runs {
				var e kernel.Epilogue[float32] // the first run adds what is to be added, the last one finishes
				if i == 0 {
					e.ColBias = ep.ColBias
					if ep.Add != nil {
						e.Add = ep.Add[t*line:]
					}
				}
				if i == len(runs)-1 {
					e.GELU = ep.GELU
					if ep.Pre != nil {
						e.Pre = ep.Pre[t*line:]
					}
				}
				kernel.GemmPanels(c.m[2], x[(start+r.offset)*c.ci:], c.s[2]*c.ci, weights[i], dst, c.co, acc || i > 0, &e)
			}
		}
	})
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
	for t := range taps {
		kernel.Transpose(turned[(taps-1-t)*size:][:size], w[t*size:][:size], 1, c.ci, c.co)
	}
	if c.used != nil {
		back.used = slices.Clone(c.used)
		slices.Reverse(back.used)
	}
	spread, free := c.spread(g, gy, back.n, at)
	back.forward(gx, spread, turned, acc, kernel.Epilogue[float32]{})
	free()
	g.Free(turned)
}

// weightGrad is one product over all points for each run of taps: gy takes the places of the points that its first tap sees, zeros those of all
// others.
func (c *correlation) weightGrad(g *autograd.Grads, gw, x, gy []float32, acc bool) {
	spread, free := c.spread(g, gy, c.n, [3]int{})
	points := len(x) / c.ci
	if c.used != nil && !acc {
		clear(gw)
	}
	for _, r := range c.runs() {
		kernel.Gemm(true, false, r.n*c.ci, c.co, points-r.offset-r.n+1, x[r.offset*c.ci:], c.ci, spread, c.co, gw[r.first*c.ci*c.co:], c.co, acc)
	}
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
