package kernel

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// withThreads runs f with n threads and restores the setting.
func withThreads(n int, f func()) {
	old := Threads()
	SetThreads(n)
	defer SetThreads(old)
	f()
}

func TestParallelCoversOnceAtFixedBoundaries(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 7, 100, 255, 256, 257, 1000, 100003} {
		for _, grain := range []int{0, 1, 3, 64, 1 << 20} {
			var want map[int]int
			for _, threads := range []int{1, 2, 5} {
				withThreads(threads, func() {
					var mu sync.Mutex
					bounds := map[int]int{}
					Parallel(n, grain, func(lo, hi int) {
						mu.Lock()
						defer mu.Unlock()
						_, twice := bounds[lo]
						require.False(t, twice)
						bounds[lo] = hi
					})
					for lo := 0; lo < n; {
						hi, ok := bounds[lo]
						require.True(t, ok, "n %d grain %d: no chunk at %d", n, grain, lo)
						require.True(t, hi == n || hi%max(grain, 1) == 0)
						lo = hi
					}
					if want == nil {
						want = bounds
					}
					require.Equal(t, want, bounds)
				})
			}
		}
	}
}

func TestParallelManyCallersNested(t *testing.T) {
	withThreads(4, func() {
		var group sync.WaitGroup
		var total atomic.Int64
		for range 100 { // more than there are job slots
			group.Go(func() {
				for range 20 {
					Parallel(50, 1, func(lo, hi int) {
						Parallel(40, 3, func(lo, hi int) { total.Add(int64(hi - lo)) })
					})
				}
			})
		}
		group.Wait()
		require.EqualValues(t, 100*20*50*40, total.Load())
	})
}

func TestParallelPanicReachesCaller(t *testing.T) {
	withThreads(3, func() {
		for range 50 {
			require.PanicsWithValue(t, "seven", func() {
				Parallel(64, 1, func(lo, hi int) {
					if lo == 7 {
						panic("seven")
					}
				})
			})
		}
		var n atomic.Int32
		Parallel(64, 1, func(lo, hi int) { n.Add(1) })
		require.EqualValues(t, 64, n.Load())
	})
}

func TestParallelDoesNotAllocate(t *testing.T) {
	withThreads(2, func() {
		var n atomic.Int32
		body := func(lo, hi int) { n.Add(1) }
		require.Less(t, testing.AllocsPerRun(200, func() { Parallel(16, 1, body) }), 0.5)
	})
}

func BenchmarkParallel(b *testing.B) {
	var n atomic.Int32
	body := func(lo, hi int) { n.Add(1) }
	for b.Loop() {
		Parallel(2, 1, body)
	}
}
