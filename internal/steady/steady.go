// Package steady measures, for tests, what a step allocates that is repeated many times.
package steady

import (
	"runtime"
	"testing"
)

// Step returns the objects and bytes that a call of f allocates, by all goroutines, in the mean over n calls. Half as many ahead of them fill
// caches and pools, whose buffers grow until each has served what needs most; what a collection took from a sync.Pool comes back in
// one of the n. With the race detector it skips the test.
func Step(t testing.TB, n int, f func()) (objects, bytes uint64) {
	if raced {
		t.Skip("with the race detector pools drop what they hold")
	}
	for range n / 2 {
		f()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.Mallocs - before.Mallocs) / uint64(n), (after.TotalAlloc - before.TotalAlloc) / uint64(n)
}
