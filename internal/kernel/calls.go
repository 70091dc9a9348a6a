package kernel

import "sync"

// calls runs body over the chunks of a Parallel, with arguments that would otherwise be captured by a closure per call: a training
// step makes hundreds of them.
type calls[A any] struct {
	body func(a *A, lo, hi int)
	pool sync.Pool
}

// call is one of them, bound to its arguments once.
type call[A any] struct {
	args A
	run  func(lo, hi int)
}

func newCalls[A any](body func(a *A, lo, hi int)) *calls[A] { return &calls[A]{body: body} }

// parallel is Parallel(n, grain, body with args).
func (c *calls[A]) parallel(n, grain int, args A) {
	k, ok := c.pool.Get().(*call[A])
	if !ok {
		k = new(call[A])
		k.run = func(lo, hi int) { c.body(&k.args, lo, hi) }
	}
	k.args = args
	Parallel(n, grain, k.run)
	var none A
	k.args = none // hold on to no operand
	c.pool.Put(k)
}
