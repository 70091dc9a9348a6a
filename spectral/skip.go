package spectral

import (
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

// LinearSkip is a matrix between channels, without a bias.
type LinearSkip struct {
	Conv *nn.Linear // weight out x in x 1
}

// Forward maps x, .. x in, to .. x out.
func (s *LinearSkip) Forward(x *autograd.Value) *autograd.Value { return s.Conv.Forward(x) }

// Identity is the path that changes nothing.
type Identity struct{}

// Forward returns x.
func (Identity) Forward(x *autograd.Value) *autograd.Value { return x }

// newSkip returns nil for SkipNone.
func newSkip(kind, otherwise Skip, channels, dim int, rng *rand.Rand) Layer {
	if kind == "" {
		kind = otherwise
	}
	switch kind {
	case SkipLinear:
		return &LinearSkip{nn.NewPointwise(channels, channels, 1, false, rng)}
	case SkipGate:
		return nn.NewSoftGating(channels, dim, false)
	case SkipIdentity:
		return Identity{}
	case SkipNone:
		return nil
	}
	panic(kind.unknown().Error())
}
