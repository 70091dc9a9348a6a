package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/spamoe/spamoe/internal/atomicfile"
)

// Write replaces the file at path with data, an array of this shape in C order. The file appears whole or not at all.
func Write[T float32 | float64 | int64](path string, shape []int, data []T) error {
	w, err := Create[T](path, shape)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := w.Append(data); err != nil {
		return err
	}
	return w.Commit()
}

// Writer writes an array of a shape that is known beforehand, piece by piece. The file appears under its name when it is
// committed; until then, whatever happens, what stood there stays. For one goroutine at a time.
type Writer[T float32 | float64 | int64] struct {
	path  string
	shape []int
	left  int // elements not written yet
	file  *atomicfile.Writer
	buf   []byte // where memory is not laid out as the file
}

// Create starts the file at path for an array of this shape.
func Create[T float32 | float64 | int64](path string, shape []int) (*Writer[T], error) {
	h := header{dtype: typeOf[T](), shape: append([]int{}, shape...)}
	for _, n := range shape {
		if n < 0 {
			return nil, fmt.Errorf("npy: cannot write %s: shape %s has a negative size", path, FormatShape(shape))
		}
	}
	if len(shape) > maxRank {
		return nil, fmt.Errorf("npy: cannot write %s: shape %s has more than %d axes", path, FormatShape(shape), maxRank)
	}
	if _, err := h.bytes(); err != nil {
		return nil, fmt.Errorf("npy: cannot write %s: %w", path, err)
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(f, h.format()); err != nil {
		f.Abort()
		return nil, err
	}
	return &Writer[T]{path: path, shape: h.shape, left: h.count, file: f}, nil
}

// Append writes the next elements in C order: a sample, several, or a part of one.
func (w *Writer[T]) Append(x []T) error {
	if len(x) > w.left {
		return fmt.Errorf("npy: cannot write %s: %d elements more than shape %s has", w.path, len(x)-w.left, FormatShape(w.shape))
	}
	if err := w.write(x); err != nil {
		return err
	}
	w.left -= len(x)
	return nil
}

func (w *Writer[T]) write(x []T) error {
	if b, ok := bytesOf(x, typeOf[T](), false); ok {
		_, err := w.file.Write(b)
		return err
	}
	for len(x) > 0 {
		n := min(len(x), 4096)
		w.buf = appendLittle(w.buf[:0], x[:n])
		if _, err := w.file.Write(w.buf); err != nil {
			return err
		}
		x = x[n:]
	}
	return nil
}

// Sync forces what was written so far to the disk, for who commits several files at once.
func (w *Writer[T]) Sync() error { return w.file.Sync() }

// Commit makes the file appear. It is an error, and the file does not appear, if elements are missing.
func (w *Writer[T]) Commit() error {
	if w.left > 0 {
		w.Abort()
		return fmt.Errorf("npy: cannot write %s: %d elements of shape %s are missing", w.path, w.left, FormatShape(w.shape))
	}
	return w.file.Commit()
}

// Abort drops what was written. After Commit it does nothing, so that it can be deferred.
func (w *Writer[T]) Abort() { w.file.Abort() }

// format is the header as NumPy writes it: the elements begin at a multiple of 64 bytes.
func (h *header) format() string {
	sizes := make([]string, len(h.shape))
	for i, n := range h.shape {
		sizes[i] = strconv.Itoa(n)
	}
	shape := strings.Join(sizes, ", ")
	if len(sizes) == 1 {
		shape += ","
	}
	code := map[DType]string{Float32: "<f4", Float64: "<f8", Int64: "<i8"}[h.dtype]
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", code, shape)
	const before = len(magic) + 4
	length := (before+len(text)+1+63)/64*64 - before
	text += strings.Repeat(" ", length-len(text)-1) + "\n"
	return magic + "\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(length))) + text
}

func typeOf[T number]() DType {
	switch any(T(0)).(type) {
	case float32:
		return Float32
	case float64:
		return Float64
	}
	return Int64
}

func appendLittle[T number](b []byte, x []T) []byte {
	for _, v := range x {
		switch v := any(v).(type) {
		case float32:
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		case float64:
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		case int64:
			b = binary.LittleEndian.AppendUint64(b, uint64(v))
		}
	}
	return b
}
