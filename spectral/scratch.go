package spectral

import "sync"

// scratch pools buffers that are needed for the time of a call only, of about one size.
type scratch struct{ pool sync.Pool }

var (
	packs  scratch // whole weights
	tiles  scratch // the weights of one input channel
	halves scratch // a mode's batch
	parts  scratch // one row of points
)

func (s *scratch) get(n int) []float32 {
	if b, _ := s.pool.Get().(*[]float32); b != nil && cap(*b) >= n {
		return (*b)[:n]
	}
	return make([]float32, n)
}

func (s *scratch) put(b []float32) { s.pool.Put(&b) }
