package lno

import (
	"fmt"
	"slices"
	"sync"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// correlate returns the cross-correlation of x, nb x n1 .. nd x in, which is padded already, with the kernel w, k1 x k2 x k3 x in x out, plus
// b, of out elements or nil:
//
//	y[p, o] = b[o] + sum over t and i of w[t, i, o] x[stride p + t, i].
//
// The result is nb x m1 .. md x out, m = floor((n - k) / stride) + 1. Used lists the taps of w that may differ from zero, nil that all may; the
// others cost nothing and get no gradient.
func correlate(x, w, b *autograd.Value, stride [3]int, used []run) *autograd.Value {
	return correlateWith(x, w, b, nil, stride, used, false)
}

// correlateWith returns correlate plus more, of the result's shape or nil, and with gelu the exact GELU of that, in one pass.
func correlateWith(x, w, b, more *autograd.Value, stride [3]int, used []run, gelu bool) *autograd.Value {
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
	shape := append(make([]int, 0, 8), x.Shape...)
	copy(shape[1:], c.m[3-d:])
	shape[d+1] = c.co
	t := x.Tape()
	out := t.Alloc(shape...)
	if more != nil && !slices.Equal(more.Shape, out.Shape) {
		panic(fmt.Sprintf("lno: correlate: %v to be added to a result of shape %v", more.Shape, out.Shape))
	}
	o := correlating{correlation: c, x: x, w: w, b: b, more: more}
	in := []*autograd.Value{x, w, b, more}
	if gelu && slices.ContainsFunc(in, (*autograd.Value).NeedsGrad) {
		o.pre = t.Scratch(out.Len())
	}
	c.forward(out.Data, x.Data, w.Data, false, kernel.Epilogue[float32]{ColBias: data(b), Add: data(more), GELU: gelu, Pre: o.pre})
	return autograd.Record("lno.correlate", out, in, o)
}

// data returns the elements of v, nil where v is.
func data(v *autograd.Value) []float32 {
	if v == nil {
		return nil
	}
	return v.Data
}

type correlating struct {
	correlation
	x, w, b, more *autograd.Value
	pre           []float32 // what GELU was taken of, nil without it
}

func (o *correlating) Backward(g *autograd.Grads, gy []float32) {
	gz := gy
	if o.pre != nil {
		gz = g.Scratch(len(gy))
		defer g.Free(gz)
		kernel.GELUGrad(gz, gy, o.pre, false)
	}
	if o.x.NeedsGrad() {
		gx, acc := g.Buffer(o.x)
		o.inputGrad(g, gx, gz, o.w.Data, acc)
	}
	if o.w.NeedsGrad() {
		gw, acc := g.Buffer(o.w)
		o.weightGrad(g, gw, o.x.Data, gz, acc)
	}
	if o.b.NeedsGrad() {
		gb, acc := g.Buffer(o.b)
		kernel.ColSum(gb, gz, len(gz)/o.co, o.co, acc)
	}
	if o.more != nil {
		g.Give(o.more, gz)
	}
}

// correlation has the sizes of a cross-correlation over three axes: n input points, a window of k, strides s, m output points.
type correlation struct {
	nb, ci, co int
	n, k, s, m [3]int
	used       []run // nil: all taps
	reversed   bool  // used counts taps from the last one
}

// runs returns how many runs of taps there are.
func (c *correlation) runs() int {
	if c.used == nil {
		return c.k[0] * c.k[1]
	}
	return len(c.used)
}

// run returns run i, in the order of their taps, and how many input points its first tap lies behind the start of the window.
func (c *correlation) run(i int) (r run, offset int) {
	switch {
	case c.used == nil:
		r = run{i * c.k[2], c.k[2]}
	case c.reversed:
		r = c.used[len(c.used)-1-i]
		r.first = c.k[0]*c.k[1]*c.k[2] - r.first - r.n
	default:
		r = c.used[i]
	}
	u, v := r.first/c.k[2]/c.k[1], r.first/c.k[2]%c.k[1]
	return r, (u*c.n[1]+v)*c.n[2] + r.first%c.k[2]
}

// lines is how many values one task of forward covers: its part of the result stays in the cache while all taps add to it.
const lines = 32 << 10

// packed keeps lists of weights that are laid out for products.
var packed = sync.Pool{New: func() any { return new([]*kernel.Panels[float32]) }}

// forward computes, or adds if acc, line by line of the result.
func (c *correlation) forward(y, x, w []float32, acc bool, ep kernel.Epilogue[float32]) {
	weights := packed.Get().(*[]*kernel.Panels[float32])
	for i := range c.runs() {
		r, _ := c.run(i)
		*weights = append(*weights, kernel.Pack(false, r.n*c.ci, c.co, w[r.first*c.ci*c.co:], c.co))
	}
	line := c.m[2] * c.co
	kernel.ParallelWith(c.nb*c.m[0]*c.m[1], max(1, lines/line), correlationLines{*c, y, x, *weights, acc, ep})
	for _, p := range *weights {
		p.Release()
	}
	*weights = (*weights)[:0]
	packed.Put(weights)
}

type correlationLines struct {
	correlation
	y, x    []float32
	weights []*kernel.Panels[float32] // of the runs
	acc     bool
	ep      kernel.Epilogue[float32]
}

// Chunk does the lines lo to hi.
func (c *correlationLines) Chunk(lo, hi int) {
	line, ep := c.m[2]*c.co, &c.ep
	for t := lo; t < hi; t++ {
		plane, row := t/c.m[1], t%c.m[1]
		start := ((plane/c.m[0]*c.n[0]+plane%c.m[0]*c.s[0])*c.n[1] + row*c.s[1]) * c.n[2]
		dst := c.y[t*line:][:line]
		for i, weight := range c.weights {
			var e kernel.Epilogue[float32] // the first run adds what is to be added, the last one finishes
			if i == 0 {
				e.ColBias = ep.ColBias
				if ep.Add != nil {
					e.Add = ep.Add[t*line:]
				}
			}
			if i == len(c.weights)-1 {
				e.GELU = ep.GELU
				if ep.Pre != nil {
					e.Pre = ep.Pre[t*line:]
				}
			}
			_, offset := c.run(i)
			kernel.GemmPanels(c.m[2], c.x[(start+offset)*c.ci:], c.s[2]*c.ci, weight, dst, c.co, c.acc || i > 0, &e)
		}
	}
}

// inputGrad correlates gy, its points a stride apart and k-1 zeros around them, with the taps in reverse.
func (c *correlation) inputGrad(g *autograd.Grads, gx, gy, w []float32, acc bool) {
	back := correlation{nb: c.nb, ci: c.co, co: c.ci, k: c.k, s: [3]int{1, 1, 1}, m: c.n, used: c.used, reversed: true}
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
	spread, own := c.spread(g, gy, back.n, at)
	back.forward(gx, spread, turned, acc, kernel.Epilogue[float32]{})
	if own {
		g.Free(spread)
	}
	g.Free(turned)
}

// weightGrad is one product over all points for each run of taps: gy takes the places of the points that its first tap sees, zeros those of all
// others.
func (c *correlation) weightGrad(g *autograd.Grads, gw, x, gy []float32, acc bool) {
	spread, own := c.spread(g, gy, c.n, [3]int{})
	points := len(x) / c.ci
	if (c.used != nil || points == 0) && !acc {
		clear(gw)
	}
	if points == 0 {
		return
	}
	for i := range c.runs() {
		r, offset := c.run(i)
		kernel.Gemm(true, false, r.n*c.ci, c.co, points-offset-r.n+1, x[offset*c.ci:], c.ci, spread, c.co, gw[r.first*c.ci*c.co:], c.co, acc)
	}
	if own {
		g.Free(spread)
	}
}

// spread puts gy on a grid of n points, from one place on, a stride apart. The result is the caller's to free if own is set, and gy otherwise.
func (c *correlation) spread(g *autograd.Grads, gy []float32, n, at [3]int) (dst []float32, own bool) {
	if n == c.m {
		return gy, false
	}
	plane := n[1] * n[2] * c.co
	dst = g.Scratch(c.nb * n[0] * plane)
	kernel.ParallelWith(c.nb*n[0], grain(plane), spreading{*c, dst, gy, n, at})
	return dst, true
}

type spreading struct {
	correlation
	dst, gy []float32
	grid    [3]int // points of dst
	at      [3]int // where the first point of gy lies
}

// Chunk fills the planes lo to hi.
func (c *spreading) Chunk(lo, hi int) {
	n, at := c.grid, c.at
	plane := n[1] * n[2] * c.co
	for p := lo; p < hi; p++ {
		part := c.dst[p*plane:][:plane]
		clear(part)
		i := p%n[0] - at[0]
		if i < 0 || i%c.s[0] != 0 || i/c.s[0] >= c.m[0] {
			continue
		}
		from := c.gy[(p/n[0]*c.m[0]+i/c.s[0])*c.m[1]*c.m[2]*c.co:]
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
}
