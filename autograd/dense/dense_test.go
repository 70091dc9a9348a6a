package dense_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/dense"
	"github.com/spamoe/spamoe/autograd/nn"
)

func ExampleApply() {
	layer := nn.NewLinear(3, 2, true, nil)
	copy(layer.Weight.Data, []float32{1, 2, 3, 0, 0, 1})
	copy(layer.Bias.Data, []float32{10, 20})
	forward := dense.Apply(layer.Forward)

	y, err := forward(tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float32{1, 1, 1, 0, 1, 2})))
	fmt.Println(y.Shape(), y.Data(), err)

	_, err = forward(tensor.New(tensor.WithShape(2, 4), tensor.Of(tensor.Float32)))
	fmt.Println(err)
	// Output:
	// (2, 2) [16 21 18 22] <nil>
	// dense: Apply: input [2 4]: autograd: Linear: weight [2 3] does not fit x [2 4]: want [out, in] and [.., in]
}

func newDense(shape ...int) *tensor.Dense {
	data := make([]float32, tensor.Shape(shape).TotalSize())
	for i := range data {
		data[i] = float32(i)
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
}

func TestDataIsShared(t *testing.T) {
	d := newDense(2, 3, 4)
	x, err := dense.From(d)
	require.NoError(t, err)
	require.Equal(t, []int{2, 3, 4}, x.Shape)
	x.Set(-7, 1, 2, 3)
	v, err := d.At(1, 2, 3)
	require.NoError(t, err)
	require.Equal(t, float32(-7), v)

	back, err := dense.To(x)
	require.NoError(t, err)
	require.Equal(t, tensor.Shape{2, 3, 4}, back.Shape())
	require.NoError(t, back.SetAt(float32(5), 0, 0, 1))
	require.Equal(t, float32(5), x.At(0, 0, 1))
	v, err = d.At(0, 0, 1)
	require.NoError(t, err)
	require.Equal(t, float32(5), v)
}

func TestSlicesOfTheFirstAxisAreShared(t *testing.T) {
	d := newDense(4, 3, 2)
	rows, err := d.Slice(tensor.S(1, 3))
	require.NoError(t, err)
	x, err := dense.From(rows.(*tensor.Dense))
	require.NoError(t, err)
	require.Equal(t, []int{2, 3, 2}, x.Shape)
	require.Equal(t, float32(6), x.Data[0])
	one, err := d.Slice(tensor.S(2))
	require.NoError(t, err)
	x, err = dense.From(one.(*tensor.Dense))
	require.NoError(t, err)
	require.Equal(t, []int{3, 2}, x.Shape)
	require.Equal(t, []float32{12, 13, 14, 15, 16, 17}, x.Data)
}

func TestScalars(t *testing.T) {
	x, err := dense.From(tensor.New(tensor.FromScalar(float32(2.5))))
	require.NoError(t, err)
	require.Empty(t, x.Shape)
	require.Equal(t, []float32{2.5}, x.Data)
	d, err := dense.To(x)
	require.NoError(t, err)
	require.True(t, d.IsScalar())
	require.Equal(t, float32(2.5), d.ScalarValue())
}

func TestWhatFromRefuses(t *testing.T) {
	_, err := dense.From(nil)
	require.EqualError(t, err, "dense: From: the tensor is nil")
	_, err = dense.From(tensor.New(tensor.WithShape(2, 3), tensor.Of(tensor.Float64)))
	require.EqualError(t, err, "dense: From: tensor [2 3] holds float64; want float32")

	d := newDense(2, 3)
	require.NoError(t, d.T())
	_, err = dense.From(d)
	require.EqualError(t, err, "dense: From: tensor [3 2] has strides [1 3]; want row-major order, [2 1] (Materialize makes a copy that has it)")
	x, err := dense.From(d.Materialize().(*tensor.Dense))
	require.NoError(t, err)
	require.Equal(t, []float32{0, 3, 1, 4, 2, 5}, x.Data)

	columns, err := newDense(2, 4).Slice(nil, tensor.S(1, 3))
	require.NoError(t, err)
	_, err = dense.From(columns.(*tensor.Dense))
	require.EqualError(t, err, "dense: From: tensor [2 2] has strides [4 1]; want row-major order, [2 1] (Materialize makes a copy that has it)")

	fortran := tensor.New(tensor.WithShape(2, 3), tensor.AsFortran([]float32{0, 1, 2, 3, 4, 5}))
	_, err = dense.From(fortran)
	require.ErrorContains(t, err, "dense: From: tensor [2 3] has strides [1 2]; want row-major order, [3 1]")

	masked := newDense(2, 3)
	require.NoError(t, masked.MaskedEqual(float32(3)))
	_, err = dense.From(masked)
	require.EqualError(t, err, "dense: From: tensor [2 3] has a mask; want all elements valid")

	_, err = dense.To(nil)
	require.EqualError(t, err, "dense: To: the tensor is nil")
	_, err = dense.To(autograd.New(2, 0))
	require.EqualError(t, err, "dense: To: tensor [2 0] has no elements")
}

func TestApplyOwnsItsResult(t *testing.T) {
	same := dense.Apply(func(x *autograd.Value) *autograd.Value { return autograd.Reshape(x, 6) })
	d := newDense(2, 3)
	a, err := same(d)
	require.NoError(t, err)
	b, err := same(newDense(3, 2))
	require.NoError(t, err)
	require.NoError(t, a.SetAt(float32(100), 0))
	require.Equal(t, []float32{0, 1, 2, 3, 4, 5}, d.Data(), "the input is not the result")
	require.Equal(t, []float32{0, 1, 2, 3, 4, 5}, b.Data(), "nor is the next result")
}

func TestApplyFromManyGoroutines(t *testing.T) {
	mlp := nn.NewChannelMLP(nn.ChannelMLPConfig{In: 4, Dropout: 0.5}, rand.New(rand.NewPCG(1, 2)))
	forward := dense.Apply(mlp.Forward)
	want, err := forward(newDense(5, 4))
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				y, err := forward(newDense(5, 4))
				if err != nil || !y.Eq(want) {
					t.Error("a concurrent call gave another result", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestDefectsStayPanics(t *testing.T) {
	broken := dense.Apply(func(x *autograd.Value) *autograd.Value {
		var missing *autograd.Value
		return autograd.Scale(x, missing.Data[0])
	})
	require.Panics(t, func() { _, _ = broken(newDense(2)) })
	_, err := broken(nil)
	require.Error(t, err)
}
