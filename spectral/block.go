package spectral

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

// BlockConfig describes a sequence of Fourier blocks. Channels, Modes and Layers are required.
type BlockConfig struct {
	Channels int   `json:"channels"`
	Modes    []int `json:"modes"` // see Config
	MaxModes []int `json:"max_modes,omitempty"`
	Layers   int   `json:"layers"`
	// Skip is the path around the spectral convolution; the default is SkipLinear.
	Skip Skip `json:"skip,omitempty"`
	// NoMLP leaves out the channel perceptron that follows, and its path around.
	NoMLP bool `json:"no_mlp,omitempty"`
	// MLPSkip is the path around the channel perceptron, from the block's input; the default is SkipGate.
	MLPSkip Skip `json:"mlp_skip,omitempty"`
	// MLPExpansion is the perceptron's hidden width over Channels; 0 means 0.5.
	MLPExpansion float64 `json:"mlp_expansion,omitempty"`
	MLPDropout   float32 `json:"mlp_dropout,omitempty"`
	// Normalise names a normalisation behind the convolution and behind the perceptron; the default is none.
	Normalise Normalisation `json:"normalise,omitempty"`
	// NormGroups is how many groups NormaliseGroup has; 0 means 1.
	NormGroups int `json:"norm_groups,omitempty"`
	// Embedding is the width of the embedding that NormaliseAdaIN takes.
	Embedding int `json:"embedding,omitempty"`
	// Preactivation applies activation and normalisation ahead of the convolution (He et al., arXiv 1603.05027).
	Preactivation bool `json:"preactivation,omitempty"`
	// Tanh bounds what enters the convolution.
	Tanh bool `json:"tanh,omitempty"`
	// Scale is each block's factor on the resolution: one number per block, or one for all.
	Scale []float64 `json:"scale,omitempty"`
	// The rest is as in Config.
	Separable bool    `json:"separable,omitempty"`
	Complex   bool    `json:"complex,omitempty"`
	Rank      float64 `json:"rank,omitempty"`
	Norm      Norm    `json:"norm,omitempty"`
	Defects   Defects `json:"defects,omitzero"`
}

// Skip is a path around a layer.
type Skip string

// The skips, named as neuraloperator names them.
const (
	SkipLinear   Skip = "linear"      // a matrix between channels
	SkipGate     Skip = "soft-gating" // a factor per channel
	SkipIdentity Skip = "identity"
	SkipNone     Skip = "none"
)

// unknown is the error of a skip that is none.
func (s Skip) unknown() error {
	return fmt.Errorf("spectral: skip %q; want %q, %q, %q or %q", s, SkipLinear, SkipGate, SkipIdentity, SkipNone)
}

// Normalisation of the channels-last data of a block.
type Normalisation string

// The normalisations, named as neuraloperator names them.
const (
	NormaliseGroup    Normalisation = "group_norm"
	NormaliseInstance Normalisation = "instance_norm"
	NormaliseBatch    Normalisation = "batch_norm"
	NormaliseAdaIN    Normalisation = "ada_in"
)

// unknown is the error of a normalisation that is none.
func (n Normalisation) unknown() error {
	return fmt.Errorf("spectral: normalise %q; want %q, %q, %q or %q", n, NormaliseGroup, NormaliseInstance, NormaliseBatch, NormaliseAdaIN)
}

// Layer maps channels-last data, nb x n1 .. nd x nc.
type Layer interface {
	Forward(x *autograd.Value) *autograd.Value
}

// Blocks is a sequence of Fourier blocks (Li et al., arXiv 2010.08895; Kossaifi et al., arXiv 2310.00120). Block i of L maps v to
//
//	u = s(norm(K v) + W v),     s(norm(M u + w v)),
//
// with a spectral convolution K, a matrix W, a channel perceptron M, a gate w per channel, and s the exact GELU except in the last
// block, where it is the identity. Complex data are two real samples behind each other: a batch of 2 nb, first all real parts.
type Blocks struct {
	Config   BlockConfig  `param:"-"`
	Convs    []*Conv      `param:"convs"`
	Skips    []Layer      `param:"fno_skips"`
	MLPs     []Layer      `param:"channel_mlp"`
	MLPSkips []Layer      `param:"channel_mlp_skips"`
	Norms    []Normaliser `param:"norm"` // two per block
}

// BlockOptions are what one call of Blocks.Forward may add.
type BlockOptions struct {
	Size      []int           // the block's output grid, instead of what Scale says
	Embedding *autograd.Value // for NormaliseAdaIN: width, or nb x width
}

// Check reports the first thing in c that cannot work.
func (c BlockConfig) Check() error {
	switch {
	case c.Layers < 1:
		return fmt.Errorf("spectral: %d blocks; want at least 1", c.Layers)
	case len(c.Scale) > 1 && len(c.Scale) != c.Layers:
		return fmt.Errorf("spectral: scale %v for %d blocks", c.Scale, c.Layers)
	case !(c.MLPExpansion >= 0):
		return fmt.Errorf("spectral: mlp_expansion %v; want a positive number", c.MLPExpansion)
	case c.MLPExpansion*float64(c.Channels) > 1<<30:
		return fmt.Errorf("spectral: mlp_expansion %v of %d channels; want a width up to 2^30", c.MLPExpansion, c.Channels)
	case !(c.MLPDropout >= 0 && c.MLPDropout < 1):
		return fmt.Errorf("spectral: mlp_dropout %v; want at least 0 and below 1", c.MLPDropout)
	case c.NormGroups < 0 || c.NormGroups > 0 && c.Channels%c.NormGroups != 0:
		return fmt.Errorf("spectral: %d groups of %d channels", c.NormGroups, c.Channels)
	case c.Normalise == NormaliseAdaIN && c.Embedding < 1:
		return fmt.Errorf("spectral: normalise %q needs the width of an embedding, got %d", c.Normalise, c.Embedding)
	}
	switch c.Normalise {
	case "", NormaliseGroup, NormaliseInstance, NormaliseBatch, NormaliseAdaIN:
	default:
		return c.Normalise.unknown()
	}
	for _, s := range []Skip{c.Skip, c.MLPSkip} {
		switch s {
		case "", SkipLinear, SkipGate, SkipIdentity, SkipNone:
		default:
			return s.unknown()
		}
	}
	return c.conv(0).Check()
}

// conv is the configuration of the spectral convolution of block i.
func (c *BlockConfig) conv(i int) Config {
	out := Config{In: c.Channels, Out: c.Channels, Modes: c.Modes, MaxModes: c.MaxModes, Separable: c.Separable, Complex: c.Complex,
		Norm: c.Norm, Rank: c.Rank, Defects: c.Defects}
	if len(c.Scale) > 0 {
		out.Scale = []float64{c.Scale[min(i, len(c.Scale)-1)]}
	}
	return out
}

// NewBlocks returns initialised blocks; a nil rng leaves zeros, and gates at one.
func NewBlocks(c BlockConfig, rng *rand.Rand) (*Blocks, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c.Modes, c.MaxModes, c.Scale = slices.Clone(c.Modes), slices.Clone(c.MaxModes), slices.Clone(c.Scale)
	b := &Blocks{Config: c}
	for i := range c.Layers {
		conv, err := NewConv(c.conv(i), rng)
		if err != nil {
			return nil, err
		}
		b.Convs = append(b.Convs, conv)
	}
	each := func(newLayer func() Layer) (list []Layer) {
		for range c.Layers {
			list = append(list, complexPair(c.Complex, newLayer))
		}
		return list
	}
	dim := len(c.Modes)
	b.Skips = each(func() Layer { return newSkip(c.Skip, SkipLinear, c.Channels, dim, rng) })
	if !c.NoMLP {
		expansion := c.MLPExpansion
		if expansion == 0 {
			expansion = 0.5
		}
		hidden := max(1, int(math.RoundToEven(expansion*float64(c.Channels))))
		b.MLPs = each(func() Layer {
			return nn.NewChannelMLP(nn.ChannelMLPConfig{In: c.Channels, Hidden: hidden, Dropout: c.MLPDropout}, rng)
		})
		b.MLPSkips = each(func() Layer { return newSkip(c.MLPSkip, SkipGate, c.Channels, dim, rng) })
	}
	if c.Normalise != "" {
		for range 2 * c.Layers {
			b.Norms = append(b.Norms, newNormaliser(&c, rng))
		}
	}
	return b, nil
}

// Size returns the grid that block i maps the grid n to.
func (b *Blocks) Size(i int, n []int) []int {
	b.check(i)
	return b.Convs[i].OutputSize(n)
}

// check panics unless there is a block i.
func (b *Blocks) check(i int) {
	if i < 0 || i >= len(b.Convs) {
		panic(fmt.Sprintf("spectral: Blocks: no block %d of %d", i, len(b.Convs)))
	}
}

// SetModes changes the modes in use in all blocks, as Conv.SetModes does.
func (b *Blocks) SetModes(modes ...int) error {
	for _, c := range b.Convs {
		if err := c.SetModes(modes...); err != nil {
			return err
		}
	}
	first := &b.Convs[0].Config
	b.Config.Modes, b.Config.MaxModes = slices.Clone(first.Modes), slices.Clone(first.MaxModes)
	return nil
}

// Forward applies block i to x, nb x n1 .. nd x Channels.
func (b *Blocks) Forward(x *autograd.Value, i int, o BlockOptions) *autograd.Value {
	c := &b.Config
	b.check(i)
	if o.Size == nil {
		o.Size = b.Size(i, x.Shape[1:1+len(c.Modes)])
	}
	if c.Preactivation {
		return b.preactivated(x, i, o)
	}
	if k, ok := b.tailOf(x.Tape(), i, x, o.Size); ok {
		return k.forward(b.Convs[i].spectrum(x, o.Size))
	}
	return b.layers(x, i, o)
}

// layers is Forward by one layer after the other.
func (b *Blocks) layers(x *autograd.Value, i int, o BlockOptions) *autograd.Value {
	c := &b.Config
	last := i == c.Layers-1
	u := b.activate(add(b.normalise(b.convolve(i, x, o), 2*i, o), b.skip(b.Skips, i, x, o)), last)
	if !c.NoMLP {
		u = add(b.MLPs[i].Forward(u), b.skip(b.MLPSkips, i, x, o))
	}
	return b.activate(b.normalise(u, 2*i+1, o), last)
}

func (b *Blocks) preactivated(x *autograd.Value, i int, o BlockOptions) *autograd.Value {
	x = b.normalise(autograd.GELU(x), 2*i, o)
	u := b.activate(add(b.convolve(i, x, o), b.skip(b.Skips, i, x, o)), i == b.Config.Layers-1)
	u = b.normalise(u, 2*i+1, o)
	if b.Config.NoMLP {
		return u
	}
	return add(b.MLPs[i].Forward(u), b.skip(b.MLPSkips, i, x, o))
}

// convolve applies the spectral convolution of block i.
func (b *Blocks) convolve(i int, x *autograd.Value, o BlockOptions) *autograd.Value {
	if b.Config.Tanh {
		x = autograd.Tanh(x)
	}
	if !b.Config.Complex {
		return b.Convs[i].ForwardTo(x, o.Size...)
	}
	return planesToBatch(b.Convs[i].ForwardTo(batchToPlanes(x), o.Size...))
}

// skip applies path i and brings it to the block's output grid; nil where there is none.
func (b *Blocks) skip(list []Layer, i int, x *autograd.Value, o BlockOptions) *autograd.Value {
	if list[i] == nil {
		return nil
	}
	y := list[i].Forward(x)
	if slices.Equal(y.Shape[1:1+len(o.Size)], o.Size) {
		return y
	}
	return autograd.ChannelsLast(b.Config.Defects.Resample(autograd.ChannelsFirst(y), o.Size...))
}

func (b *Blocks) normalise(x *autograd.Value, i int, o BlockOptions) *autograd.Value {
	if b.Norms == nil {
		return x
	}
	return b.Norms[i].Forward(x, o.Embedding)
}

func (b *Blocks) activate(x *autograd.Value, last bool) *autograd.Value {
	if last {
		return x
	}
	return autograd.GELU(x)
}

// add is x + y, or x where y is nil.
func add(x, y *autograd.Value) *autograd.Value {
	if y == nil {
		return x
	}
	return autograd.Add(x, y)
}
