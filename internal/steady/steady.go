// Package steady measures, for tests, what a step allocates that is repeated many times.
package steady

import (
	"math"
	"runtime"
	"testing"
)

// Step returns the objects and bytes that a call of f allocates, by all goroutines, in the mean over n calls: the least mean of up to ten
// rounds of n, so that what the runtime allocates now and then (for goroutines that wait, for pools after a collection) is not
// taken for the step's own. Half as many calls ahead of them fill caches and pools, whose buffers grow until each has served what needs
// most. With the race detector it skips the test.
func Step(t testing.TB, n int, f func()) (objects, bytes uint64) {
	if raced {
		t.Skip("with the race detector pools drop what they hold")
	}
	for range n / 2 {
		f()
	}
	objects = math.MaxUint64
	for range 10 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			f()
		}
		runtime.ReadMemStats(&after)
		if per := (after.Mallocs - before.Mallocs) / uint64(n); per < objects {
			objects, bytes = per, (after.TotalAlloc-before.TotalAlloc)/uint64(n)
		}
		if objects == 0 {
			break
		}
	}
	return objects, bytes
}
