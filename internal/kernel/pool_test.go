package kernel

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// A job that found no slot waits, too, for the chunk of a worker that held it from its last life.
func TestParallelWithoutASlotWaitsForOldHolders(t *testing.T) {
	held := newJob().(*job)
	pool.free = sync.Pool{New: func() any { return held }}
	taken := &job{}
	for i := range pool.jobs {
		pool.jobs[i].CompareAndSwap(nil, taken)
	}
	defer func() {
		pool.free = sync.Pool{New: newJob}
		for i := range pool.jobs {
			pool.jobs[i].CompareAndSwap(taken, nil)
		}
	}()
	withThreads(2, func() {
		var finished atomic.Bool
		started := make(chan struct{})
		Parallel(2, 1, func(lo, hi int) {
			if lo == 0 {
				go held.step()
				<-started
				return
			}
			close(started)
			time.Sleep(20 * time.Millisecond)
			finished.Store(true)
		})
		require.True(t, finished.Load())
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

// BenchmarkParallel measures what a region costs beside its work: one of two empty chunks, one of two chunks of 20 us each, right after
// another region and after a pause in which the workers fell asleep.
func BenchmarkParallel(b *testing.B) {
	work := func(lo, hi int) {
		for start := time.Now(); time.Since(start) < 20*time.Microsecond; {
		}
	}
	for _, c := range []struct {
		name  string
		body  func(lo, hi int)
		pause time.Duration
	}{{"empty", func(lo, hi int) {}, 0}, {"20us", work, 0}, {"20us/rested", work, 2 * time.Millisecond}} {
		b.Run(c.name, func(b *testing.B) {
			total := time.Duration(0)
			for b.Loop() {
				if c.pause > 0 {
					time.Sleep(c.pause)
				}
				start := time.Now()
				Parallel(2, 1, c.body)
				total += time.Since(start)
			}
			b.ReportMetric(float64(total.Nanoseconds())/float64(b.N)/1e3, "us/region")
		})
	}
}
