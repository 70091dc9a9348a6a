// Package autograd differentiates programs over float32 tensors in reverse mode.
//
// A Tape records the operations of one pass as a list. Every operation y = f(x1, .., xn) enters, beside its result, a struct whose
// method Backward turns the gradient gy of a scalar L with respect to y into the gradients of its inputs,
//
//	gx_i += (dy/dx_i)' gy,
//
// and Value.Backward calls these methods from the last to the first. Values carry their tape, so operations take no context;
// parameters carry no gradient, Backward returns them, so a model can be shared by goroutines that have a tape each.
//
//	tape := &autograd.Tape{}
//	x := tape.Input(autograd.FromSlice([]float32{1, 2, 3}, 3))
//	y := autograd.Sum(autograd.Mul(x, x))
//	grads := y.Backward()
//	grads.Wrt(x) // 2 4 6
//
// Operations are functions of values: arithmetic (Add, Mul, Sqrt, Exp, ..), sums (Sum, MeanAxes, ..), shapes (Reshape, Permute,
// Concat, Narrow, Pad, Broadcast), products (MatMul, Linear, Conv2d, Attention, ..), activations (GELU, LeakyReLU, Softmax, ..),
// normalisations (LayerNorm, GroupNorm, BatchNorm, ..), Resize and pooling. Record makes new ones, CheckGrad checks their
// gradients. Binary operations want equal shapes; Broadcast, AddLast and MulLast stretch.
//
// Memory comes from the tape and goes back to it at Reset, tensors as well as what operations remember: a training loop that resets its
// tape after every step allocates nothing here. Tape.Once and Recompute save memory in the backward pass. A model is any Go value;
// Params finds its parameters by reflection, named by struct tags as encoding/json does.
//
// Operations panic on shapes that do not fit: such a mistake is the program's, not the user's. Tensors are channels-first,
// [batch, channel, spatial...], unless an operation says otherwise. Results do not depend on the number of threads.
package autograd
