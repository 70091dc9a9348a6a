package kernel

import (
	"reflect"
	"sync"
)

// ParallelWith is Parallel(n, grain, args.Chunk). Its arguments lie in a struct that serves again, where those of a closure would be
// allocated for every call: a training step makes hundreds of them.
func ParallelWith[A any, P spanner[A]](n, grain int, args A) {
	calls := callsOf[A, P]()
	c := calls.get()
	c.args = args
	Parallel(n, grain, c.run)
	var none A
	c.args = none // hold on to no operand
	calls.put(c)
}

// spanner is a pointer to arguments that can work on a chunk of what they describe.
type spanner[A any] interface {
	*A
	Chunk(lo, hi int)
}

// call is arguments and the function over chunks that is bound to them once.
type call[A any] struct {
	args A
	run  func(lo, hi int)
}

// calls keeps those of one type that are not in use. Other than a sync.Pool it survives collections.
type calls[A any, P spanner[A]] struct {
	mu   sync.Mutex
	free []*call[A]
}

func (s *calls[A, P]) get() *call[A] {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.free) - 1
	if last < 0 {
		c := new(call[A])
		c.run = P(&c.args).Chunk
		return c
	}
	c := s.free[last]
	s.free = s.free[:last]
	return c
}

func (s *calls[A, P]) put(c *call[A]) {
	s.mu.Lock()
	s.free = append(s.free, c)
	s.mu.Unlock()
}

// allCalls has the calls of every type of arguments.
var allCalls sync.Map

func callsOf[A any, P spanner[A]]() *calls[A, P] {
	key := reflect.TypeFor[A]()
	c, ok := allCalls.Load(key)
	if !ok {
		c, _ = allCalls.LoadOrStore(key, new(calls[A, P]))
	}
	return c.(*calls[A, P])
}
