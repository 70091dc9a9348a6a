package lno

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// term is a part of a kernel: weights, out x in/groups x n, times a table of n functions.
type term struct {
	weight *autograd.Value
	groups int
	table  *table
}

// stencil returns the kernel that the terms add up to, k1 x k2 x k3 x in x out,
//
//	K[t, i, o] = sum over terms and functions j of B[j, t] W[o, i, j],
//
// on the window that all tables share. A term in groups is zero between channels of different groups. Terms that are all linear and local
// become one convolution in this way, whatever their number.
func stencil(in, out int, terms ...term) *autograd.Value {
	w := terms[0].table.window
	o := assembling{in: in, out: out}
	var inputs [maxTerms]*autograd.Value
	for i, t := range terms {
		if t.table.window != w || t.weight.Len()*t.groups != in*out*t.table.n {
			panic(fmt.Sprintf("lno: stencil: weight %v in %d groups of %d functions on a window of %v for %d x %d channels on a window of %v",
				t.weight.Shape, t.groups, t.table.n, t.table.window, in, out, w))
		}
		o.terms[i], inputs[i] = t, t.weight
	}
	tape := terms[0].weight.Tape()
	dst := tape.Alloc(w[0], w[1], w[2], in, out)
	kernel.Fill(dst.Data, 0)
	for _, t := range terms {
		t.add(dst.Data, in, out, tape.Scratch(t.weight.Len()))
	}
	return autograd.Record("lno.stencil", dst, inputs[:], o)
}

// maxTerms is how many terms a stencil may have: the path around, a differential kernel and an integral one.
const maxTerms = 3

type assembling struct {
	terms   [maxTerms]term // those beyond the last one have no weight
	in, out int
}

func (o *assembling) Backward(g *autograd.Grads, gy []float32) {
	for _, t := range o.terms {
		if t.weight.NeedsGrad() {
			t.weightGrad(g, gy, o.in, o.out)
		}
	}
}

// add adds the term to a kernel. work holds the weights of each group turned over: in/groups x n x out/groups.
func (t *term) add(dst []float32, in, out int, work []float32) {
	p := termProducts{term: *t, kernel: dst, work: work, in: in, out: out}
	ig, og := p.channels()
	kernel.Transpose(work, t.weight.Data, t.groups, og, ig*t.table.n)
	kernel.ParallelWith(in, p.grain(), p)
}

// weightGrad is the adjoint of add.
func (t *term) weightGrad(g *autograd.Grads, gy []float32, in, out int) {
	p := termProducts{term: *t, kernel: gy, work: g.Scratch(t.weight.Len()), in: in, out: out, back: true}
	ig, og := p.channels()
	kernel.ParallelWith(in, p.grain(), p)
	gw, acc := g.Buffer(t.weight)
	if !acc {
		kernel.Transpose(gw, p.work, t.groups, ig*t.table.n, og)
	} else {
		turned := g.Scratch(len(p.work))
		kernel.Transpose(turned, p.work, t.groups, ig*t.table.n, og)
		kernel.Add(gw, gw, turned)
		g.Free(turned)
	}
	g.Free(p.work)
}

// termProducts are those of the table with the weights of each input channel, which are added to a kernel, or, back, with the kernel's
// gradient, which make that of the weights.
type termProducts struct {
	term
	kernel, work []float32
	in, out      int
	back         bool
}

// channels returns the numbers of input and output channels of a group.
func (p *termProducts) channels() (ig, og int) { return p.in / p.groups, p.out / p.groups }

func (p *termProducts) grain() int { return grain(p.table.taps() * p.out / p.groups * p.table.n) }

// Chunk does the input channels lo to hi.
func (p *termProducts) Chunk(lo, hi int) {
	n, taps := p.table.n, p.table.taps()
	ig, og := p.channels()
	for i := lo; i < hi; i++ {
		k, w := p.kernel[i*p.out+i/ig*og:], p.work[i*n*og:]
		if p.back {
			kernel.Gemm(false, false, n, og, taps, p.table.data, taps, k, p.in*p.out, w, og, false)
		} else {
			kernel.Gemm(true, false, taps, og, n, p.table.data, taps, w, og, k, p.in*p.out, true)
		}
	}
}

// grain is how many items, of the given number of steps each, make a task worth starting.
func grain(steps int) int { return 1 + 1<<16/max(1, steps) }
