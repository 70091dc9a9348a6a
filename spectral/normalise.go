package spectral

import (
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

// Normaliser normalises channels-last data; embedding is nil except for NormaliseAdaIN.
type Normaliser interface {
	Forward(x, embedding *autograd.Value) *autograd.Value
}

func newNormaliser(c *BlockConfig, rng *rand.Rand) Normaliser {
	one := func() Normaliser {
		switch c.Normalise {
		case NormaliseGroup:
			return &groupNorm{nn.NewGroupNorm(max(1, c.NormGroups), c.Channels, 0)}
		case NormaliseInstance:
			return &instanceNorm{}
		case NormaliseBatch:
			return &batchNorm{Norm: nn.NewBatchNorm2d(c.Channels)}
		case NormaliseAdaIN:
			return &adaIN{nn.NewAdaIN(c.Embedding, c.Channels, 0, rng)}
		}
		panic(c.Normalise.unknown().Error())
	}
	if !c.Complex {
		return one()
	}
	return &normPair{one(), one()}
}

// The layers of package nn are channels-first: data go there and back.

type groupNorm struct{ *nn.GroupNorm }

func (n *groupNorm) Forward(x, _ *autograd.Value) *autograd.Value {
	if n.Groups == 1 {
		// One group has all channels and points of a sample, in whatever order.
		t := x.Tape()
		y := autograd.LayerNorm(autograd.Reshape(x, x.Shape[0], x.Len()/max(x.Shape[0], 1)), nil, nil, n.Eps)
		return autograd.AddLast(autograd.MulLast(autograd.Reshape(y, x.Shape...), t.Param(n.Weight)), t.Param(n.Bias))
	}
	return autograd.ChannelsLast(n.GroupNorm.Forward(autograd.ChannelsFirst(x)))
}

type instanceNorm struct{ nn.InstanceNorm }

func (n *instanceNorm) Forward(x, _ *autograd.Value) *autograd.Value {
	return autograd.ChannelsLast(n.InstanceNorm.Forward(autograd.ChannelsFirst(x)))
}

type batchNorm struct {
	Norm *nn.BatchNorm2d // neuraloperator wraps it, so it has a name of its own
}

func (n *batchNorm) Forward(x, _ *autograd.Value) *autograd.Value {
	return autograd.ChannelsLast(n.Norm.Forward(autograd.ChannelsFirst(x)))
}

type adaIN struct{ *nn.AdaIN }

func (n *adaIN) Forward(x, embedding *autograd.Value) *autograd.Value {
	if embedding == nil {
		panic("spectral: Blocks: normalise \"ada_in\" needs an embedding")
	}
	return autograd.ChannelsLast(n.AdaIN.Forward(autograd.ChannelsFirst(x), embedding))
}

// normPair is ComplexPair for normalisations.
type normPair struct {
	Re Normaliser `param:"fr"`
	Im Normaliser `param:"fi"`
}

func (p *normPair) Forward(x, embedding *autograd.Value) *autograd.Value {
	if embedding != nil && embedding.Rank() == 2 && embedding.Shape[0] > 1 {
		embedding = autograd.Concat(0, embedding, embedding) // one for each part
	}
	return combine(p.Re.Forward(x, embedding), p.Im.Forward(x, embedding))
}
