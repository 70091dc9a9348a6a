package spectral

import "github.com/spamoe/spamoe/internal/kernel"

var (
	spectra kernel.Scratch[float32] // a spectrum
	tiles   kernel.Scratch[float32] // weights of a block of channels
	turns   kernel.Scratch[float32] // weights of one input channel and a block of output channels
	lines   kernel.Scratch[float32] // one row of points
)
