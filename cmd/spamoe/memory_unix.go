//go:build unix

package main

import (
	"runtime"
	"syscall"
)

// peakMemory returns the largest resident size of this process so far, in MB.
func peakMemory() int {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int(u.Maxrss >> 20) // bytes there, kilobytes elsewhere
	}
	return int(u.Maxrss >> 10)
}
