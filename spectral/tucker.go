package spectral

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// newTucker returns a decomposition with about rank times the numbers of a tensor of this shape, whose product has elements of
// standard deviation std.
func newTucker(shape []int, rank, std float64, rng *rand.Rand) Weight {
	ranks := tuckerRanks(shape, rank)
	// An element of the product is a sum of prod(ranks) terms of len(shape)+1 independent numbers.
	terms := 1.0
	for _, r := range ranks {
		terms *= float64(r)
	}
	each := math.Pow(std/math.Sqrt(terms), 1/float64(len(shape)+1))
	w := Weight{Core: newComplex(ranks, each, rng), Factors: map[string]*autograd.Param{}}
	for i, n := range shape {
		w.Factors[factorName(i)] = newComplex([]int{n, ranks[i]}, each, rng)
	}
	return w
}

func factorName(i int) string { return fmt.Sprintf("factor_%d", i) }

// tuckerRanks returns ranks x n_i, rounded and at least 1, with one x for all axes such that core and factors together have rank
// times as many numbers as the tensor: prod(n) x^d + sum(n_i^2) x = rank prod(n).
func tuckerRanks(shape []int, rank float64) []int {
	full, square := 1.0, 0.0
	for _, n := range shape {
		full *= float64(n)
		square += float64(n) * float64(n)
	}
	lo, hi := 0.0, 1.0
	for range 60 { // the left side grows with x
		if x := (lo + hi) / 2; full*math.Pow(x, float64(len(shape)))+square*x < rank*full {
			lo = x
		} else {
			hi = x
		}
	}
	ranks := make([]int, len(shape))
	for i, n := range shape {
		ranks[i] = max(1, int(math.RoundToEven(lo*float64(n))))
	}
	return ranks
}

// multiply applies the decomposed R to a spectrum: into the core's channels, by the core of each mode, out of them. The full weight
// is never built.
func (w *Weight) multiply(p *plan, x *autograd.Value) *autograd.Value {
	t := x.Tape()
	core := t.Param(w.Core)
	for a, k := range p.kept {
		f := t.Param(w.Factors[factorName(2+a)])
		if len(k.in) != f.Shape[0] {
			f = autograd.Narrow(f, 0, k.first, len(k.in))
		}
		core = modeProduct(core, f, 2+a)
	}
	x = mix(p, x, t.Param(w.Factors[factorName(0)]))
	x = mix(p, x, core)
	return mix(p, x, autograd.Permute(t.Param(w.Factors[factorName(1)]), 1, 0, 2))
}

// modeProduct contracts one axis of a complex tensor with the second axis of a complex matrix:
//
//	y[.., m, ..] = sum over r of u[m, r] x[.., r, ..].
func modeProduct(x, u *autograd.Value, axis int) *autograd.Value {
	nm, nr := u.Shape[0], u.Shape[1]
	outer, inner := 1, 1
	for i, n := range x.Shape[:x.Rank()-1] {
		if i < axis {
			outer *= n
		} else if i > axis {
			inner *= n
		}
	}
	shape := append(make([]int, 0, 8), x.Shape...)
	shape[axis] = nm
	out := x.Tape().Alloc(shape...)
	kernel.ParallelWith(outer, 1+4096/(nr*nm*inner), contraction{out.Data, x.Data, u.Data, nr, nm, inner, false})
	return autograd.Record("SpectralConv.modeProduct", out, []*autograd.Value{x, u}, contracting{x, u, outer, inner})
}

type contracting struct {
	x, u         *autograd.Value
	outer, inner int
}

func (o *contracting) Backward(g *autograd.Grads, gy []float32) {
	x, u, outer, inner := o.x, o.u, o.outer, o.inner
	nm, nr := u.Shape[0], u.Shape[1]
	if x.NeedsGrad() {
		// gx = u^H gy
		adjoint := g.Scratch(u.Len())
		for m := range nm {
			for r := range nr {
				adjoint[2*(r*nm+m)], adjoint[2*(r*nm+m)+1] = u.Data[2*(m*nr+r)], -u.Data[2*(m*nr+r)+1]
			}
		}
		gx, acc := g.Buffer(x)
		kernel.ParallelWith(outer, 1+4096/(nr*nm*inner), contraction{gx, gy, adjoint, nm, nr, inner, acc})
		g.Free(adjoint)
	}
	if u.NeedsGrad() {
		gu := g.Zeroed(u)
		for m := range nm {
			for r := range nr {
				var re, im float64
				for o := range outer {
					a, b := gy[2*(o*nm+m)*inner:][:2*inner], x.Data[2*(o*nr+r)*inner:][:2*inner]
					for i := 0; i < len(a); i += 2 {
						re += float64(a[i]*b[i] + a[i+1]*b[i+1])
						im += float64(a[i+1]*b[i] - a[i]*b[i+1])
					}
				}
				gu[2*(m*nr+r)] += float32(re)
				gu[2*(m*nr+r)+1] += float32(im)
			}
		}
	}
}

// contraction computes y[o, m, i] = sum over r of u[m, r] x[o, r, i] in complex numbers, or adds it if acc.
type contraction struct {
	y, x, u       []float32
	nr, nm, inner int
	acc           bool
}

// Chunk does it for o from lo to hi.
func (c *contraction) Chunk(lo, hi int) {
	nr, nm, inner := c.nr, c.nm, c.inner
	for o := lo; o < hi; o++ {
		for m := range nm {
			d := c.y[2*(o*nm+m)*inner:][:2*inner]
			if !c.acc {
				clear(d)
			}
			for r := range nr {
				re, im := c.u[2*(m*nr+r)], c.u[2*(m*nr+r)+1]
				a := c.x[2*(o*nr+r)*inner:][:2*inner]
				for i := 0; i < len(d); i += 2 {
					d[i] += re*a[i] - im*a[i+1]
					d[i+1] += re*a[i+1] + im*a[i]
				}
			}
		}
	}
}
