// Package spamoe is the root of a module of neural operators with gradients in pure Go, and of SPAMoE, a spectrum-aware mixture of
// such operators that turns seismic recordings into maps of the ground (full-waveform inversion, arXiv:2604.07421).
//
// The operators map functions to functions on grids of any resolution:
//
//	fno  Fourier neural operators: truncated spectral convolutions (arXiv:2010.08895)
//	mno  multiwavelet and multiscale operators (arXiv:2109.13459)
//	lno  local operators: differential and local integral kernels beside the spectral ones (arXiv:2402.16845)
//	moe  a mixture that sends bands of a function's spectrum to the operators that a router chooses
//
// Their configurations differ in names, as their sources do. What corresponds to what:
//
//	                      fno.Config       mno.Config         mno.MultiscaleConfig  lno.Config
//	width                 Hidden           Channels x K^Dim   Hidden                Hidden
//	blocks                Layers           Blocks             Layers, per scale     Layers
//	axes                  len(Modes)       Dim                Dim                   len(Modes)
//	frequencies per axis  Modes            2 Modes            Modes, per scale      Modes
//	lifting's width       LiftingRatio*    (one matrix)       LiftingHidden         LiftingRatio*
//	projection's width    ProjectionRatio* ProjectionHidden   ProjectionHidden      ProjectionRatio*
//	perceptron in blocks  unless NoMLP     none               always                if MLP
//	Padding               zeros around     none               none                  what local kernels
//	                      the grid                                                  see beyond the grid
//
// Frequencies are those of both signs together; * is a factor on Hidden.
//
// Below them lie spectral (transforms, spectral convolutions, Fourier blocks), encoder (DINOv3 transformers whose latent keeps a
// floor on its spectrum), autograd (tensors, tapes, gradients), autograd/nn, autograd/optim and autograd/loss, and checkpoint
// (safetensors and PyTorch files). Above them stands fwi: SPAMoE assembled, its data, physics, training and metrics. The program
// cmd/spamoe does all of it from the command line.
//
// This package itself is empty. Import what you need:
//
//	model, err := fno.New(fno.Config{In: 1, Out: 1, Hidden: 32, Modes: []int{16, 16}}, rand.New(rand.NewPCG(1, 2)))
package spamoe
