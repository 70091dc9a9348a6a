//go:build !purego

package kernel

import "unsafe"

// fetchLines asks for the cache lines of n bytes from p on, without waiting for them.
//
//go:noescape
func fetchLines(p unsafe.Pointer, n uintptr)
