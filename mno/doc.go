// Package mno is the multiwavelet neural operator (Gupta, Xiao, Bogdan, arXiv 2109.13459) in one and two dimensions, and the multiscale
// operator of SPAMoE in one to three: maps between functions on a box, learned from samples on regular grids, that can be applied on any
// grid.
//
// A multiwavelet basis describes a function on every cell of a grid by a polynomial of degree below K, with coefficients s. The cells
// of a grid of half as many points hold the projection of it, and the wavelets, piecewise polynomials orthogonal to all polynomials of degree
// below K, hold what the projection lost, d:
//
//	s' = H0 s_even + H1 s_odd,   d = G0 s_even + G1 s_odd
//	s_even = PHI0' (H0' s' + G0' d),   s_odd = PHI1' (H1' s' + G1' d)
//
// Smooth parts of a function have small d (K vanishing moments), and a smooth kernel of an integral operator, singular only on its
// diagonal, has few large elements in this basis. A block therefore acts on each level by itself, by operators A, B, C that are
// learned and the same on all levels (the non-standard form of Beylkin, Coifman and Rokhlin), and on the coarsest by a matrix T0:
//
//	Ud = A d + B s',   Us = C d,   coarsest: T0 s
//
// A model lifts its input to Channels functions, that is Channels K^d coefficients per point, and applies blocks, with rectifiers between
// them, and a perceptron at the end.
//
//	model, err := mno.New(mno.Config{In: 1, Out: 1}, rng)
//	y := model.Forward(tape.Input(x)) // x is nb x 1 x ny x nx, y as well
//
// The same weights serve all levels, but a model learns them for the depth that its grids have, and without Config.Levels that depends on how
// often their sides can be halved. A model that is to work on other grids than those of its training needs a fixed number of levels. For
// example, a smooth nonlinear operator in one dimension, trained for some seconds on 64 points, has these relative errors:
//
//	points       64    72    128   256
//	default      0.03  0.23  0.08  0.14
//	Levels 3     0.03  0.04  0.05  0.07
//	Coarsest 3   0.03  0.04  0.30  0.58
//
// Sides need not be powers of two: Config says whether a grid is continued by reflection or halved as often as it can be. Filters and Bank are
// the transform itself, in float32 or float64 on plain slices. Multiscale is an operator of its own: branches of Fourier blocks
// on grids of several resolutions.
//
// Parameters have the names of the authors' implementations, so their checkpoints load; Reference and ReferenceMultiscale reproduce what those
// do differently.
package mno
