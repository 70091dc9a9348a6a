package autograd

import "math/rand/v2"

// Recompute returns f(x) and remembers nothing of the computation but x and the result: the backward pass computes f again before it
// goes through it. That saves the memory of what is in between for the time of one more forward pass through f (activation
// checkpointing; Griewank and Walther 2000, Chen et al., arXiv 1604.06174). Gradients are the same to the last bit, since what f
// draws from the tape's Rand the first time it gets again.
//
// f may use parameters and values from before, which get their gradients, too. It must not have effects: batch normalisation would
// count a batch twice.
func Recompute(x *Value, f func(x *Value) *Value) *Value {
	t := on("Recompute", x)
	if t.NoGrad {
		return t.Scope(func() *Value { return f(x) })
	}
	r := operation[recompute](t)
	r.x, r.f = x, f
	r.drawn.begin(t.Rand)
	y, needs := r.dry()
	if y.grad = needs || x.grad; y.grad {
		t.record("Recompute", y, r)
	} else {
		t.spend(r)
	}
	return y
}

type recompute struct {
	x     *Value
	f     func(x *Value) *Value
	drawn tapeRand
}

// empty drops what r points to, except for memory that serves again.
func (r *recompute) empty() {
	r.x, r.f = nil, nil
	r.drawn.begin(nil)
}

// Backward computes f again and goes through it.
func (r *recompute) Backward(g *Grads, gy []float32) {
	t := r.x.tape
	first, held, mark, random, again := len(t.nodes), len(t.live), t.mark, t.Rand, t.again
	t.mark, t.Rand, t.again = held, r.drawn.replay(), true
	z := r.f(r.x)
	t.Rand, t.again = random, again
	g.fit()
	g.Give(z, gy)
	taken := g.taken
	t.sweep(g, first)
	for _, b := range t.live[held:] {
		t.memory.put(b)
	}
	clear(t.live[held:])
	t.forget(first)
	t.live, t.mark = t.live[:held], mark
	g.gy, g.taken = gy, taken
}

// dry runs f without recording and keeps nothing but its result. It reports whether f uses anything that needs a gradient.
func (r *recompute) dry() (y *Value, needs bool) {
	t := r.x.tape
	params, random, slots := t.params, t.Rand, t.slots.n
	defer func() {
		clear(t.params)
		t.params, t.dried, t.Rand, t.NoGrad = params, t.params, random, false
	}()
	t.params, t.NoGrad, t.touched = t.dried, true, false
	t.Rand = r.drawn.replay()
	y = t.Scope(func() *Value { return r.f(t.Const(r.x.Tensor)) })
	needs = t.touched
	for p := range t.params {
		needs = needs || !p.Frozen
	}
	// The headers of what f made serve again; the result's shape lies in one of them.
	var shape [6]int
	data, last := y.Data, append(shape[:0], y.Shape...)
	t.slots.cut(slots)
	return t.Const(t.view(data, last)), needs
}

// tapeRand is a source of random numbers that remembers those of another one, which may be nil.
type tapeRand struct {
	source *rand.Rand
	drawn  []uint64
	next   int
	random *rand.Rand // reads from here
}

// begin forgets what was drawn and draws from another source.
func (r *tapeRand) begin(source *rand.Rand) { r.source, r.drawn = source, r.drawn[:0] }

// Uint64 returns the next number of the source.
func (r *tapeRand) Uint64() uint64 {
	if r.next == len(r.drawn) {
		r.drawn = append(r.drawn, r.source.Uint64())
	}
	r.next++
	return r.drawn[r.next-1]
}

// replay begins again with the first number.
func (r *tapeRand) replay() *rand.Rand {
	if r.source == nil {
		return nil
	}
	r.next = 0
	if r.random == nil {
		r.random = rand.New(r)
	}
	return r.random
}
