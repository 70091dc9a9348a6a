// Package encoder turns seismic records into latent maps: a DINOv3 vision transformer or ConvNeXt reads the record as an image, its
// features are projected to the channels of the experts and resized to their grid, and a spectral floor sees to it that the map
// keeps its fine detail.
//
// # Vision transformer
//
// The image is cut into patches of p x p points, each mapped to a token of D channels; a class token c and R registers come
// first. Block l computes, with layer normalisation N (Siméoni et al., DINOv3, arXiv 2508.10104; Dosovitskiy et al., arXiv 2010.11929),
//
//	x <- x + gamma_1 W_o softmax(q k' / sqrt d) v,   (q, k, v) = W_qkv N(x), q and k of patches rotated
//	x <- x + gamma_2 W_2 GELU(W_1 N(x))
//
// The rotation (RoPE, Su et al., arXiv 2104.09864) makes q k' depend on where patches lie to each other: the pairs (i, i + d/2) of the
// channels of a head turn by the angle 2 pi u / T^(4j/d), j = i mod d/4, where u is the row of the patch for the first d/4
// pairs and its column for the others, both mapped to [-1, 1]. Sides that are no multiple of p are continued by reflection.
//
// # ConvNeXt
//
// Four stages of blocks x <- x + gamma W_2 GELU(W_1 N(K * x)), K a 7 x 7 convolution of single channels (Liu et al., arXiv
// 2201.03545), each stage at half the resolution of the one before.
//
// # Spectral floor
//
// On the spectrum of a latent map, over all channels, with r the radius |k| over its largest value, let E_L be the energy in
// 0.05 <= r < 0.30, E_H that in 0.40 <= r < 0.85 and R = E_H / E_L. A transformer's map, interpolated from coarse patches, is smooth: R
// is small, and what the experts for high frequencies get is next to nothing. The floor keeps R >= rho: with P_H the projection
// onto the high band,
//
//	y = x + (g - 1) P_H x,   g = max(1, sqrt(rho E_L / E_H)).
//
// See Floor for maps without a high band, and for the bound as a loss.
//
//	model, err := encoder.New(encoder.Config{Out: 128}, rng)
//	latent := model.Forward(tape.Const(x)) // x is nb x 1 x 1000 x 350, latent nb x 128 x 70 x 70
//
// Parameters have the names of timm's models below "backbone.", so that pretrained weights (LoadPretrained) and SPAMoE's
// checkpoints load.
package encoder
