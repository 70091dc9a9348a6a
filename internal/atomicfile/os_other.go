//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package atomicfile

import (
	"os"
	"runtime"
)

const (
	renameOpen       = false
	chmodUnsupported = true
)

func lock(*os.File) {}

// removeUnheld relies on Windows refusing to remove a file that a process holds open. Elsewhere it cannot tell and removes
// nothing.
func removeUnheld(path string) {
	if runtime.GOOS == "windows" {
		os.Remove(path)
	}
}

func syncDir(string) error { return nil } // folders cannot be synced here
