package npy

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// File is an array in a file, open for reading. Any number of goroutines may read at once.
type File struct {
	name string
	header
	strides []int // of a Fortran-ordered array, in bytes

	mu     sync.RWMutex // Close waits for the readers
	mem    []byte       // the mapped file, or nil
	r      io.ReaderAt  // where mem is nil
	close  func() error
	closed bool
}

// Open opens the array file at path and checks its header against its size. Errors name the file, what it has and what is
// wanted.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("not a regular file (%s)", info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("npy: %s: %w", path, err)
	}
	a, err := New(f, info.Size(), path)
	if err != nil {
		f.Close()
		return nil, err
	}
	a.close = f.Close
	if mem, unmap, err := mapFile(f, info.Size()); err == nil {
		// The mapping stands without the descriptor, of which a process has few.
		f.Close()
		a.mem, a.r, a.close = mem, nil, unmap
	}
	return a, nil
}

// New opens an array of size bytes that r holds. Errors call it name. Close does not close r.
func New(r io.ReaderAt, size int64, name string) (*File, error) {
	h, err := readHeader(r, size)
	if err != nil {
		return nil, fmt.Errorf("npy: %s: %w", name, err)
	}
	f := &File{name: name, header: h, r: r, close: func() error { return nil }}
	if h.fortran && contiguous(h.shape) {
		f.fortran = false // both orders are the same
	}
	if f.fortran {
		f.strides = make([]int, len(h.shape))
		step := h.dtype.Size()
		for i, n := range h.shape {
			f.strides[i] = step
			step *= n
		}
	}
	return f, nil
}

// contiguous reports whether at most one axis has more than one index.
func contiguous(shape []int) bool {
	long := 0
	for _, n := range shape {
		if n == 0 {
			return true
		}
		if n > 1 {
			long++
		}
	}
	return long <= 1
}

// Close releases the file once the reads in progress have ended. Reads after it give os.ErrClosed.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed, f.mem, f.r = true, nil, nil
	return f.close()
}

// Name is the path that the file was opened by.
func (f *File) Name() string { return f.name }

// Shape is the array's shape; empty for a single number.
func (f *File) Shape() []int { return slices.Clone(f.shape) }

// DType is the type of the elements in the file.
func (f *File) DType() DType { return f.dtype }

// Count is the number of elements.
func (f *File) Count() int { return f.count }

// Len is the number of samples: the size of the first axis, 1 for a single number.
func (f *File) Len() int {
	if len(f.shape) == 0 {
		return 1
	}
	return f.shape[0]
}

// SampleShape is the shape of a sample: without the first axis.
func (f *File) SampleShape() []int { return slices.Clone(f.shape[min(1, len(f.shape)):]) }

// SampleSize is the number of elements of a sample.
func (f *File) SampleSize() int {
	n := 1
	for _, s := range f.shape[min(1, len(f.shape)):] {
		n *= s
	}
	return n
}

// CheckShape gives an error unless the array has the shape want, where -1 stands for any size.
func (f *File) CheckShape(want ...int) error {
	ok := len(want) == len(f.shape)
	for i := 0; ok && i < len(want); i++ {
		ok = want[i] == -1 || want[i] == f.shape[i]
	}
	if !ok {
		return fmt.Errorf("npy: %s: shape %s, want %s", f.name, FormatShape(f.shape), FormatShape(want))
	}
	return nil
}

// FormatShape writes a shape as 500x5x1000x70, with N for a size of -1, and () for that of a single number.
func FormatShape(shape []int) string {
	if len(shape) == 0 {
		return "()"
	}
	s := make([]string, len(shape))
	for i, n := range shape {
		if s[i] = strconv.Itoa(n); n == -1 {
			s[i] = "N"
		}
	}
	return strings.Join(s, "x")
}

// Read reads the whole array at path, in C order, with its shape.
func Read[T float32 | float64 | int64](path string) (data []T, shape []int, err error) {
	f, err := Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	data = make([]T, f.count)
	if err := readElements(f, data, 0); err != nil {
		return nil, nil, err
	}
	return data, f.shape, nil
}
