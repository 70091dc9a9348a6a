package kernel

import "sync"

// Scratch keeps buffers that are needed for the time of a call only, about as many as ever were in use at once. Its zero value is empty;
// many goroutines may use it. Other than a sync.Pool of slices it allocates nothing to take one back.
type Scratch[T Float] struct {
	mu   sync.Mutex
	free [][]T
}

// Get returns n undefined elements.
func (s *Scratch[T]) Get(n int) []T {
	s.mu.Lock()
	last := len(s.free) - 1
	if last < 0 {
		s.mu.Unlock()
		return make([]T, n)
	}
	b := s.free[last]
	s.free[last] = nil
	s.free = s.free[:last]
	s.mu.Unlock()
	return grow(b, n)
}

// Put takes back what Get returned.
func (s *Scratch[T]) Put(b []T) {
	s.mu.Lock()
	s.free = append(s.free, b)
	s.mu.Unlock()
}
