package autograd

// slot holds the headers of one value or tensor, so that a pass makes no small objects of its own.
type slot struct {
	v     Value
	t     Tensor
	shape [6]int
}

// shelf hands out short lists that operations keep until Reset, from memory that serves again.
type shelf[T any] struct{ list []T }

// take returns n elements of no particular value.
func (s *shelf[T]) take(n int) []T {
	if len(s.list)+n > cap(s.list) {
		s.list = make([]T, 0, max(2*cap(s.list), n, 64)) // lists taken before keep the old one
	}
	at := len(s.list)
	s.list = s.list[:at+n]
	return s.list[at:][:n:n]
}

// keep returns a copy of x.
func (s *shelf[T]) keep(x []T) []T {
	y := s.take(len(x))
	copy(y, x)
	return y
}

func (s *shelf[T]) reset() {
	clear(s.list)
	s.list = s.list[:0]
}

// slab hands out slots in order. Those that are not in use are empty.
type slab struct {
	chunks [][]slot
	n      int
}

const slabChunk = 256

func (s *slab) next() *slot {
	i := s.n / slabChunk
	if i == len(s.chunks) {
		s.chunks = append(s.chunks, make([]slot, slabChunk))
	}
	p := &s.chunks[i][s.n%slabChunk]
	s.n++
	return p
}

// cut takes back the slots from number first on.
func (s *slab) cut(first int) {
	for i := first; i < s.n; {
		chunk := s.chunks[i/slabChunk]
		chunk = chunk[i%slabChunk : min(slabChunk, i%slabChunk+s.n-i)]
		clear(chunk)
		i += len(chunk)
	}
	s.n = first
}
