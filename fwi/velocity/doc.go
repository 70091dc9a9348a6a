// Package velocity draws random velocity maps of the ten OpenFWI families (Deng et al., NeurIPS 2022, arXiv:2111.02926), without
// end and reproducibly. OpenFWI published maps, not the program that drew them; these generators match what is known of them:
// bounds, integer values, numbers of layers, the order of velocities, mean and standard deviation over all maps (within 2 %),
// and the look of published examples.
//
//   - FlatVel: horizontal layers; CurveVel: layers that share one curve, a sum of two sines. A: velocity grows with depth, the
//     order statistics of uniform draws from 1500 to 4500 m/s; B: independent uniform draws.
//   - FlatFault, CurveFault: such layers, cut by faults. A: 2 to 4 layers, shifted along one fault, that bend near it. B: 6 to 8
//     layers on either side of a steep fault, different on both sides, and a second, shallower fault that shifts them, as in the
//     published examples. In a block velocity grows with depth.
//   - Style: a trend with depth plus a Gaussian random field of squared-exponential correlation, rougher and noisy in B. The
//     originals were made by style transfer from photographs; this field has their correlation length and variance, not their
//     outlines.
//
// Lengths scale with the number of rows, so that a finer grid shows the same earth in more detail. Map i of a seed depends on
// nothing but family, seed, size and i.
package velocity
