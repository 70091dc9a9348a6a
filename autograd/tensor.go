package autograd

import (
	"fmt"
	"slices"
)

// Tensor is a dense array of float32 in row-major order, always contiguous: element (i, j, k) of shape (a, b, c) is
// Data[(i*b+j)*c+k]. A complex tensor is a real one whose last axis has size 2, the real part first.
type Tensor struct {
	Shape []int
	Data  []float32
}

// New returns a tensor of zeros. New() is a scalar: no axes, one element. It panics on a negative size.
func New(shape ...int) *Tensor {
	return &Tensor{Shape: slices.Clone(shape), Data: make([]float32, sizeOf(shape))}
}

// FromSlice wraps data, without a copy, as a tensor of the given shape. It panics where the number of elements differs.
func FromSlice(data []float32, shape ...int) *Tensor {
	if n := sizeOf(shape); n != len(data) {
		panic(fmt.Sprintf("autograd: FromSlice: shape %v has %d elements, the slice %d", shape, n, len(data)))
	}
	return &Tensor{Shape: slices.Clone(shape), Data: data}
}

// Len returns the number of elements.
func (t *Tensor) Len() int { return len(t.Data) }

// Rank returns the number of axes.
func (t *Tensor) Rank() int { return len(t.Shape) }

// Dim returns the size of axis i; a negative i counts from the last axis, -1.
func (t *Tensor) Dim(i int) int {
	if i < 0 {
		i += len(t.Shape)
	}
	if i < 0 || i >= len(t.Shape) {
		panic(fmt.Sprintf("autograd: Dim: no axis %d in shape %v", i, t.Shape))
	}
	return t.Shape[i]
}

// Clone returns a copy with data of its own.
func (t *Tensor) Clone() *Tensor {
	return &Tensor{Shape: slices.Clone(t.Shape), Data: slices.Clone(t.Data)}
}

// At returns the element at the given index.
func (t *Tensor) At(index ...int) float32 { return t.Data[t.offset(index)] }

// Set stores x at the given index.
func (t *Tensor) Set(x float32, index ...int) { t.Data[t.offset(index)] = x }

func (t *Tensor) offset(index []int) int {
	if len(index) != len(t.Shape) {
		panic(fmt.Sprintf("autograd: index %v into shape %v", index, t.Shape))
	}
	o := 0
	for i, x := range index {
		if x < 0 || x >= t.Shape[i] {
			panic(fmt.Sprintf("autograd: index %v into shape %v", index, t.Shape))
		}
		o = o*t.Shape[i] + x
	}
	return o
}

// sizeOf returns the number of elements of a shape.
func sizeOf(shape []int) int {
	n := 1
	for _, s := range shape {
		if s < 0 {
			panic(fmt.Sprintf("autograd: negative size in shape %v", slices.Clone(shape))) // a clone, so that shapes of callers may lie on the stack
		}
		n *= s
	}
	return n
}

// resolve replaces one -1 in shape by what n elements leave for it.
func resolve(op string, n int, from, shape []int) {
	known, free := 1, -1
	for i, s := range shape {
		if s == -1 && free < 0 {
			free = i
			continue
		}
		known *= s
	}
	if free >= 0 && known > 0 && n%known == 0 {
		shape[free] = n / known
		known *= shape[free]
	}
	if known != n || (free >= 0 && shape[free] < 0) {
		panic(fmt.Sprintf("autograd: %s: cannot turn shape %v into %v", op, from, shape))
	}
}
