package autograd

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Grads holds the gradients of one backward pass. They live until the tape is reset.
type Grads struct {
	tape *Tape
	buf  [][]float32 // by Value.id; nil where no gradient has arrived
	of   []Tensor    // by Value.id; what Wrt returns
	// parts is what SumOver hands out.
	parts [][]float32
	// gy is the gradient of the node at work; taken says that Give has passed it on as the gradient of an input.
	gy    []float32
	taken bool
}

// Seed is a value and the gradient of the loss with respect to it: where a backward pass starts.
type Seed struct {
	Value *Value
	Grad  []float32
}

// Backward returns the gradients of v, a scalar, with respect to everything it depends on.
func (v *Value) Backward() *Grads {
	t := on("Backward", v)
	if v.Len() != 1 {
		panic(fmt.Sprintf("autograd: Backward: shape %v is not a scalar; start from seeds", v.Shape))
	}
	return t.Backward(Seed{v, one})
}

// one is the seed of scalars; seeds are only read.
var one = []float32{1}

// Backward runs the tape backwards from the seeds: the gradients are those of the sum over seeds of sum(Value * Grad). Gradients
// of intermediate values are given back as soon as they are used.
func (t *Tape) Backward(seeds ...Seed) *Grads {
	if t.Once && len(t.grads) > 0 {
		panic("autograd: Backward: a second time, on a tape that says Once")
	}
	g := t.newGrads()
	for _, s := range seeds {
		if on("Backward", s.Value) != t {
			panic(fmt.Sprintf("autograd: Backward: a seed of shape %v lies on another tape", s.Value.Shape))
		}
		if len(s.Grad) != s.Value.Len() {
			panic(fmt.Sprintf("autograd: Backward: a seed of %d elements for shape %v", len(s.Grad), s.Value.Shape))
		}
		if s.Value.grad {
			g.Give(s.Value, s.Grad)
		}
	}
	t.sweep(g, 0)
	g.gy = nil
	return g
}

// sweep goes through the nodes backwards, down to number first.
func (t *Tape) sweep(g *Grads, first int) {
	for i := len(t.nodes) - 1; i >= first; i-- {
		n := t.nodes[i] // a copy: Recompute appends to the list, and cuts it off again
		if gy := g.buf[n.out.id]; gy != nil {
			g.gy, g.taken = gy, false
			g.buf[n.out.id] = nil
			n.op.Backward(g, gy)
			if !g.taken {
				t.memory.put(gy)
			}
		}
		if t.Once || n.again {
			// All nodes that could use what was allocated for this one have had their turn.
			for _, b := range t.live[n.from:n.to] {
				t.memory.put(b)
			}
			clear(t.live[n.from:n.to])
		}
	}
}

// newGrads returns gradients for all values on the tape.
func (t *Tape) newGrads() *Grads {
	var g *Grads
	if n := len(t.spare); n > 0 {
		g = t.spare[n-1]
		t.spare = t.spare[:n-1]
	} else {
		g = &Grads{tape: t}
	}
	t.grads = append(t.grads, g)
	g.fit()
	return g
}

// fit makes room for the gradients of all values that are on the tape now.
func (g *Grads) fit() {
	n := g.tape.slots.n
	g.buf = slices.Grow(g.buf, n-len(g.buf))[:n]
	g.of = slices.Grow(g.of, n-len(g.of))[:n]
}

// Of returns the gradient of a parameter, or nil where none has reached it.
func (g *Grads) Of(p *Param) *Tensor {
	if v, ok := g.tape.params[p]; ok {
		return g.Wrt(v)
	}
	return nil
}

// Wrt returns the gradient of a leaf (Input or Param), or nil where none has reached it. Intermediate values have none left.
func (g *Grads) Wrt(v *Value) *Tensor {
	if on("Wrt", v) != g.tape {
		panic(fmt.Sprintf("autograd: Wrt: the value of shape %v lies on another tape", v.Shape))
	}
	if v.id >= len(g.buf) {
		return nil // put on the tape after the backward pass
	}
	if b := g.buf[v.id]; b != nil {
		g.of[v.id] = Tensor{Shape: v.Shape, Data: b}
		return &g.of[v.id]
	}
	return nil
}

// Buffer returns where an operation puts the gradient of its input v. Where acc is false the contents are undefined and must
// all be written; where it is true the operation adds to them. Call it only where v.NeedsGrad, and finish with one input
// before asking for the next, which may be the same value.
func (g *Grads) Buffer(v *Value) (dst []float32, acc bool) {
	if !v.grad {
		panic("autograd: Buffer: the value needs no gradient")
	}
	if b := g.buf[v.id]; b != nil {
		return b, true
	}
	b := g.tape.memory.get(v.Len())
	g.buf[v.id] = b
	return b, false
}

// Zeroed returns the gradient of v for an operation that only adds: it starts as zeros.
func (g *Grads) Zeroed(v *Value) []float32 {
	b, acc := g.Buffer(v)
	if !acc {
		clear(b)
	}
	return b
}

// Give adds gx to the gradient of v, where v needs one. The gradient that the operation itself got is handed over without a
// copy when it is the first to arrive; an operation gives it away last, since later gradients of v are added to it in place.
func (g *Grads) Give(v *Value, gx []float32) {
	if !v.grad {
		return
	}
	if len(gx) != v.Len() {
		panic(fmt.Sprintf("autograd: Give: %d elements for shape %v", len(gx), v.Shape))
	}
	if g.buf[v.id] == nil && !g.taken && len(gx) > 0 && len(g.gy) == len(gx) && &g.gy[0] == &gx[0] {
		g.buf[v.id] = gx
		g.taken = true
		return
	}
	dst, acc := g.Buffer(v)
	if acc {
		kernel.Add(dst, dst, gx)
	} else {
		kernel.ParallelWith(len(dst), kernel.RowGrain(1, 1), copying{dst, gx})
	}
}

type copying struct{ dst, src []float32 }

func (c *copying) Chunk(lo, hi int) { copy(c.dst[lo:hi], c.src[lo:hi]) }

// Scratch returns n undefined floats for the operation at work; Free gives them back.
func (g *Grads) Scratch(n int) []float32 { return g.tape.memory.get(n) }

// Free gives back what Scratch returned.
func (g *Grads) Free(b []float32) { g.tape.memory.put(b) }

// reset forgets all gradients.
func (g *Grads) reset() {
	clear(g.buf)
	clear(g.of)
	clear(g.parts)
	g.buf, g.of = g.buf[:0], g.of[:0]
	g.gy, g.taken = nil, false
}
