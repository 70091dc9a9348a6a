package encoder

import (
	"fmt"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

// Model is an encoder. It may be used by many goroutines at once, with a tape each.
type Model struct {
	Config Config `param:"-"` // with 0 replaced by what it stands for
	// RouterTemp divides the logits of a ConvNeXt's type head, kept between 1/4 and 4: a setting that is stored with the weights and
	// not trained. Nil for a ViT.
	RouterTemp *autograd.Param `param:"router_temp"`
	// One of the two backbones is nil.
	ViT      *ViT      `param:"backbone"`
	ConvNeXt *ConvNeXt `param:"backbone"`
	// ConvHead is the type head of a ConvNeXt, TypeHead that of a ViT; nil without Config.Types.
	ConvHead *nn.Linear `param:"backbone.head.fc"`
	Proj     *nn.Linear `param:"proj"`
	TypeHead *nn.Linear `param:"type_head"`
	// Recompute makes passes that record remember what enters a block of the backbone, and nothing inside it: see
	// autograd.Recompute. It changes no result. It may be set between passes.
	Recompute bool `param:"-"`

	floor Floor
}

// New returns a model with weights drawn from rng; a nil rng leaves zeros, for weights that are loaded.
func New(c Config, rng *rand.Rand) (*Model, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c = c.Clone().defaults()
	m := &Model{Config: c, floor: Floor{Rho: c.Floor.Bound()}}
	width, points := c.ViT.Width, c.Shuffle*c.Shuffle
	if c.Kind == KindViT {
		m.ViT = newViT(c.In, c.ViT, rng)
		if c.Types > 0 {
			m.TypeHead = nn.NewLinear(width, c.Types, true, rng)
		}
	} else {
		m.ConvNeXt = newConvNeXt(c.In, c.ConvNeXt, rng)
		width = c.ConvNeXt.Widths[len(c.ConvNeXt.Widths)-1]
		if c.Types > 0 {
			m.ConvHead = nn.NewLinear(width, c.Types, true, rng)
			m.RouterTemp = &autograd.Param{Tensor: autograd.FromSlice([]float32{1}), Frozen: true}
		}
	}
	m.Proj = nn.NewPointwise(width, points*c.Out, 2, false, rng)
	// All points of a patch start as the same: random ones would be noise that covers the map (Aitken et al., arXiv 1707.02937).
	for i, first := c.Out*width, m.Proj.Weight.Data[:c.Out*width]; i < points*len(first); i += len(first) {
		copy(m.Proj.Weight.Data[i:], first)
	}
	m.freezeBlocks(c.FreezeBlocks)
	return m, m.Freeze(c.Freeze...)
}

// CheckSize reports records of too few rows or columns: a ViT takes sides that grow by less than themselves when they are rounded up to
// multiples of a patch, which reflection fills; a ConvNeXt sides that leave a point behind all stages, from 32 on where there are four.
func (m *Model) CheckSize(rows, columns int) error {
	least := m.Config.ViT.Patch/2 + 1
	if m.ConvNeXt != nil {
		least = 2 << len(m.Config.ConvNeXt.Widths) // a stem of 4 points, and 2 for each stage behind the first
	}
	if rows < least || columns < least {
		return fmt.Errorf("encoder: records of %d x %d; this %s wants sides of %d or more", rows, columns, m.Config.Kind, least)
	}
	return nil
}

// Options are what one call of ForwardWith may add.
type Options struct {
	// Report asks for the report on the spectral floor, which costs two more transforms of the latent map.
	Report bool
}

// Output is what an encoder finds in a record.
type Output struct {
	Latent *autograd.Value // nb x Out x ny x nx
	// Global describes the record as a whole, nb x width: the mean of a ViT's class token and registers, or the normalised mean of a
	// ConvNeXt's features.
	Global *autograd.Value
	// Types are the weights of the families, nb x Types, which add up to 1; nil without a type head.
	Types *autograd.Value
	// FloorLoss is the spectral floor's loss, weighted, a scalar; nil unless Config.Floor says FloorLoss.
	FloorLoss *autograd.Value
	// Report tells what the floor did; nil unless asked for.
	Report *FloorReport
}

// Forward maps records x, nb x In x h x w, to latent maps, nb x Out x ny x nx. It panics on sizes for which CheckSize reports an error.
func (m *Model) Forward(x *autograd.Value) *autograd.Value { return m.ForwardWith(x, Options{}).Latent }

// ForwardWith is Forward with all that the encoder finds.
func (m *Model) ForwardWith(x *autograd.Value, o Options) Output {
	if x.Rank() != 4 || x.Shape[1] != m.Config.In || x.Len() == 0 {
		panic(fmt.Sprintf("encoder: Forward: shape %v; want [batch, %d, rows, columns]", x.Shape, m.Config.In))
	}
	if err := m.CheckSize(x.Shape[2], x.Shape[3]); err != nil {
		panic(err.Error())
	}
	var out Output
	if m.ViT != nil {
		out = m.runViT(x)
	} else {
		out = m.runConvNeXt(x)
	}
	m.applyFloor(x, &out, o)
	return out
}

func (m *Model) runViT(x *autograd.Value) Output {
	t := x.Tape()
	c := &m.Config
	tokens, ny, nx := m.ViT.tokens(x, m.Recompute)
	nb, registers, patches := x.Shape[0], c.ViT.registers(), ny*nx
	first := 1 + registers
	if c.Defects.ShiftTokens {
		first = 1
	}
	out := Output{Global: t.Scope(func() *autograd.Value {
		globals := autograd.Narrow(tokens, 1, 0, first)
		if c.Defects.ShiftTokens {
			globals = autograd.Concat(1, globals, autograd.Narrow(tokens, 1, 1+patches, registers))
		}
		return autograd.MeanAxes(globals, false, 1)
	})}
	out.Latent = t.Scope(func() *autograd.Value {
		y := m.Proj.Forward(autograd.Narrow(tokens, 1, first, patches))
		return m.resize(shuffle(autograd.Reshape(y, nb, ny, nx, -1), c.Shuffle))
	})
	if m.TypeHead != nil {
		out.Types = autograd.Softmax(m.TypeHead.Forward(out.Global))
	}
	return out
}

// shuffle lays out the points of every patch: x, nb x ny x nx x (r r nc) with the row and column within the patch ahead of the channel,
// becomes nb x nc x (ny r) x (nx r).
func shuffle(x *autograd.Value, r int) *autograd.Value {
	if r == 1 {
		return autograd.ChannelsFirst(x)
	}
	nb, ny, nx, nc := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]/(r*r)
	y := autograd.Permute(autograd.Reshape(x, nb, ny, nx, r, r, nc), 0, 5, 1, 3, 2, 4)
	return autograd.Reshape(y, nb, nc, ny*r, nx*r)
}

func (m *Model) runConvNeXt(x *autograd.Value) Output {
	t := x.Tape()
	features := m.ConvNeXt.features(x, m.Recompute)
	out := Output{Global: m.ConvNeXt.global(features)}
	out.Latent = t.Scope(func() *autograd.Value {
		bound := float32(m.Config.ConvNeXt.Clamp)
		y := unitChannels(autograd.ChannelsFirst(m.Proj.Forward(features)))
		return m.resize(autograd.Clamp(y, -bound, bound))
	})
	if m.ConvHead != nil {
		temperature := min(max(m.RouterTemp.Data[0], 0.25), 4)
		out.Types = autograd.Softmax(autograd.Scale(m.ConvHead.Forward(out.Global), 1/temperature))
	}
	return out
}

// resize brings x, nb x nc x ny x nx, to the latent grid.
func (m *Model) resize(x *autograd.Value) *autograd.Value {
	return autograd.Resize(x, m.Config.Size[:], autograd.Interpolation{Mode: autograd.InterpolateLinear})
}

func (m *Model) applyFloor(x *autograd.Value, out *Output, o Options) {
	if o.Report {
		out.Report = &FloorReport{Rho: m.floor.Rho}
	}
	switch m.Config.Floor.Mode {
	case FloorLayer:
		in := out.Latent
		out.Latent = x.Tape().Scope(func() *autograd.Value { return m.floor.Forward(in, x, out.Report) })
	case FloorLoss:
		out.FloorLoss = autograd.Scale(m.floor.Loss(out.Latent, out.Report), float32(m.Config.Floor.Weight))
	default:
		if out.Report != nil {
			m.floor.measure(out.Latent, out.Report)
		}
	}
}
