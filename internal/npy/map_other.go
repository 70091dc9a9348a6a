//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package npy

import (
	"errors"
	"os"
)

// mapFile cannot map here; the file is read piece by piece.
func mapFile(*os.File, int64) (mem []byte, unmap func() error, err error) {
	return nil, nil, errors.ErrUnsupported
}
