package lno

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/memo"
	"github.com/spamoe/spamoe/spectral"
)

// Blocks is a sequence of blocks (Liu-Schiaffini et al., arXiv 2402.16845). Block i of L maps v to
//
//	s(norm(K v + D v + I v) + W v)
//
// with a spectral convolution K, a differential kernel D, a local integral kernel I, a matrix W, and s the exact GELU, except in the last
// block, where it is the identity. With a channel perceptron M and a gate w per channel it is u = GELU(norm(..) + W v), then
// s(norm(M u + w v)).
//
// D, I and W are convolutions: their kernels are added before one convolution is done with the sum, where their paddings agree.
type Blocks struct {
	Convs        []*spectral.Conv      `param:"convs"`
	Skips        []spectral.Layer      `param:"local_no_skips"`
	Differential []*Differential       `param:"differential"` // of the blocks that have one
	Integral     []*Integral           `param:"local_convs"`  // of the blocks that have one
	MLPs         []*nn.ChannelMLP      `param:"mlp"`
	MLPSkips     []spectral.Layer      `param:"channel_mlp_skips"`
	Norms        []spectral.Normaliser `param:"norm"` // one per block, two with a perceptron

	config         Config
	differentialOf []*Differential // of every block, nil where it has none
	integralOf     []*Integral
	plans          memo.Map[planKey, *plan]
}

// planKey names a grid and the kernels that a block has.
type planKey struct {
	n                            [3]int
	skip, differential, integral bool
}

// plan has the tables of the local kernels of a block on one grid. Those that go into one convolution share a window.
type plan struct {
	point, differential, integral *table // the last two nil where the block has no such kernel
	padding                       Padding
	apart                         bool  // the integral is padded otherwise and makes a convolution of its own
	used                          []run // taps of the convolution
}

func newBlocks(c Config, rng *rand.Rand) (*Blocks, error) {
	b := &Blocks{config: c, differentialOf: make([]*Differential, c.Layers), integralOf: make([]*Integral, c.Layers)}
	d := len(c.Modes)
	for i := range c.Layers {
		conv, err := spectral.NewConv(c.conv(i), rng)
		if err != nil {
			return nil, err
		}
		b.Convs = append(b.Convs, conv)
		b.Skips = append(b.Skips, spectral.NewSkip(c.Skip, c.Hidden, d, rng))
		if c.has(c.Differential, i, true) {
			if b.differentialOf[i], err = NewDifferential(c.differential(), rng); err != nil {
				return nil, err
			}
			b.Differential = append(b.Differential, b.differentialOf[i])
		}
		if c.has(c.Integral, i, d == 2) {
			if b.integralOf[i], err = NewIntegral(c.integral(), rng); err != nil {
				return nil, err
			}
			b.Integral = append(b.Integral, b.integralOf[i])
		}
		if c.MLP {
			hidden := max(1, int(math.RoundToEven(c.MLPExpansion*float64(c.Hidden))))
			b.MLPs = append(b.MLPs, nn.NewChannelMLP(nn.ChannelMLPConfig{In: c.Hidden, Hidden: hidden, Dropout: c.MLPDropout}, rng))
			b.MLPSkips = append(b.MLPSkips, spectral.NewSkip(c.MLPSkip, c.Hidden, d, rng))
		}
		for range b.norms() {
			b.Norms = append(b.Norms, spectral.NewNormaliser(c.Normalise, c.Hidden, c.NormGroups, c.Embedding, rng))
		}
	}
	return b, nil
}

// norms returns how many normalisations a block has.
func (b *Blocks) norms() int {
	switch {
	case b.config.Normalise == "":
		return 0
	case b.config.MLP:
		return 2
	}
	return 1
}

// plan returns the tables of block i for a grid of n points, made once and kept, or an error where the local kernels do not fit it.
func (b *Blocks) plan(i int, n []int) (*plan, error) {
	d, l, skip := b.differentialOf[i], b.integralOf[i], b.joining(i) != nil
	key := planKey{skip: skip, differential: d != nil, integral: l != nil}
	copy(key.n[:], n)
	return b.plans.Get(key, func() (*plan, error) { return b.newPlan(skip, d, l, n) })
}

// joining returns the path around block i if it joins the local kernels: where nothing comes between them, and there are any. Else it is nil.
func (b *Blocks) joining(i int) *spectral.LinearSkip {
	skip, ok := b.Skips[i].(*spectral.LinearSkip)
	if !ok || b.config.Tanh || b.Norms != nil || b.differentialOf[i] == nil && b.integralOf[i] == nil {
		return nil
	}
	return skip
}

func (b *Blocks) newPlan(skip bool, d *Differential, l *Integral, n []int) (*plan, error) {
	c := &b.config
	p := &plan{point: pointTable(), padding: c.Padding}
	window, functions := p.point.window, 1
	if d != nil {
		p.differential = differenceTable(c.Stencil, len(c.Modes), c.width(n))
		if err := c.Padding.fits(n, p.differential.pad); err != nil {
			return nil, err
		}
		window, functions = p.differential.window, p.differential.n
	}
	if l != nil {
		if err := l.CheckGrid(n[0], n[1]); err != nil {
			return nil, err
		}
		p.integral, _ = l.table([2]int(n))
		if !p.integral.odd() {
			return nil, fmt.Errorf("lno: an integral kernel of %v points, padded by %v, maps the grid %v to another one", p.integral.window[1:], p.integral.pad[1:], n)
		}
		if d == nil {
			p.padding = l.Config.Padding
		}
		p.apart = padModes[p.padding] != padModes[l.Config.Padding] && !p.integral.point()
		if !p.apart {
			window, functions = common(window, p.integral.window), max(functions, p.integral.n)
		}
	}
	if err := checkTable(functions, window[0]*window[1]*window[2]); err != nil {
		return nil, err
	}
	p.point = p.point.resize(window)
	if d != nil {
		p.differential = p.differential.resize(window)
	}
	if l != nil && !p.apart {
		p.integral = p.integral.resize(window)
	}
	var tables []*table
	if skip {
		tables = append(tables, p.point)
	}
	if d != nil {
		tables = append(tables, p.differential)
	}
	if l != nil && !p.apart {
		tables = append(tables, p.integral)
	}
	if tables != nil {
		p.used = runs(tables...)
	}
	return p, nil
}

// forward applies block i to x, nb x n1 .. nd x Hidden; the result is on the grid size.
func (b *Blocks) forward(x *autograd.Value, i int, size []int, embedding *autograd.Value) *autograd.Value {
	c := &b.config
	in := x
	if c.Tanh {
		in = autograd.Tanh(x)
	}
	u := b.Convs[i].ForwardTo(in, size...)
	skip := b.joining(i)
	local := b.differentialOf[i] != nil || b.integralOf[i] != nil
	last := i == c.Layers-1
	around := skip == nil && b.Skips[i] != nil
	// Where the local kernels come last, up to an activation, they are added to the rest and activated in one pass.
	activated := local && !around && b.Norms == nil && slices.Equal(size, x.Shape[1:1+len(size)])
	switch {
	case activated:
		u = b.local(in, u, i, skip, c.MLP || !last)
	case local:
		u = autograd.Add(u, b.resample(b.local(in, nil, i, skip, false), size))
	}
	u = b.normalise(u, b.norms()*i, embedding)
	if around {
		u = autograd.Add(u, b.resample(b.Skips[i].Forward(x), size))
	}
	if !c.MLP {
		return b.activate(u, last || activated)
	}
	u = b.MLPs[i].Forward(b.activate(u, activated))
	if s := b.MLPSkips[i]; s != nil {
		u = autograd.Add(u, b.resample(s.Forward(x), size))
	}
	return b.activate(b.normalise(u, b.norms()*i+1, embedding), last)
}

// local adds up more, which may be nil, what is a convolution over few points in block i, which has such a kernel, and skip, which may be
// nil; with gelu it returns GELU of that.
func (b *Blocks) local(x, more *autograd.Value, i int, skip *spectral.LinearSkip, gelu bool) *autograd.Value {
	p, err := b.plan(i, x.Shape[1:len(x.Shape)-1])
	if err != nil {
		panic(err.Error())
	}
	tape := x.Tape()
	terms := make([]term, 0, maxTerms)
	var bias *autograd.Value
	if skip != nil {
		terms = append(terms, term{weight: tape.Param(skip.Conv.Weight), groups: 1, table: p.point})
	}
	if l := b.differentialOf[i]; l != nil {
		terms = append(terms, l.term(tape, p.differential))
	}
	l := b.integralOf[i]
	if l != nil && !p.apart {
		terms = append(terms, l.term(tape, p.integral))
		bias = l.bias(tape)
	}
	w := stencil(b.config.Hidden, b.config.Hidden, terms...)
	padded := p.padding.apply(x, p.point.pad)
	if !p.apart {
		return correlateWith(padded, w, bias, more, [3]int{1, 1, 1}, p.used, gelu)
	}
	y := autograd.Add(correlateWith(padded, w, bias, more, [3]int{1, 1, 1}, p.used, false), l.Forward(x))
	return b.activate(y, !gelu)
}

// resample brings a channels-last y to the grid size.
func (b *Blocks) resample(y *autograd.Value, size []int) *autograd.Value {
	if slices.Equal(y.Shape[1:1+len(size)], size) {
		return y
	}
	return autograd.ChannelsLast(b.config.Defects.Spectral.Resample(autograd.ChannelsFirst(y), size...))
}

func (b *Blocks) normalise(x *autograd.Value, i int, embedding *autograd.Value) *autograd.Value {
	if b.Norms == nil {
		return x
	}
	return b.Norms[i].Forward(x, embedding)
}

// activate returns GELU of x, or x itself where that is not wanted or done already.
func (b *Blocks) activate(x *autograd.Value, done bool) *autograd.Value {
	if done {
		return x
	}
	return autograd.GELU(x)
}
