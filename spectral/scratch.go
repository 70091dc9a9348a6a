package spectral

import "sync"

// scratch pools buffers that are needed for the time of a call only, of about one size.
type scratch struct{ pool sync.Pool }

var (
	spectra scratch // a spectrum
	tiles   scratch // weights of a block of channels
	turns   scratch // weights of one input channel and a block of output channels
	lines   scratch // one row of points
)

func (s *scratch) get(n int) []float32 {
	if b, _ := s.pool.Get().(*[]float32); b != nil && cap(*b) >= n {
		return (*b)[:n]
	}
	return make([]float32, n)
}

func (s *scratch) put(b []float32) { s.pool.Put(&b) }
