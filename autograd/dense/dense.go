package dense

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"github.com/spamoe/spamoe/autograd"
)

// From returns d as a Tensor that shares its data; a scalar, which gorgonia stores by itself, is copied. It is an error unless d
// holds float32 in row-major order without gaps: slices of the first axis do, transposed tensors and other slices do not until
// they are materialised, and masks have no counterpart.
func From(d *tensor.Dense) (*autograd.Tensor, error) {
	if d == nil {
		return nil, fmt.Errorf("dense: From: the tensor is nil")
	}
	shape := []int(d.Shape().Clone())
	if d.Dtype() != tensor.Float32 {
		return nil, fmt.Errorf("dense: From: tensor %v holds %v; want float32", shape, d.Dtype())
	}
	if !d.IsNativelyAccessible() {
		return nil, fmt.Errorf("dense: From: tensor %v lies in memory that Go cannot read", shape)
	}
	if d.IsMasked() {
		return nil, fmt.Errorf("dense: From: tensor %v has a mask; want all elements valid", shape)
	}
	if d.IsScalar() {
		return autograd.FromSlice([]float32{d.ScalarValue().(float32)}), nil
	}
	want := rowMajor(shape)
	if d.RequiresIterator() || d.DataOrder().IsColMajor() || !slices.Equal(d.Strides(), want) {
		return nil, fmt.Errorf("dense: From: tensor %v has strides %v; want row-major order, %v (Materialize makes a copy that has it)", shape, d.Strides(), want)
	}
	data := d.Data().([]float32)
	if n := shapeSize(shape); len(data) != n {
		return nil, fmt.Errorf("dense: From: tensor %v holds %d elements; want %d", shape, len(data), n)
	}
	return autograd.FromSlice(data, shape...), nil
}

// To returns x as a Dense that shares its data; a scalar is copied. Tensors without elements, which gorgonia does not have, are
// an error.
func To(x *autograd.Tensor) (*tensor.Dense, error) {
	if x == nil {
		return nil, fmt.Errorf("dense: To: the tensor is nil")
	}
	if x.Len() == 0 {
		return nil, fmt.Errorf("dense: To: tensor %v has no elements", x.Shape)
	}
	if x.Rank() == 0 {
		return tensor.New(tensor.FromScalar(x.Data[0])), nil
	}
	return tensor.New(tensor.WithShape(x.Shape...), tensor.WithBacking(x.Data)), nil
}

// rowMajor returns the strides of a contiguous row-major tensor.
func rowMajor(shape []int) []int {
	strides := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = n
		n *= shape[i]
	}
	return strides
}

func shapeSize(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}
