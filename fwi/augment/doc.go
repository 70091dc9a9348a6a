// Package augment makes new pairs of velocity map and gathers out of old ones, in the ways that the physics allows.
//
//   - Flip mirrors the map sideways and simulates it again. The gathers are not mirrored: the shots of OpenFWI do not lie
//     symmetrically (the third is at column 34 of 70), so that the mirror image of a gather is no gather of any map.
//   - Freqs simulates with a Ricker wavelet of one of other peak frequencies.
//   - Noise adds Gaussian noise at a signal-to-noise ratio in decibels, 10 log10 of the ratio of mean squares.
//   - Mute silences traces, as broken receivers do.
//
// Augmenter draws such changes at random; equal random numbers make equal pairs.
package augment
