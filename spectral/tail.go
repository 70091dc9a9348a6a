package spectral

import (
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/kernel"
)

// tail is what follows the mixing of modes in a block, done in one pass over the lines of the grid: with the spectrum Y and the block's
// input x,
//
//	z = F^-1 Y + b + W x,     u = s(z),     p = M1 u + c1,     h = GELU(p),     q = M2 h + c2 + w x,     y = s(q),
//
// or y = u where there is no perceptron. Some lines at a time, all of it happens within the second-level cache; z, p and q are written
// down only where a gradient is wanted.
type tail struct {
	plan           *plan
	chain          chain
	line           step // the last axis
	lines, n       int  // of the grid, points of a line
	nc, nh         int  // channels, hidden ones; nh is 0 without a perceptron
	last           bool // s is the identity, else GELU
	z, p, q        []float32
	bias, w        *autograd.Value // b, nil where there is none; W
	m1, c1, m2, c2 *autograd.Value
	gate           *autograd.Value // w, nil where there is none
}

// tailOf returns the tail of block i if it is one of those that tail does, else nil.
func (b *Blocks) tailOf(t *autograd.Tape, i int, x *autograd.Value, size []int) *tail {
	c := &b.Config
	skip, ok := b.Skips[i].(*LinearSkip)
	if !ok || c.Complex || c.Tanh || c.Preactivation || b.Norms != nil || !slices.Equal(size, x.Shape[1:1+len(size)]) {
		return nil
	}
	param := func(p *autograd.Param) *autograd.Value {
		if p == nil {
			return nil
		}
		return t.Param(p)
	}
	conv := b.Convs[i]
	k := &tail{n: size[len(size)-1], nc: c.Channels, last: i == c.Layers-1, bias: param(conv.Bias), w: t.Param(skip.Conv.Weight)}
	if c.NoMLP {
		if !k.last {
			return nil // s is applied twice
		}
		return k
	}
	mlp, ok := b.MLPs[i].(*nn.ChannelMLP)
	if !ok || len(mlp.FCs) != 2 || mlp.Dropout > 0 && t.Train {
		return nil
	}
	switch around := b.MLPSkips[i].(type) {
	case nil:
	case *nn.SoftGating:
		if around.Bias != nil {
			return nil
		}
		k.gate = t.Param(around.Weight)
	default:
		return nil
	}
	a, o := mlp.FCs[0], mlp.FCs[1]
	k.nh = a.Weight.Shape[0]
	k.m1, k.c1, k.m2, k.c2 = t.Param(a.Weight), param(a.Bias), t.Param(o.Weight), param(o.Bias)
	return k
}

// forward returns y for the spectrum and x.
func (k *tail) forward(plan *plan, spectrum, x *autograd.Value) *autograd.Value {
	nb := x.Shape[0]
	k.plan = plan
	k.chain = grid(plan.inverse, plan.out, nb, k.nc)
	k.line = k.chain.step(len(plan.out) - 1)
	k.lines = k.line.outer * k.line.q
	in := []*autograd.Value{spectrum, x}
	for _, v := range k.params() {
		if v != nil {
			in = append(in, v)
		}
	}
	t := x.Tape()
	out := t.Alloc(x.Shape...)
	if slices.ContainsFunc(in, (*autograd.Value).NeedsGrad) {
		if !k.last || k.nh > 0 {
			k.z = t.Scratch(x.Len())
		}
		if k.nh > 0 {
			k.p = t.Scratch(x.Len() / k.nc * k.nh)
			if !k.last {
				k.q = t.Scratch(x.Len())
			}
		}
	}
	work := plan.work.Get(k.chain.workSize())
	k.run(out.Data, k.chain.synthesiseOthers(spectrum.Data, work), x.Data)
	plan.work.Put(work)
	return autograd.Record("spectral.tail", out, in, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) { k.backward(g, gy, spectrum, x) }))
}

// params lists the parameters, any of which may be nil.
func (k *tail) params() []*autograd.Value {
	return []*autograd.Value{k.bias, k.w, k.m1, k.c1, k.m2, k.c2, k.gate}
}

// chunk is how many lines are worked on at a time: as many as one task of an element-wise kernel has.
func (k *tail) chunk() int { return max(1, 1<<15/(k.n*k.nc)) }

func (k *tail) run(y, half, x []float32) {
	nc, nh := k.nc, k.nh
	w := kernel.Pack(true, nc, nc, k.w.Data, nc)
	defer w.Release()
	var m1, m2 *kernel.Panels[float32]
	if nh > 0 {
		m1, m2 = kernel.Pack(true, nc, nh, k.m1.Data, nc), kernel.Pack(true, nh, nc, k.m2.Data, nh)
		defer m1.Release()
		defer m2.Release()
	}
	bias := kernel.Epilogue[float32]{ColBias: data(k.bias)}
	kernel.Parallel(k.lines, k.chunk(), func(lo, hi int) {
		f := newFold(&k.line)
		defer f.release()
		size := k.chunk() * k.n
		buf := lines.Get(size * (nc + nh))
		defer lines.Put(buf)
		for ; lo < hi; lo += k.chunk() {
			rows := min(k.chunk(), hi-lo) * k.n
			first := lo * k.n // row
			yc, xc := y[first*nc:][:rows*nc], x[first*nc:][:rows*nc]
			u, h := buf[:rows*nc], buf[size*nc:][:rows*nh]
			ep := kernel.Epilogue[float32]{GELU: !k.last}
			switch {
			case nh == 0:
				u = yc
			case k.last && k.z != nil:
				u = k.z[first*nc:][:rows*nc]
			}
			if !k.last && k.z != nil {
				ep.Pre = k.z[first*nc:]
			}
			for i := range rows / k.n {
				onGrid, onSpectrum := k.line.at(lo + i)
				f.synthesise(u[onGrid-first*nc:], half[onSpectrum:], false, &bias)
			}
			kernel.GemmPanels(rows, xc, nc, w, u, nc, true, &ep)
			if nh == 0 {
				continue
			}
			ep = kernel.Epilogue[float32]{ColBias: data(k.c1), GELU: true}
			if k.p != nil {
				ep.Pre = k.p[first*nh:]
			}
			kernel.GemmPanels(rows, u, nc, m1, h, nh, false, &ep)
			if k.gate != nil {
				kernel.MulRow(yc, xc, k.gate.Data, rows, nc)
			}
			ep = kernel.Epilogue[float32]{ColBias: data(k.c2), GELU: !k.last}
			if k.q != nil {
				ep.Pre = k.q[first*nc:]
			}
			kernel.GemmPanels(rows, h, nh, m2, yc, nc, k.gate != nil, &ep)
		}
	})
}

// backward goes through the lines once, in groups with sums of their own:
//
//	gq = gy s'(q),  gw = sum gq x,  gc2 = sum gq,  gM2 = gq' h,  gp = (gq M2) GELU'(p),  gc1 = sum gp,  gM1 = gp' u,
//	gz = (gp M1) s'(z),  gb = sum gz,  gW = gz' x,  gx = w gq + gz W,  gY = (F^-1)' gz.
func (k *tail) backward(g *autograd.Grads, gy []float32, spectrum, x *autograd.Value) {
	nc, nh := k.nc, k.nh
	var gx []float32
	var acc bool
	var w, m1, m2 *kernel.Panels[float32]
	if x.NeedsGrad() {
		gx, acc = g.Buffer(x)
		w = kernel.Pack(false, nc, nc, k.w.Data, nc)
		defer w.Release()
	}
	if nh > 0 {
		m1, m2 = kernel.Pack(false, nh, nc, k.m1.Data, nc), kernel.Pack(false, nc, nh, k.m2.Data, nh)
		defer m1.Release()
		defer m2.Release()
	}
	back := grid(transposed(k.plan.inverse), k.plan.out, x.Shape[0], nc)
	line := back.step(len(k.plan.out) - 1)
	half := g.Scratch(line.spectralSize())
	defer g.Free(half)
	g.SumOver(k.lines, (1<<9+k.n-1)/k.n, k.params(), func(lo, hi int, part [][]float32) {
		gb, gw, gm1, gc1, gm2, gc2, ggate := part[0], part[1], part[2], part[3], part[4], part[5], part[6]
		f := newFold(&line)
		defer f.release()
		size := k.chunk() * k.n
		buf := lines.Get(size * (2*nc + 2*nh))
		defer lines.Put(buf)
		for ; lo < hi; lo += k.chunk() {
			rows := min(k.chunk(), hi-lo) * k.n
			first := lo * k.n
			span := func(v []float32, width int) []float32 {
				if v == nil {
					return nil
				}
				return v[first*width:][:rows*width]
			}
			gq, u := buf[:rows*nc], buf[size*nc:][:rows*nc]
			h, gp := buf[2*size*nc:][:rows*nh], buf[size*(2*nc+nh):][:rows*nh]
			gc, xc, z, p, q := span(gy, nc), span(x.Data, nc), span(k.z, nc), span(k.p, nh), span(k.q, nc)
			gz := gq
			if nh > 0 {
				if k.last {
					gq = gc
				} else {
					kernel.GELUGrad(gq, gc, q, false)
				}
				kernel.GemmPanels(rows, gq, nc, m2, gp, nh, false, &kernel.Epilogue[float32]{GELUGrad: p})
				if ggate != nil {
					kernel.AddColDot(ggate, gq, xc, rows, nc)
				}
				if gc2 != nil {
					kernel.AddColSum(gc2, gq, rows, nc)
				}
				if gm2 != nil {
					kernel.GELU(h, p)
					kernel.GemmSerial(true, false, nc, nh, rows, gq, nc, h, nh, gm2, nh, true, nil)
				}
				if gc1 != nil {
					kernel.AddColSum(gc1, gp, rows, nh)
				}
				if gm1 != nil {
					if k.last {
						u = z
					} else {
						kernel.GELU(u, z)
					}
					kernel.GemmSerial(true, false, nh, nc, rows, gp, nh, u, nc, gm1, nc, true, nil)
				}
				if gx != nil && k.gate != nil {
					if acc {
						kernel.MulAddRow(span(gx, nc), gq, k.gate.Data, rows, nc)
					} else {
						kernel.MulRow(span(gx, nc), gq, k.gate.Data, rows, nc)
					}
				}
				gz = buf[:rows*nc]
				ep := kernel.Epilogue[float32]{}
				if !k.last {
					ep.GELUGrad = z
				}
				kernel.GemmPanels(rows, gp, nh, m1, gz, nc, false, &ep)
			} else if k.last {
				gz = gc
			} else {
				kernel.GELUGrad(gz, gc, z, false)
			}
			if gb != nil {
				kernel.AddColSum(gb, gz, rows, nc)
			}
			if gw != nil {
				kernel.GemmSerial(true, false, nc, nc, rows, gz, nc, xc, nc, gw, nc, true, nil)
			}
			if gx != nil {
				kernel.GemmPanels(rows, gz, nc, w, span(gx, nc), nc, acc || nh > 0 && k.gate != nil, nil)
			}
			for i := range rows / k.n {
				onGrid, onSpectrum := line.at(lo + i)
				f.analyse(half[onSpectrum:], gz[onGrid-first*nc:])
			}
		}
	})
	if !spectrum.NeedsGrad() {
		return
	}
	gs, acc := g.Buffer(spectrum)
	dst := gs
	if acc {
		dst = g.Scratch(len(gs))
		defer g.Free(dst)
	}
	if len(k.plan.out) == 1 {
		copy(dst, half)
	} else {
		work := k.plan.work.Get(back.workSize())
		back.analyseOthers(dst, half, work)
		k.plan.work.Put(work)
	}
	if acc {
		kernel.Add(gs, gs, dst)
	}
}

// data returns the elements of v, nil where v is.
func data(v *autograd.Value) []float32 {
	if v == nil {
		return nil
	}
	return v.Data
}
