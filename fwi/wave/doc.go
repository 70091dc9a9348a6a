// Package wave simulates seismic surveys: it turns a velocity model into the pressure that receivers record for each shot.
//
// The equation is the acoustic wave equation with constant density and absorbing damping D,
//
//	p_tt + D p_t = v^2 (p_xx + p_zz) + v^2 s(t) delta(x - x_s) dx^2,
//
// to second order in time and, by default, fourth in space on a square grid of spacing dx (Alford, Kelly and Boore, Geophysics 39,
// 1974):
//
//	p[n+1] = p[n] + (1 - D dt)(p[n] - p[n-1]) + (v dt/dx)^2 L p[n],  L p = 4/3 near - 1/12 far - 5 p,
//
// where near sums the four neighbours at distance 1 and far those at distance 2. The source adds (v dt)^2 w[n] in its cell, and
// row n of the gather is what the receivers then see, p[n+1].
//
// The model is continued by Pad cells on all four sides with its edge values, unless a side is a free surface. In these strips
// D = kappa (i/(Pad-1))^2 for i = 0 .. Pad-1 counted outwards, with
//
//	kappa = 3 vmin ln(1e7) / (2 (Pad-1) dx),  vmin the least velocity of this model.
//
// The left and right strips reach over the full height, corners included, the upper and lower ones over the model's columns, and
// the grid is periodic beyond its outer edge. These choices are those of OpenFWI (Deng et al., NeurIPS 2022, arXiv:2111.02926;
// its text says "2-8", its data are of order 2-4). The zero Config reproduces a published gather to a relative L2 of 1e-5. That
// is the rounding of the published data: the same survey in float64 differs from them as much, and from float32 by 1.4e-6.
//
// Gradient is the exact adjoint of the scheme, backwards in time: with the adjoint sources dJ/dp[n+1] at the receivers,
//
//	lambda[n+1] = lambda[n+2] + (1 - D dt)(lambda[n+2] - lambda[n+3]) + L ((v dt/dx)^2 lambda[n+2]) + dJ/dp[n+1],
//	dJ/dv = 2/v sum over n of lambda[n+1] ((v dt/dx)^2 L p[n] + source) - dD/dv dt sum over n of lambda[n+1] (p[n] - p[n-1]),
//
// where each cell of a strip counts for the edge cell whose velocity it has. The part through the damping is left out unless asked
// for: only the cell of least velocity has it. (v dt/dx)^2 lambda obeys the forward scheme, which is how it is computed.
//
// A field constant in space and time solves the scheme, and solves it to the last bit as it is computed here. The simulation
// therefore starts from a tiny constant instead of zero and takes it off again when it records: the quiet parts of the field
// never hold denormal numbers, which processors handle many times slower, at no cost per step. And where the wave has not arrived
// the field is that constant exactly, so that nothing need be computed there.
package wave
