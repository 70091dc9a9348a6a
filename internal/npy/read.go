package npy

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
)

// Float32 reads sample i, as float32, into dst, whose length is SampleSize.
func (f *File) Float32(dst []float32, i int) error { return readSample(f, dst, i) }

// Float64 reads sample i, as float64, into dst, whose length is SampleSize.
func (f *File) Float64(dst []float64, i int) error { return readSample(f, dst, i) }

// Int64 reads sample i of an array of integers or bools into dst, whose length is SampleSize.
func (f *File) Int64(dst []int64, i int) error { return readSample(f, dst, i) }

// Float32At reads the len(dst) elements from start on, counted in C order, as float32.
func (f *File) Float32At(dst []float32, start int) error { return readElements(f, dst, start) }

// Float64At reads the len(dst) elements from start on, counted in C order, as float64.
func (f *File) Float64At(dst []float64, start int) error { return readElements(f, dst, start) }

func readSample[T number](f *File, dst []T, i int) error {
	if i < 0 || i >= f.Len() {
		return fmt.Errorf("npy: %s: sample %d, but it has %d", f.name, i, f.Len())
	}
	if len(dst) != f.SampleSize() {
		return fmt.Errorf("npy: %s: room for %d elements, but a sample has %s", f.name, len(dst), FormatShape(f.shape[min(1, len(f.shape)):]))
	}
	return readElements(f, dst, i*len(dst))
}

func readElements[T number](f *File, dst []T, start int) error {
	if start < 0 || start > f.count || len(dst) > f.count-start {
		return fmt.Errorf("npy: %s: elements %d to %d, but it has %d", f.name, start, start+len(dst), f.count)
	}
	_, integer := any(T(0)).(int64)
	if integer && f.dtype.IsFloat() {
		return fmt.Errorf("npy: %s: elements are %s, want integers", f.name, f.dtype)
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return fmt.Errorf("npy: %s: %w", f.name, os.ErrClosed)
	}
	if len(dst) == 0 {
		return nil
	}
	var err error
	switch {
	case f.fortran:
		err = f.guard(func() error { return walkFortran(f, dst, start) })
	default:
		err = f.guard(func() error { return readRun(f, dst, int64(start)*int64(f.dtype.Size()), f.dtype.Size()) })
	}
	if err != nil {
		return fmt.Errorf("npy: %s: %w", f.name, err)
	}
	if integer && f.dtype == Uint64 {
		for i, x := range dst {
			if x < 0 {
				return fmt.Errorf("npy: %s: element %d is %d, too large for int64", f.name, start+i, uint64(x))
			}
		}
	}
	return nil
}

// guard runs read and turns the fault of a mapped page that cannot be read (the file was cut short after it was opened, or
// its disk failed) into an error.
func (f *File) guard(read func() error) (err error) {
	if f.mem == nil {
		return read()
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			fault, ok := p.(interface {
				runtime.Error
				Addr() uintptr
			})
			if !ok {
				panic(p)
			}
			err = fmt.Errorf("cannot read the mapped file, it may have been cut short since it was opened: %w", fault)
		}
	}()
	return read()
}

// walkFortran reads elements start, start+1, .. in C order from a Fortran-ordered array: runs along the last axis, whose
// neighbours lie strides[last] bytes apart.
func walkFortran[T number](f *File, dst []T, start int) error {
	last := len(f.shape) - 1
	at := make([]int, len(f.shape))
	for i, rest := last, start; i >= 0; i-- {
		at[i], rest = rest%f.shape[i], rest/f.shape[i]
	}
	for len(dst) > 0 {
		offset := 0
		for i, k := range at {
			offset += k * f.strides[i]
		}
		n := min(len(dst), f.shape[last]-at[last])
		if err := readRun(f, dst[:n], int64(offset), f.strides[last]); err != nil {
			return err
		}
		dst = dst[n:]
		at[last] = 0
		for i := last - 1; i >= 0; i-- {
			if at[i]++; at[i] < f.shape[i] {
				break
			}
			at[i] = 0
		}
	}
	return nil
}

// readRun reads elements step bytes apart, the first at offset bytes into the elements.
func readRun[T number](f *File, dst []T, offset int64, step int) error {
	offset += f.offset
	if f.mem != nil {
		convert(dst, f.mem[offset:], step, f.dtype, f.big)
		return nil
	}
	size := f.dtype.Size()
	if b, ok := bytesOf(dst, f.dtype, f.big); ok && step == size {
		return readFull(f.r, b, offset)
	}
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	chunk := 1 // elements far apart are read one by one
	if step <= bufferSize/16 {
		chunk = (bufferSize-size)/step + 1
	}
	for len(dst) > 0 {
		n := min(len(dst), chunk)
		b := buf[:(n-1)*step+size]
		if err := readFull(f.r, b, offset); err != nil {
			return err
		}
		convert(dst[:n], b, step, f.dtype, f.big)
		dst, offset = dst[n:], offset+int64(n)*int64(step)
	}
	return nil
}

const bufferSize = 1 << 18

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// convert is decode with the case that matters, the machine's own numbers side by side, as a copy.
func convert[T number](dst []T, b []byte, step int, d DType, big bool) {
	if to, ok := bytesOf(dst, d, big); ok && step == d.Size() {
		copy(to, b)
		return
	}
	decode(dst, b, step, d, big)
}

func readFull(r io.ReaderAt, b []byte, offset int64) error {
	n, err := r.ReadAt(b, offset)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the file was cut short since it was opened: %w", io.ErrUnexpectedEOF)
	}
	return err
}
