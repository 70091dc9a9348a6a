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
	spectrum, x    *autograd.Value
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

// tailOf returns the tail of block i, and whether it is one of those that tail does.
func (b *Blocks) tailOf(t *autograd.Tape, i int, x *autograd.Value, size []int) (k tail, ok bool) {
	c := &b.Config
	skip, linear := b.Skips[i].(*LinearSkip)
	if !linear || c.Complex || c.Tanh || c.Preactivation || b.Norms != nil || !slices.Equal(size, x.Shape[1:1+len(size)]) {
		return k, false
	}
	conv := b.Convs[i]
	k = tail{x: x, n: size[len(size)-1], nc: c.Channels, last: i == c.Layers-1, bias: t.Param(conv.Bias), w: t.Param(skip.Conv.Weight)}
	if c.NoMLP {
		return k, k.last // else s is applied twice
	}
	mlp, plain := b.MLPs[i].(*nn.ChannelMLP)
	if !plain || len(mlp.FCs) != 2 || mlp.Dropout > 0 && t.Train {
		return k, false
	}
	switch around := b.MLPSkips[i].(type) {
	case nil:
	case *nn.SoftGating:
		if around.Bias != nil {
			return k, false
		}
		k.gate = t.Param(around.Weight)
	default:
		return k, false
	}
	a, o := mlp.FCs[0], mlp.FCs[1]
	k.nh = a.Weight.Shape[0]
	k.m1, k.c1, k.m2, k.c2 = t.Param(a.Weight), t.Param(a.Bias), t.Param(o.Weight), t.Param(o.Bias)
	return k, true
}

// forward returns y for the spectrum.
func (k *tail) forward(plan *plan, spectrum *autograd.Value) *autograd.Value {
	x := k.x
	k.spectrum, k.plan = spectrum, plan
	k.chain = grid(plan.inverse, plan.out, x.Shape[0], k.nc)
	k.line = k.chain.step(len(plan.out) - 1)
	k.lines = k.line.outer * k.line.q
	t := x.Tape()
	out := t.Alloc(x.Shape...)
	in := []*autograd.Value{spectrum, x, k.bias, k.w, k.m1, k.c1, k.m2, k.c2, k.gate}
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
	k.run(out.Data, k.chain.synthesiseOthers(spectrum.Data, work))
	plan.work.Put(work)
	return autograd.Record("spectral.tail", out, in, *k)
}

// chunk is how many lines are worked on at a time: as many as one task of an element-wise kernel has.
func (k *tail) chunk() int { return max(1, 1<<15/(k.n*k.nc)) }

func (k *tail) run(y, half []float32) {
	nc, nh := k.nc, k.nh
	f := tailForward{tail: *k, y: y, half: half, pw: kernel.Pack(true, nc, nc, k.w.Data, nc)}
	f.ep.ColBias = data(k.bias)
	defer f.pw.Release()
	if nh > 0 {
		f.pm1, f.pm2 = kernel.Pack(true, nc, nh, k.m1.Data, nc), kernel.Pack(true, nh, nc, k.m2.Data, nh)
		defer f.pm1.Release()
		defer f.pm2.Release()
	}
	kernel.ParallelWith(k.lines, k.chunk(), f)
}

type tailForward struct {
	tail
	y, half      []float32 // half lacks the last axis only
	pw, pm1, pm2 *kernel.Panels[float32]
	ep           kernel.Epilogue[float32] // of the last axis
}

// Chunk does the lines lo to hi.
func (k *tailForward) Chunk(lo, hi int) {
	nc, nh := k.nc, k.nh
	f := newFold(&k.line)
	defer f.release()
	size := k.chunk() * k.n
	buf := lines.Get(size * (nc + nh))
	defer lines.Put(buf)
	for ; lo < hi; lo += k.chunk() {
		rows := min(k.chunk(), hi-lo) * k.n
		first := lo * k.n // row
		yc, xc := k.y[first*nc:][:rows*nc], k.x.Data[first*nc:][:rows*nc]
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
			f.synthesise(u[onGrid-first*nc:], k.half[onSpectrum:], false, &k.ep)
		}
		kernel.GemmPanels(rows, xc, nc, k.pw, u, nc, true, &ep)
		if nh == 0 {
			continue
		}
		ep = kernel.Epilogue[float32]{ColBias: data(k.c1), GELU: true}
		if k.p != nil {
			ep.Pre = k.p[first*nh:]
		}
		kernel.GemmPanels(rows, u, nc, k.pm1, h, nh, false, &ep)
		if k.gate != nil {
			kernel.MulRow(yc, xc, k.gate.Data, rows, nc)
		}
		ep = kernel.Epilogue[float32]{ColBias: data(k.c2), GELU: !k.last}
		if k.q != nil {
			ep.Pre = k.q[first*nc:]
		}
		kernel.GemmPanels(rows, h, nh, k.pm2, yc, nc, k.gate != nil, &ep)
	}
}

// Backward goes through the lines once, in groups with sums of their own:
//
//	gq = gy s'(q),  gw = sum gq x,  gc2 = sum gq,  gM2 = gq' h,  gp = (gq M2) GELU'(p),  gc1 = sum gp,  gM1 = gp' u,
//	gz = (gp M1) s'(z),  gb = sum gz,  gW = gz' x,  gx = w gq + gz W,  gY = (F^-1)' gz.
func (k *tail) Backward(g *autograd.Grads, gy []float32) {
	nc, nh := k.nc, k.nh
	b := tailBackward{tail: *k, gy: gy}
	if k.x.NeedsGrad() {
		b.gx, b.acc = g.Buffer(k.x)
		b.pw = kernel.Pack(false, nc, nc, k.w.Data, nc)
		defer b.pw.Release()
	}
	if nh > 0 {
		b.pm1, b.pm2 = kernel.Pack(false, nh, nc, k.m1.Data, nc), kernel.Pack(false, nc, nh, k.m2.Data, nh)
		defer b.pm1.Release()
		defer b.pm2.Release()
	}
	back := grid(k.plan.inverseBack, k.plan.out, k.x.Shape[0], nc)
	b.line = back.step(len(k.plan.out) - 1)
	b.half = g.Scratch(b.line.spectralSize())
	defer g.Free(b.half)
	autograd.SumOver(g, k.lines, (1<<9+k.n-1)/k.n, []*autograd.Value{k.bias, k.w, k.m1, k.c1, k.m2, k.c2, k.gate}, b)
	if !k.spectrum.NeedsGrad() {
		return
	}
	gs, acc := g.Buffer(k.spectrum)
	dst := gs
	if acc {
		dst = g.Scratch(len(gs))
		defer g.Free(dst)
	}
	if len(k.plan.out) == 1 {
		copy(dst, b.half)
	} else {
		work := k.plan.work.Get(back.workSize())
		back.analyseOthers(dst, b.half, work)
		k.plan.work.Put(work)
	}
	if acc {
		kernel.Add(gs, gs, dst)
	}
}

// tailBackward is the way back through the lines.
type tailBackward struct {
	tail         // line is the way back of the last axis
	gy, gx, half []float32
	acc          bool // add to gx
	pw, pm1, pm2 *kernel.Panels[float32]
}

// Rows goes through the lines lo to hi and adds to the gradients of the parameters.
func (k *tailBackward) Rows(lo, hi int, part [][]float32) {
	gb, gw, gm1, gc1, gm2, gc2, ggate := part[0], part[1], part[2], part[3], part[4], part[5], part[6]
	nc, nh := k.nc, k.nh
	f := newFold(&k.line)
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
		gc, xc, z, p, q := span(k.gy, nc), span(k.x.Data, nc), span(k.z, nc), span(k.p, nh), span(k.q, nc)
		gz := gq
		if nh > 0 {
			if k.last {
				gq = gc
			} else {
				kernel.GELUGrad(gq, gc, q, false)
			}
			kernel.GemmPanels(rows, gq, nc, k.pm2, gp, nh, false, &kernel.Epilogue[float32]{GELUGrad: p})
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
			if k.gx != nil && k.gate != nil {
				if k.acc {
					kernel.MulAddRow(span(k.gx, nc), gq, k.gate.Data, rows, nc)
				} else {
					kernel.MulRow(span(k.gx, nc), gq, k.gate.Data, rows, nc)
				}
			}
			gz = buf[:rows*nc]
			ep := kernel.Epilogue[float32]{}
			if !k.last {
				ep.GELUGrad = z
			}
			kernel.GemmPanels(rows, gp, nh, k.pm1, gz, nc, false, &ep)
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
		if k.gx != nil {
			kernel.GemmPanels(rows, gz, nc, k.pw, span(k.gx, nc), nc, k.acc || nh > 0 && k.gate != nil, nil)
		}
		for i := range rows / k.n {
			onGrid, onSpectrum := k.line.at(lo + i)
			f.analyse(k.half[onSpectrum:], gz[onGrid-first*nc:])
		}
	}
}

// data returns the elements of v, nil where v is.
func data(v *autograd.Value) []float32 {
	if v == nil {
		return nil
	}
	return v.Data
}
