package autograd

// Param is a trainable leaf: a tensor that an optimiser updates. It carries no gradient; gradients are returned by Backward,
// so that one model can be used by many goroutines at once.
type Param struct {
	*Tensor
	// Frozen parameters take part in the forward pass and get no gradient.
	Frozen bool
	// Complex marks a tensor of complex numbers, stored real with a last axis of 2.
	Complex bool
}

// NewParam returns a parameter of zeros.
func NewParam(shape ...int) *Param { return &Param{Tensor: New(shape...)} }

// NewComplexParam returns a complex parameter of zeros; its tensor has the given shape and a last axis of 2.
func NewComplexParam(shape ...int) *Param {
	return &Param{Tensor: New(append(append([]int{}, shape...), 2)...), Complex: true}
}

// Buffer is state that a model saves and does not train: running statistics (Data) or counters (Ints). One of the two is nil.
type Buffer struct {
	Shape []int
	Data  []float32
	Ints  []int64
}

// NewBuffer returns a float32 buffer filled with x.
func NewBuffer(x float32, shape ...int) *Buffer {
	b := &Buffer{Shape: append([]int{}, shape...), Data: make([]float32, sizeOf(shape))}
	for i := range b.Data {
		b.Data[i] = x
	}
	return b
}

// NewCounter returns an int64 buffer of zeros.
func NewCounter(shape ...int) *Buffer {
	return &Buffer{Shape: append([]int{}, shape...), Ints: make([]int64, sizeOf(shape))}
}
