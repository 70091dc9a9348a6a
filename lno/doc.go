// Package lno is the local neural operator (Liu-Schiaffini et al., arXiv 2402.16845) in one to three dimensions: a Fourier neural operator
// whose blocks also have kernels that see only the neighbourhood of a point, and still mean the same on every grid.
//
// A convolution with a fixed number of weights is no operator: on finer grids it shrinks to a point. Two ways of scaling it have a limit.
//
// A differential kernel (Differential) is a stencil without its constant part, over the width h of a cell,
//
//	(D x)(p) = 1/h sum over taps t of W_t (x(p + h t) - x(p))   ->   sum over t of W_t (t . grad) x(p),
//
// a derivative in a learned direction. There is one h for all axes, so that the kernel keeps its meaning where a grid is refined by the same
// factor along all of them, and only there: W_t does not tell which part of it belongs to which axis. A local integral kernel (Integral) has a learned combination of fixed functions psi_k on a disc that
// stays as it is, whatever the grid,
//
//	(I x)(p) = sum over k of W_k / |psi_k| sum over points s of the disc of psi_k(s) x(p + s) h^2   ->   an integral,
//
// a discrete-continuous convolution. On a regular grid both are convolutions, with kernels that are linear in the weights: K = sum over
// functions of B_k W_k, where B has the differences to the middle tap, over h, or the samples psi_k h^2 / |psi_k|. A matrix between channels
// is one more such term. So a block adds up kernels, not results: differential kernel, integral kernel and the path around are one
// convolution wherever their paddings agree, done on channels-last data as a product per tap.
//
// A model lifts In channels to Hidden, v0 = P(a, x) with the coordinates x, applies blocks
//
//	v_(i+1) = s(norm(F^-1(R F(v_i)) + D v_i + I v_i + b) + W v_i),
//
// and projects to Out channels, u = Q(v_L); P and Q are perceptrons of one hidden layer, s is GELU, and the identity in the last block.
//
//	model, err := lno.New(lno.Config{In: 1, Out: 1, Hidden: 32, Modes: []int{16, 16}, Grid: []int{70, 70}}, rng)
//	y := model.Forward(tape.Input(x)) // x is nb x 1 x ny x nx, y as well
//
// For grids of other proportions than Config.Grid leave out the differential kernels, Differential: []bool{false}. For example, a smooth
// nonlinear operator, trained for some seconds on 20 x 28 points, has these relative errors:
//
//	points                    20 x 28   80 x 112   80 x 28
//	default                   0.02      0.07       0.16
//	no differential kernels   0.02      0.02       0.02
//
// Functions of a basis must be told apart by the points of the grid: a radius of a cell or less, at which all of them would be the
// point itself, is an error. Config.Defects and the constructor Reference reproduce the reference, neuraloperator's LocalNO as SPAMoE
// has it, where that happens at the default radius, and parameters have its names, so its checkpoints load.
package lno
