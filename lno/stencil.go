package lno

import (
	"fmt"
	"slices"

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
	for _, t := range terms {
		if t.table.window != w || t.weight.Len()*t.groups != in*out*t.table.n {
			panic(fmt.Sprintf("lno: stencil: weight %v in %d groups of %d functions on a window of %v for %d x %d channels on a window of %v",
				t.weight.Shape, t.groups, t.table.n, t.table.window, in, out, w))
		}
	}
	tape := terms[0].weight.Tape()
	dst := tape.Alloc(w[0], w[1], w[2], in, out)
	kernel.Fill(dst.Data, 0)
	inputs := make([]*autograd.Value, len(terms))
	for i, t := range terms {
		inputs[i] = t.weight
		t.add(dst.Data, in, out, tape.Scratch(t.weight.Len()))
	}
	return autograd.Record("lno.stencil", dst, inputs, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		for _, t := range terms {
			if t.weight.NeedsGrad() {
				t.weightGrad(g, gy, in, out)
			}
		}
	}))
}

// used tells which taps of the kernel that the terms add up to may differ from zero. A disc leaves the corners of its window out.
func used(terms ...term) []bool {
	u := make([]bool, terms[0].table.taps())
	for _, t := range terms {
		for i, v := range t.table.data {
			if v != 0 {
				u[i%len(u)] = true
			}
		}
	}
	u[0] = u[0] || !slices.Contains(u, true) // a kernel of zeros still has a result
	return u
}

// add adds the term to a kernel. work holds the weights of each group turned over: in/groups x n x out/groups.
func (t *term) add(dst []float32, in, out int, work []float32) {
	ig, og, n, taps := in/t.groups, out/t.groups, t.table.n, t.table.taps()
	kernel.Transpose(work, t.weight.Data, t.groups, og, ig*n)
	kernel.Parallel(in, grain(taps*og*n), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			kernel.Gemm(true, false, taps, og, n, t.table.data, taps, work[i*n*og:], og, dst[i*out+i/ig*og:], in*out, true)
		}
	})
}

// weightGrad is the adjoint of add.
func (t *term) weightGrad(g *autograd.Grads, gy []float32, in, out int) {
	ig, og, n, taps := in/t.groups, out/t.groups, t.table.n, t.table.taps()
	work := g.Scratch(t.weight.Len())
	kernel.Parallel(in, grain(taps*og*n), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			kernel.Gemm(false, false, n, og, taps, t.table.data, taps, gy[i*out+i/ig*og:], in*out, work[i*n*og:], og, false)
		}
	})
	gw, acc := g.Buffer(t.weight)
	if !acc {
		kernel.Transpose(gw, work, t.groups, ig*n, og)
	} else {
		turned := g.Scratch(len(work))
		kernel.Transpose(turned, work, t.groups, ig*n, og)
		kernel.Add(gw, gw, turned)
		g.Free(turned)
	}
	g.Free(work)
}

// grain is how many items, of the given number of steps each, make a task worth starting.
func grain(steps int) int { return 1 + 1<<16/max(1, steps) }
