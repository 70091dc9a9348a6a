// Package diffusion discretises
//
//	-div(a grad u) = f on the unit square, u = 0 on its boundary,
//
// with a coefficient a > 0 that varies, by finite volumes (Scheme), and draws random fields to make coefficients of (Field). The
// examples make their data with it.
package diffusion
