package spectral

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// mix multiplies the channels of every mode of a spectrum by a complex matrix, Y[o] = sum over i of X[i] W[i, o]. w is ni x no x
// k1 .. kd x 2, the kept modes, or ni x no x 2, the same matrix for all modes.
func mix(p *plan, x, w *autograd.Value) *autograd.Value {
	if w.Rank() == 3 {
		return mixAlike(x, w)
	}
	return mixRows(p.order, p.places, w.Shape[2], x, w)
}

// mixRows is mix by a part of a weight, ni x no x m1 .. md x 2: rows says which modes take part, k1 of them along the first axis.
//
// A mode's batch is a real matrix of 2 nb rows, first all real parts, then all imaginary ones. With X' = iX in the same layout,
//
//	Y = [X X'] [Re W; Im W]
//
// is one real product per mode. Its gradients are [Re gW; Im gW] = [X X']' gY, and gX = A - iB in that layout with
// [A B] = gY [Re W; Im W]'.
//
// Weights are stored with the modes last, products need them first. Blocks of a few input and output channels, all modes of them, are
// transposed within the cache and used, or made there and transposed on their way out: a weight, often larger than the
// rest of the data, is read or written once.
func mixRows(order, rows []int, k1 int, x, w *autograd.Value) *autograd.Value {
	if byLanes {
		return mixLanes(order, rows, x, w)
	}
	m := mixer{nb: x.Shape[2], ni: x.Shape[3], no: w.Shape[1], k1: k1, order: order, rows: rows}
	m.stored = w.Len() / (2 * m.ni * m.no)
	t := x.Tape()
	// [X X'] serves the gradient of the weight too.
	var doubled []float32
	if size := 2 * x.Len(); w.NeedsGrad() {
		doubled = t.Scratch(size)
	} else {
		doubled = spectra.Get(size)
		defer spectra.Put(doubled)
	}
	m.double(doubled, x.Data)
	out := t.Alloc(x.Shape[0], 2, m.nb, m.no)
	m.forward(out.Data, doubled, w.Data)
	return autograd.Record("SpectralConv.mix", out, []*autograd.Value{x, w}, mixing{m, x, w, doubled})
}

type mixing struct {
	mixer
	x, w    *autograd.Value
	doubled []float32 // of x, where w needs a gradient
}

func (o *mixing) Backward(g *autograd.Grads, gy []float32) {
	if o.x.NeedsGrad() {
		gx, acc := g.Buffer(o.x)
		o.inputGrad(gx, gy, o.w.Data, acc)
	}
	if o.w.NeedsGrad() {
		gw, acc := g.Buffer(o.w)
		o.weightGrad(gw, o.doubled, gy, acc)
	}
}

// A tile holds the weights of a block of channels: per mode a matrix of 2c x b, the real parts of c input channels above their
// imaginary parts, for b output channels. With all modes of SPAMoE's layers it fills half of a second-level cache.
const (
	blockIn  = 16
	blockOut = 32
)

type mixer struct {
	nb, ni, no int
	k1         int   // modes of the first axis
	order      []int // the place of each mode in the spectrum; along the first axis neighbours are neighbours
	rows       []int // its place in the weight; along the first axis at equal distances
	stored     int   // modes of the weight
}

// tile is a block of channels: i0 .. i0+c of the input, o0 .. o0+b of the output.
type tile struct{ i0, c, o0, b int }

func (m *mixer) tile(i, o int) tile {
	t := tile{i0: i * blockIn, o0: o * blockOut}
	t.c, t.b = min(blockIn, m.ni-t.i0), min(blockOut, m.no-t.o0)
	return t
}

func blocks(n, size int) int { return (n + size - 1) / size }

// load transposes a block of the weight into a tile, modes of the whole weight.
func (m *mixer) load(dst, w []float32, t tile) {
	for i := range t.c {
		src := w[((t.i0+i)*m.no+t.o0)*2*m.stored:][:2*m.stored*t.b]
		dst[i*t.b] = touch(src)
		kernel.TransposeBlock(dst[i*t.b:], t.c*t.b, src, 2*m.stored, t.b, 2*m.stored)
	}
}

// products calls f for groups of modes along the first axis: s is the first one's place in the spectrum, where the others follow, r its
// place in the weight, where they are step apart.
func (m *mixer) products(f func(s, r, step int)) {
	rest := len(m.order) / m.k1
	step := 0
	if m.k1 > 1 {
		step = m.rows[rest] - m.rows[0]
	}
	for j := range rest {
		f(m.order[j], m.rows[j], step)
	}
}

// forward computes Y, block by block of output channels.
func (m *mixer) forward(y, doubled, w []float32) {
	kernel.ParallelWith(blocks(m.no, blockOut), 1, mixForward{*m, y, doubled, w})
}

type mixForward struct {
	mixer
	y, doubled, w []float32
}

// Chunk does the blocks lo to hi.
func (m *mixForward) Chunk(lo, hi int) {
	rows, ni, no := 2*m.nb, m.ni, m.no
	buf := tiles.Get(2 * m.stored * blockIn * blockOut)
	defer tiles.Put(buf)
	for o := lo; o < hi; o++ {
		for i := range blocks(ni, blockIn) {
			t := m.tile(i, o)
			m.load(buf, m.w, t)
			m.products(func(s, r, step int) {
				size := 2 * t.c * t.b
				kernel.GemmBatch(false, false, m.k1, rows, t.b, 2*t.c, m.doubled[2*(s*rows*ni+t.i0):], 2*ni, 2*rows*ni,
					buf[r*size:], t.b, step*size, m.y[s*rows*no+t.o0:], no, rows*no, i > 0)
			})
		}
	}
}

// inputGrad computes gX, block by block of input channels.
func (m *mixer) inputGrad(gx, gy, w []float32, acc bool) {
	doubled := spectra.Get(2 * len(gx))
	defer spectra.Put(doubled)
	kernel.ParallelWith(blocks(m.ni, blockIn), 1, mixInputGrad{*m, doubled, gy, w})
	m.halve(gx, doubled, acc)
}

type mixInputGrad struct {
	mixer
	doubled, gy, w []float32
}

// Chunk does the blocks lo to hi.
func (m *mixInputGrad) Chunk(lo, hi int) {
	rows, ni, no := 2*m.nb, m.ni, m.no
	buf := tiles.Get(2 * m.stored * blockIn * blockOut)
	defer tiles.Put(buf)
	for i := lo; i < hi; i++ {
		for o := range blocks(no, blockOut) {
			t := m.tile(i, o)
			m.load(buf, m.w, t)
			m.products(func(s, r, step int) {
				size := 2 * t.c * t.b
				kernel.GemmBatch(false, true, m.k1, rows, 2*t.c, t.b, m.gy[s*rows*no+t.o0:], no, rows*no,
					buf[r*size:], t.b, step*size, m.doubled[2*(s*rows*ni+t.i0):], 2*ni, 2*rows*ni, o > 0)
			})
		}
	}
}

// weightGrad computes gW, block by block of both.
func (m *mixer) weightGrad(gw, doubled, gy []float32, acc bool) {
	kernel.ParallelWith(blocks(m.ni, blockIn)*blocks(m.no, blockOut), 1, mixWeightGrad{*m, gw, doubled, gy, acc})
}

type mixWeightGrad struct {
	mixer
	gw, doubled, gy []float32
	acc             bool
}

// Chunk does the blocks lo to hi.
func (m *mixWeightGrad) Chunk(lo, hi int) {
	rows, ni, no := 2*m.nb, m.ni, m.no
	across := blocks(no, blockOut)
	buf := tiles.Get(2 * m.stored * blockIn * blockOut)
	defer tiles.Put(buf)
	turned := turns.Get(2 * m.stored * blockOut)
	defer turns.Put(turned)
	for k := lo; k < hi; k++ {
		t := m.tile(k/across, k%across)
		if len(m.rows) < m.stored {
			clear(buf)
		}
		m.products(func(s, r, step int) {
			size := 2 * t.c * t.b
			kernel.GemmBatch(true, false, m.k1, 2*t.c, t.b, rows, m.doubled[2*(s*rows*ni+t.i0):], 2*ni, 2*rows*ni,
				m.gy[s*rows*no+t.o0:], no, rows*no, buf[r*size:], t.b, max(step, 1)*size, false)
		})
		for i := range t.c {
			d := m.gw[((t.i0+i)*no+t.o0)*2*m.stored:][:2*m.stored*t.b]
			kernel.TransposeBlock(turned, 2*m.stored, buf[i*t.b:], t.c*t.b, 2*m.stored, t.b)
			if m.acc {
				kernel.Add(d, d, turned[:len(d)])
			} else {
				copy(d, turned)
			}
		}
	}
}

// double writes [X X'] for the spectrum X, the channels in blocks: those of X, then those of X'. Rows of real parts get minus the
// imaginary ones as X', rows of imaginary parts the real ones.
func (m *mixer) double(dst, x []float32) {
	kernel.ParallelWith(len(m.order)*m.nb, 1+4096/m.ni, mixDouble{m.nb, m.ni, dst, x})
}

type mixDouble struct {
	nb, n  int // n is ni
	dst, x []float32
}

// Chunk does the rows lo to hi.
func (m *mixDouble) Chunk(lo, hi int) {
	n := m.n
	for k := lo; k < hi; k++ {
		r := k/m.nb*2*m.nb + k%m.nb
		re, im := m.x[r*n:][:n], m.x[(r+m.nb)*n:][:n]
		a, b := m.dst[2*r*n:][:2*n], m.dst[2*(r+m.nb)*n:][:2*n]
		for i := 0; i < n; i += blockIn {
			c := min(blockIn, n-i)
			copy(a[2*i:], re[i:i+c])
			copy(b[2*i:], im[i:i+c])
			copy(b[2*i+c:], re[i:i+c])
			d := a[2*i+c:][:c]
			for j, v := range im[i : i+c] {
				d[j] = -v
			}
		}
	}
}

// halve is the adjoint of double.
func (m *mixer) halve(gx, g []float32, acc bool) {
	kernel.ParallelWith(len(m.order)*m.nb, 1+4096/m.ni, mixHalve{m.nb, m.ni, gx, g, acc})
}

type mixHalve struct {
	nb, n int
	gx, g []float32
	acc   bool
}

// Chunk does the rows lo to hi.
func (m *mixHalve) Chunk(lo, hi int) {
	n := m.n
	for k := lo; k < hi; k++ {
		r := k/m.nb*2*m.nb + k%m.nb
		re, im := m.gx[r*n:][:n], m.gx[(r+m.nb)*n:][:n]
		a, b := m.g[2*r*n:][:2*n], m.g[2*(r+m.nb)*n:][:2*n]
		if !m.acc {
			clear(re)
			clear(im)
		}
		for i := 0; i < n; i += blockIn {
			c := min(blockIn, n-i)
			a0, a1, b0, b1 := a[2*i:][:c], a[2*i+c:][:c], b[2*i:][:c], b[2*i+c:][:c]
			p, q := re[i:][:c], im[i:][:c]
			for j := range p {
				p[j] += a0[j] + b1[j]
				q[j] += b0[j] - a1[j]
			}
		}
	}
}
