package autograd

import (
	"fmt"
	"math/rand/v2"
	"reflect"
)

// Tape holds one pass through a model: the record of its operations, its mode, its randomness and its memory. The zero Tape is
// ready: it records gradients and runs in evaluation mode. A Tape belongs to one goroutine; several tapes may run at once over
// the same parameters.
//
// Its fields are set before a pass begins, not during it. Tensors that come from a tape live in buffers that it takes back at
// Reset: copy what must outlive the pass.
type Tape struct {
	// Train switches dropout on and lets batch normalisation use, and update, the statistics of the batch.
	Train bool
	// NoGrad records nothing: for inference. Scope then gives memory back early.
	NoGrad bool
	// BFloat16 rounds what Linear, LinearGELU, LinearBranch, PerceptronBranch, Attention and SelfAttention multiply, forwards and
	// backwards, to bfloat16, which has 8 bits of significand, and adds up in float32. All else, and every tensor, stays float32:
	// Perceptron, MatMul, convolutions and whatever packages spectral and lno multiply in passes of their own. So it is for transformers:
	// errors of their results are near 1 %, and CPUs with AVX512-BF16 take half the time. A model of package fno or lno with
	// the usual layers computes in float32 all the same.
	BFloat16 bool
	// Rand is the source of all randomness of the pass (dropout); operations that need it panic where it is nil.
	Rand *rand.Rand
	// Once promises that a pass goes backwards once, and that of its values none but gradients is looked at afterwards: Backward then
	// gives the memory of values back as it passes them, and gradients take it.
	Once bool

	nodes  []node
	spent  map[reflect.Type][]Operation // of passes before, by type
	params map[*Param]*Value
	dried  map[*Param]*Value // empty; what params is while Recompute runs a function for its result only
	slots  slab
	memory arena
	live   [][]float32 // what Alloc and Scratch gave, in order
	mark   int         // length of live behind the last node
	again  bool        // while Recompute records
	// touched says that an operation that was not recorded used a value that needs a gradient.
	touched bool
	grads   []*Grads // of this pass
	spare   []*Grads // of passes before
	// Lists that operations keep.
	values shelf[*Value]
	ints   shelf[int]
	places shelf[int32]
	dims   shelf[dim]
	sums   shelf[float64]
}

// node is one recorded operation.
type node struct {
	name string
	out  *Value
	op   Operation
	// What lies in Tape.live from and up to these was allocated for the node, or for constants ahead of it.
	from, to int
	again    bool // recorded by Recompute, in a backward pass
}

// Value is a tensor on a tape.
type Value struct {
	*Tensor
	tape *Tape
	id   int
	grad bool
}

// Tape returns the tape that v lies on. It panics where Reset has ended the pass of v, as operations on v do.
func (v *Value) Tape() *Tape { return on("Tape", v) }

// NeedsGrad reports whether a gradient flows into v: it is a parameter or an Input, or depends on one, on a tape that records. None flows
// into nil, an input that is left out.
func (v *Value) NeedsGrad() bool { return v != nil && v.grad }

// Param puts p on the tape. The same parameter gives the same value every time; nil, one that a layer is without, gives nil.
func (t *Tape) Param(p *Param) *Value {
	if p == nil {
		return nil
	}
	if v, ok := t.params[p]; ok {
		return v
	}
	if t.params == nil {
		t.params = make(map[*Param]*Value)
	}
	v := t.value(p.Tensor, !p.Frozen)
	t.params[p] = v
	return v
}

// Input puts x, which is not copied, on the tape as a leaf whose gradient Grads.Wrt returns.
func (t *Tape) Input(x *Tensor) *Value { return t.value(x, true) }

// Const puts x, which is not copied, on the tape as a constant: no gradient flows into it.
func (t *Tape) Const(x *Tensor) *Value { return t.value(x, false) }

func (t *Tape) value(x *Tensor, grad bool) *Value {
	s := t.slots.next()
	s.v = Value{Tensor: x, tape: t, id: t.slots.n - 1, grad: grad && !t.NoGrad}
	return &s.v
}

// Alloc returns a tensor from the tape's memory. Its contents are undefined.
func (t *Tape) Alloc(shape ...int) *Tensor {
	s := t.slots.next()
	s.t.Shape = append(s.shape[:0], shape...)
	s.t.Data = t.Scratch(sizeOf(shape))
	return &s.t
}

// Scratch returns n undefined floats that live until Reset, as those of Alloc do.
func (t *Tape) Scratch(n int) []float32 {
	b := t.memory.get(n)
	t.live = append(t.live, b)
	return b
}

// Scratch64 is Scratch of float64, for a few sums that an operation's way back needs.
func (t *Tape) Scratch64(n int) []float64 { return t.sums.take(n) }

// KeepInts returns a copy of x that lives until Reset, for what an operation's way back needs of its caller's.
func (t *Tape) KeepInts(x []int) []int { return t.ints.keep(x) }

// allocWith is Alloc of the given shape with the size of one axis changed to n.
func (t *Tape) allocWith(shape []int, axis, n int) *Tensor {
	s := t.slots.next()
	s.t.Shape = append(s.shape[:0], shape...)
	s.t.Shape[axis] = n
	s.t.Data = t.Scratch(sizeOf(s.t.Shape))
	return &s.t
}

// view returns a tensor over data that the tape holds already.
func (t *Tape) view(data []float32, shape []int) *Tensor {
	s := t.slots.next()
	s.t.Shape = append(s.shape[:0], shape...)
	s.t.Data = data
	return &s.t
}

// Operation is what an operation needs to go backwards. Backward gets the gradient gy of a scalar with respect to the result and adds to
// the gradients of the inputs through g; it may read every tensor of the pass and must not change gy.
type Operation interface {
	Backward(g *Grads, gy []float32)
}

// BackwardFunc is an Operation of one function.
type BackwardFunc func(g *Grads, gy []float32)

// Backward calls f.
func (f *BackwardFunc) Backward(g *Grads, gy []float32) { (*f)(g, gy) }

// Record enters an operation: out, from Alloc, computed from in, where nil stands for an input that is left out. op is copied into a
// place that serves again after Reset: a struct needs no allocation, a BackwardFunc that of its closure. Where no input needs a gradient
// nothing is recorded.
func Record[T any, P interface {
	*T
	Operation
}](name string, out *Tensor, in []*Value, op T) *Value {
	t, needs := inputs(name, in)
	t.touched = t.touched || needs && t.NoGrad
	y := t.value(out, needs)
	if !y.grad {
		return y
	}
	p := operation[T, P](t)
	*p = op
	t.record(name, y, p)
	return y
}

// operation returns a place for an operation, as spend left it.
func operation[T any, P interface {
	*T
	Operation
}](t *Tape) P {
	key := reflect.TypeFor[P]()
	spent := t.spent[key]
	if len(spent) == 0 {
		return new(T)
	}
	last := len(spent) - 1
	t.spent[key] = spent[:last]
	return spent[last].(P)
}

// spend takes back what operation returned, without the tensors and functions that it points to: they would live as long as the tape.
func (t *Tape) spend(op Operation) {
	if r, ok := op.(*recompute); ok {
		r.empty()
	} else {
		reflect.ValueOf(op).Elem().SetZero()
	}
	if t.spent == nil {
		t.spent = make(map[reflect.Type][]Operation)
	}
	key := reflect.TypeOf(op)
	t.spent[key] = append(t.spent[key], op)
}

// on returns the tape of an operation's inputs. Operations call it ahead of all else: a value without a tensor has no shape to check.
func on(name string, in ...*Value) *Tape {
	t, _ := inputs(name, in)
	return t
}

// inputs returns the tape of an operation's inputs and whether one of them needs a gradient.
func inputs(name string, in []*Value) (t *Tape, needs bool) {
	for _, v := range in {
		if v == nil {
			continue
		}
		if v.Tensor == nil {
			panic("autograd: " + name + ": a value of a pass that Reset has ended")
		}
		if t == nil {
			t = v.tape
		}
		if v.tape != t {
			panic(fmt.Sprintf("autograd: %s: its inputs lie on different tapes", name))
		}
		needs = needs || v.grad
	}
	if t == nil {
		panic("autograd: " + name + ": no inputs")
	}
	return t, needs
}

func (t *Tape) record(name string, y *Value, op Operation) {
	t.nodes = append(t.nodes, node{name: name, out: y, op: op, from: t.mark, to: len(t.live), again: t.again})
	t.mark = len(t.live)
}

// forget drops the nodes from number first on. Their operations serve again.
func (t *Tape) forget(first int) {
	for _, n := range t.nodes[first:] {
		t.spend(n.op)
	}
	clear(t.nodes[first:])
	t.nodes = t.nodes[:first]
}

// Scope runs f and, on a tape that records nothing, gives all memory that f took back to the tape, except its result's. Values
// made inside f must not be used after it.
func (t *Tape) Scope(f func() *Value) *Value {
	if !t.NoGrad {
		return f()
	}
	mark := len(t.live)
	y := f()
	kept := t.live[:mark]
	for _, b := range t.live[mark:] {
		if sameMemory(b, y.Data) {
			kept = append(kept, b)
		} else {
			t.memory.put(b)
		}
	}
	clear(t.live[len(kept):])
	t.live = kept
	return y
}

// sameMemory reports whether a and b are parts of one buffer: no operation cuts a slice's capacity, so such parts end together.
func sameMemory(a, b []float32) bool {
	a, b = a[:cap(a)], b[:cap(b)]
	return len(a) > 0 && len(b) > 0 && &a[len(a)-1] == &b[len(b)-1]
}

// Reset ends the pass. Its values, tensors and gradients must no longer be used: their memory serves the next pass, which they become
// part of. Until then operations on such values panic. The tape keeps that memory, and nothing of what the pass was given: no input,
// constant, parameter or function.
func (t *Tape) Reset() {
	t.memory.reset()
	clear(t.live)
	t.live, t.mark = t.live[:0], 0
	for _, g := range t.grads {
		g.reset()
		t.spare = append(t.spare, g)
	}
	clear(t.grads)
	t.grads = t.grads[:0]
	t.forget(0)
	clear(t.params)
	t.slots.cut(0)
	t.values.reset()
	t.ints.reset()
	t.dims.reset()
	t.places.reset()
	t.sums.reset()
}
