// Package nn holds the layers that models are built from. A layer is a struct whose exported fields are its parameters, tagged
// with PyTorch's names, so that the names autograd.State finds are those of a state_dict; New... initialises it as PyTorch
// does, and Forward applies it to a value, whose tape says whether this is training or evaluation.
//
//	Linear          y = x W' + b                                  last axis
//	ChannelMLP      y = W_L g(.. g(W_1 x + b_1) ..) + b_L         last axis, g = GELU
//	SoftGating      y = w * x (+ b)                               last axis
//	GridEmbedding   y = [x, coordinates of the grid]              last axis, or channels first
//	Conv2d, ConvTranspose2d, BatchNorm2d, GroupNorm, InstanceNorm, AdaIN     channels first
//	LayerNorm       y = (x - mean) / sqrt(var + eps) * w + b      last axis
//	Dropout         y = x * mask / (1 - p) in training            any shape
//
// The layers that neural operators apply to every point of a grid take channels-last tensors, x is nb x n1 .. nd x nc: there a
// pointwise convolution is one matrix product. The layers of image networks take channels-first ones, nb x nc x ny x nx.
//
//	rng := rand.New(rand.NewPCG(1, 2))
//	mlp := nn.NewChannelMLP(nn.ChannelMLPConfig{In: 32, Hidden: 16}, rng)
//	y := mlp.Forward(x) // x is nb x ny x nx x 32
package nn
