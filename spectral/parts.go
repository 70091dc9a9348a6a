package spectral

import (
	"math/rand/v2"
)

// NewSkip returns a path around a layer of channels over a grid of dim axes, nil for SkipNone: for blocks of other kinds than Blocks. A
// nil rng leaves zeros, and gates at one.
func NewSkip(kind Skip, channels, dim int, rng *rand.Rand) Layer {
	return newSkip(kind, SkipLinear, channels, dim, rng)
}

// NewNormaliser returns a normalisation of channels: NormaliseGroup in groups (0 means 1), NormaliseAdaIN by an embedding of that width,
// or one of the others, which take neither.
func NewNormaliser(kind Normalisation, channels, groups, embedding int, rng *rand.Rand) Normaliser {
	return newNormaliser(&BlockConfig{Normalise: kind, Channels: channels, NormGroups: groups, Embedding: embedding}, rng)
}
