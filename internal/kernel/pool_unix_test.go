//go:build unix

package kernel

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// processorTime returns what all threads of this process have used.
func processorTime(t testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Workers that have found nothing to do for a while use no processor time.
func TestIdleWorkersSleep(t *testing.T) {
	withThreads(4, func() {
		for range 100 {
			Parallel(64, 1, func(lo, hi int) {})
		}
		time.Sleep(100 * spinTime)
		before := processorTime(t)
		const pause = 300 * time.Millisecond
		time.Sleep(pause)
		require.Less(t, processorTime(t)-before, pause/10)
	})
}
