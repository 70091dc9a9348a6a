// Package fno is the Fourier neural operator (Li et al., arXiv 2010.08895) in one to three dimensions: a map between functions on a
// box, learned from samples on regular grids, that can be applied on any grid.
//
// A function a with In channels is lifted point by point to Hidden channels, v0 = P(a, x), where x are the coordinates, goes through
// Fourier blocks
//
//	v_(t+1) = s(M s(K v_t + W v_t) + w v_t),     (K v)(x) = F^-1(R F(v))(x) + b,
//
// see package spectral, and is projected point by point to Out channels, u = Q(v_T). P and Q are perceptrons with one hidden layer, s is
// GELU. Since R acts on Fourier modes and all else on single points, the weights know no grid: train on a coarse one, apply on a fine
// one.
//
//	model, err := fno.New(fno.Config{In: 1, Out: 1, Hidden: 32, Modes: []int{16, 16}}, rng)
//	y := model.Forward(tape.Input(x)) // x is nb x 1 x ny x nx, y as well
//
// Parameters have the names of neuraloperator's FNO, so its checkpoints load; Config.Defects and the constructors Reference and
// Upstream reproduce what the implementations they come from do differently.
package fno
