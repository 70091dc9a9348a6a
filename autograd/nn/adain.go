package nn

import (
	"fmt"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
)

// adaINHidden is the width of the perceptron in neuraloperator's AdaIN.
const adaINHidden = 512

// AdaIN is an instance norm whose scale and shift are computed from an embedding e, a description of the sample such as a
// time or a coefficient (Huang and Belongie, arXiv 1703.06868, equation 8, with a perceptron in place of a style image):
//
//	(w, b) = W2 GELU(W1 e + b1) + b2,     y[c] = (x[c] - mean) / sqrt(var + eps) w[c] + b[c].
type AdaIN struct {
	Hidden   *Linear `param:"mlp.0"` // embedding to 512
	Out      *Linear `param:"mlp.2"` // 512 to twice the channels: first the scales, then the shifts
	Channels int     `param:"-"`
	Eps      float32 `param:"-"`
}

// NewAdaIN returns an AdaIN of channels for embeddings of the given width; a nil rng leaves its weights zero, an eps of 0
// means 1e-5.
func NewAdaIN(embedding, channels int, eps float32, rng *rand.Rand) *AdaIN {
	return &AdaIN{
		Hidden:   NewLinear(embedding, adaINHidden, true, rng),
		Out:      NewLinear(adaINHidden, 2*channels, true, rng),
		Channels: channels,
		Eps:      orEps(eps),
	}
}

// Forward normalises x, nb x nc x n1 .. nd. The embedding is one for all samples, of its width alone or 1 x width, or one for
// each, nb x width.
func (l *AdaIN) Forward(x, embedding *autograd.Value) *autograd.Value {
	if x.Rank() < 3 || x.Shape[1] != l.Channels {
		panic(fmt.Sprintf("nn: AdaIN: shape %v; want a batch of %d channels on a grid", x.Shape, l.Channels))
	}
	nb, width := x.Shape[0], l.Hidden.Weight.Shape[1]
	rows := embedding.Len() / width
	if embedding.Rank() < 1 || embedding.Rank() > 2 || embedding.Dim(-1) != width || (rows != 1 && rows != nb) {
		panic(fmt.Sprintf("nn: AdaIN: embedding %v for x %v; want [%d], [1 %d] or [%d %d]", embedding.Shape, x.Shape, width, width, nb, width))
	}
	wb := l.Out.Forward(l.Hidden.ForwardGELU(autograd.Reshape(embedding, rows, width)))
	w := autograd.Reshape(autograd.Narrow(wb, 1, 0, l.Channels), -1)
	b := autograd.Reshape(autograd.Narrow(wb, 1, l.Channels, l.Channels), -1)
	if rows == 1 {
		return autograd.GroupNorm(x, l.Channels, w, b, l.Eps)
	}
	// The channels of all samples are those of one: an instance norm does not tell samples and channels apart.
	shape := append(make([]int, 0, 8), x.Shape...)
	shape[0], shape[1] = 1, nb*l.Channels
	all := autograd.Reshape(x, shape...)
	return autograd.Reshape(autograd.GroupNorm(all, nb*l.Channels, w, b, l.Eps), x.Shape...)
}
