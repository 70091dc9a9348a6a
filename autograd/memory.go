package autograd

// slot holds the headers of one value or tensor, so that a pass makes no small objects of its own.
type slot struct {
	v     Value
	t     Tensor
	shape [6]int
}

// slab hands out slots in order and starts again at the first when n is set to zero.
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
