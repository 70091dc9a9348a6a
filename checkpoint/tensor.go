package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Tensor is an array as a file has it: Data holds its elements in row-major order, little endian.
type Tensor struct {
	DType DType
	Shape []int
	Data  []byte
}

// FromFloat32 returns a tensor of type F32 with a copy of data. It panics where shape has another number of elements.
func FromFloat32(data []float32, shape ...int) Tensor {
	t := Tensor{DType: F32, Shape: slices.Clone(shape), Data: make([]byte, 0, 4*len(data))}
	for _, x := range data {
		t.Data = binary.LittleEndian.AppendUint32(t.Data, math.Float32bits(x))
	}
	return t.mustFit(len(data))
}

// FromFloat64 returns a tensor of type F64 with a copy of data. It panics where shape has another number of elements.
func FromFloat64(data []float64, shape ...int) Tensor {
	t := Tensor{DType: F64, Shape: slices.Clone(shape), Data: make([]byte, 0, 8*len(data))}
	for _, x := range data {
		t.Data = binary.LittleEndian.AppendUint64(t.Data, math.Float64bits(x))
	}
	return t.mustFit(len(data))
}

// FromInt64 returns a tensor of type I64 with a copy of data. It panics where shape has another number of elements.
func FromInt64(data []int64, shape ...int) Tensor {
	t := Tensor{DType: I64, Shape: slices.Clone(shape), Data: make([]byte, 0, 8*len(data))}
	for _, x := range data {
		t.Data = binary.LittleEndian.AppendUint64(t.Data, uint64(x))
	}
	return t.mustFit(len(data))
}

func (t Tensor) mustFit(n int) Tensor {
	if err := t.check(); err != nil {
		panic(fmt.Sprintf("checkpoint: shape %s for %d elements", formatShape(t.Shape), n))
	}
	return t
}

// Count is the number of elements; a complex number is one.
func (t Tensor) Count() int {
	n := 1
	for _, s := range t.Shape {
		n *= s
	}
	return n
}

// Float32 returns the elements as float32, which F64 and large integers are rounded to. Complex numbers give two elements
// each: real, imaginary.
func (t Tensor) Float32() []float32 { return convert[float32](t) }

// Float64 returns the elements as float64. Complex numbers give two elements each: real, imaginary.
func (t Tensor) Float64() []float64 { return convert[float64](t) }

// Int64 returns the elements of a tensor of integers or truth values. Another type gives an error.
func (t Tensor) Int64() ([]int64, error) {
	if !t.DType.IsInteger() {
		return nil, fmt.Errorf("checkpoint: dtype is %s, want integers", t.DType)
	}
	return convert[int64](t), nil
}

func convert[T number](t Tensor) []T {
	dst := make([]T, t.numbers())
	decode(dst, t.DType, t.Data)
	return dst
}

// numbers counts a complex number as two.
func (t Tensor) numbers() int {
	if t.DType == C64 {
		return len(t.Data) / 4
	}
	return len(t.Data) / t.DType.Size()
}

// check reports a tensor whose type, shape and data do not belong together.
func (t Tensor) check() error {
	want, err := byteCount(t.DType, t.Shape)
	if err != nil {
		return err
	}
	if want != int64(len(t.Data)) {
		return fmt.Errorf("shape %s of %s needs %d bytes, but it has %d", formatShape(t.Shape), t.DType, want, len(t.Data))
	}
	return nil
}

// byteCount is the memory that the shape takes.
func byteCount(d DType, shape []int) (int64, error) {
	size := int64(d.Size())
	if size == 0 {
		return 0, fmt.Errorf("dtype %q is unknown, want F16, BF16, F32, F64, I8, I16, I32, I64, U8, BOOL or C64", d)
	}
	n, empty := size, false
	for _, s := range shape {
		switch {
		case s < 0:
			return 0, fmt.Errorf("shape %s has a negative size", formatShape(shape))
		case s == 0:
			empty = true
		case n > math.MaxInt64/int64(s):
			return 0, fmt.Errorf("shape %s of %s overflows", formatShape(shape), d)
		default:
			n *= int64(s)
		}
	}
	if empty {
		return 0, nil
	}
	return n, nil
}

// formatShape writes a shape as 5x1000x70, and () for a single number.
func formatShape(shape []int) string {
	if len(shape) == 0 {
		return "()"
	}
	s := make([]string, len(shape))
	for i, n := range shape {
		s[i] = strconv.Itoa(n)
	}
	return strings.Join(s, "x")
}
