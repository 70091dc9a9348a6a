//go:build !unix

package main

import "runtime"

// peakMemory returns the memory that the runtime has obtained from the system, in MB: the nearest there is here to a peak.
func peakMemory() int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.Sys >> 20)
}
