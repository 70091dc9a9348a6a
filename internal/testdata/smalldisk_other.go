//go:build !linux

package testdata

import "testing"

// SmallDisk skips the test: a small file system to fill is mounted on Linux only.
func SmallDisk(t testing.TB, size int) string {
	t.Helper()
	t.Skipf("a file system of %d bytes to fill is mounted on Linux only", size)
	return ""
}
