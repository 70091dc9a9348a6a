package testdata

import (
	"fmt"
	"syscall"
	"testing"
)

// SmallDisk mounts a file system in memory with room for size bytes (at least a few pages) and returns its folder, and skips
// the test where mounting is not allowed. It is unmounted when the test ends.
func SmallDisk(t testing.TB, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("cannot mount a small file system to fill: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}
