package spectral

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// A spectrum on the tape has the shape [modes, 2, batch, channels]: a mode's real and imaginary parts are two blocks of batch rows,
// modes numbered with the last axis of the grid first.

// grid returns the chain of factors for a batch on the grid n.
func grid(factors []factor, n []int, batch, channels int) chain {
	return chain{factors: factors, n: n, batch: batch, channels: channels}
}

// transform is the truncated transform of x, nb x n1 .. nd x nc, or nb x n1 .. x 2 x nd x nc if complex, to a spectrum.
func transform(p *plan, x *autograd.Value) *autograd.Value {
	nb, nc := x.Shape[0], x.Dim(-1)
	c := grid(p.forward, p.in, nb, nc)
	out := x.Tape().Alloc(len(p.order), 2, nb, nc)
	w := p.work.Get(c.workSize())
	c.analyse(out.Data, x.Data, w)
	p.work.Put(w)
	return autograd.Record("SpectralConv.transform", out, []*autograd.Value{x}, transforming{p, x})
}

type transforming struct {
	plan *plan
	x    *autograd.Value
}

func (o *transforming) Backward(g *autograd.Grads, gy []float32) {
	p := o.plan
	back := grid(p.forwardBack, p.in, o.x.Shape[0], o.x.Dim(-1))
	w := p.work.Get(back.workSize())
	gx, acc := g.Buffer(o.x)
	back.synthesise(gx, gy, w, acc, nil)
	p.work.Put(w)
}

// inverse turns a spectrum into nb x m1 .. md x nc (nb x m1 .. x 2 x md x nc if complex) on the output grid and adds bias[c], to the
// real part; bias may be nil.
func inverse(p *plan, complex bool, x, bias *autograd.Value) *autograd.Value {
	nb, nc := x.Shape[2], x.Shape[3]
	c := grid(p.inverse, p.out, nb, nc)
	last := len(p.out) - 1
	shape := append(append(make([]int, 0, 8), nb), p.out[:last]...)
	if complex {
		shape = append(shape, 2)
	}
	out := x.Tape().Alloc(append(shape, p.out[last], nc)...)
	var b []float32
	if bias != nil && !complex {
		b = bias.Data
	}
	w := p.work.Get(c.workSize())
	c.synthesise(out.Data, x.Data, w, false, b)
	p.work.Put(w)
	if complex && bias != nil {
		eachReal(out.Data, p.out[last]*nc, func(re []float32) {
			kernel.AddRow(re, re, bias.Data, p.out[last], nc)
		})
	}
	return autograd.Record("SpectralConv.inverse", out, []*autograd.Value{x, bias}, inverting{p, complex, x, bias})
}

type inverting struct {
	plan    *plan
	complex bool
	x, bias *autograd.Value
}

func (o *inverting) Backward(g *autograd.Grads, gy []float32) {
	p, x, bias := o.plan, o.x, o.bias
	nb, nc := x.Shape[2], x.Shape[3]
	points := p.out[len(p.out)-1]
	needs := bias.NeedsGrad()
	if needs && o.complex {
		gb := g.Zeroed(bias)
		eachReal(gy, points*nc, func(re []float32) { kernel.ColSum(gb, re, points, nc, true) })
	}
	if !x.NeedsGrad() {
		if needs && !o.complex {
			gb, acc := g.Buffer(bias)
			kernel.ColSum(gb, gy, len(gy)/nc, nc, acc)
		}
		return
	}
	back := grid(p.inverseBack, p.out, nb, nc)
	w := p.work.Get(back.workSize())
	defer p.work.Put(w)
	gx, acc := g.Buffer(x)
	dst := gx
	if acc {
		dst = g.Scratch(len(gx))
		defer g.Free(dst)
	}
	var gb []float32
	if needs && !o.complex {
		gb = g.Zeroed(bias)
	}
	if o.complex {
		back.analyse(dst, gy, w)
	} else {
		back.analyseSum(dst, gy, w, gb, p.scale)
	}
	if acc {
		kernel.Add(gx, gx, dst)
	}
}

// eachReal calls f with the real part of every pair of blocks of n elements.
func eachReal(x []float32, n int, f func(re []float32)) {
	for ; len(x) > 0; x = x[2*n:] {
		f(x[:n])
	}
}
