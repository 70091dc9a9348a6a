//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package npy

import (
	"errors"
	"os"
	"syscall"
)

// mapFile maps the first size bytes of f into memory, for reading.
func mapFile(f *os.File, size int64) (mem []byte, unmap func() error, err error) {
	if size <= 0 || int64(int(size)) != size {
		return nil, nil, errors.New("size cannot be mapped")
	}
	mem, err = syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return mem, func() error { return syscall.Munmap(mem) }, nil
}
