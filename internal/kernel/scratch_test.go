package kernel

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScratch(t *testing.T) {
	var s Scratch[float32]
	s.Put(s.Get(100))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		a, b := s.Get(100), s.Get(0)
		s.Put(b)
		s.Put(a)
	}))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 1000 {
				b := s.Get(10 + i)
				for j := range b {
					b[j] = float32(i)
				}
				for _, v := range b {
					if v != float32(i) {
						t.Error("two have one buffer")
						return
					}
				}
				s.Put(b)
			}
		})
	}
	wg.Wait()
}
