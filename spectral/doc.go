// Package spectral computes in Fourier space: transforms of tensors, spectral convolutions and what is built from them, losses,
// resampling and measures of spectra.
//
// A function on a periodic grid of n points per axis is a sum of modes exp(2 pi i k x / n). Of the n modes of an axis, those
// with k = -n/2 .. n/2-1 are different; a real function has conjugate values at k and -k, so along one axis, the last,
// k = 0 .. n/2 tell all. Conv keeps the lowest few modes of each axis, multiplies each by a matrix between channels and transforms
// back: a convolution with a kernel as large as the domain, given by its spectrum, that is the same operator on every grid.
//
// Only the kept modes are computed. Along one axis the transform of n points to k modes is then a real matrix of 2k x n, and
// channels-last data make it one matrix product per line of the grid, at the speed of matrix products; for the sizes of
// neural operators (k << n, n up to a few hundred) this needs fewer steps than an FFT and runs many times faster. The mixing is a real
// product per mode as well: for Y = XW with the batch's real parts above its imaginary parts, and X' = iX,
//
//	[Re Y; Im Y] = [X X'] [Re W; Im W].
//
// RFFT, IRFFT, FFT and IFFT are the whole transforms, by fast algorithms.
package spectral
