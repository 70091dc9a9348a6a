package moe

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/spectral"
)

// Router chooses experts for every sample of a batch by its spectrum. It may be used by many goroutines at once, with a tape each.
type Router struct {
	Config Config `param:"-"` // with 0 replaced by what it stands for

	// ExpertFreq is the preferred frequency of every expert, a radius; nil without mixing.
	ExpertFreq  *autograd.Param  `param:"expert_freq"`
	BandCenters *autograd.Buffer `param:"band_centers"`
	// Counts, Batches and LastGates are what SPAMoE's files have of their training: how often each expert was selected, over how many
	// batches, and the mean gates of the last one. They are read and written, and no pass changes them: see Route.Stats for one's own.
	Counts    *autograd.Buffer `param:"expert_select_counts"`
	Batches   *autograd.Buffer `param:"num_batches_tracked"`
	LastGates *autograd.Buffer `param:"last_avg_gates"`
	// QKV and Proj are the attention, a query, key and value of every frequency's channels and what is made of the mean value.
	QKV  *nn.Linear `param:"qkv"`
	Proj *nn.Linear `param:"proj"`
	// Gate turns what was found into one number per expert.
	Gate *nn.Linear `param:"freq_proj.2"`
	// BandGain, channels x bands, scales the magnitudes of every band before the gates; nil with Defects.RawGates.
	BandGain *autograd.Param `param:"band_gain"`

	last atomic.Pointer[halfBands]
}

// NewRouter returns a router with weights drawn from rng; a nil rng leaves zeros, for weights that are loaded.
func NewRouter(c Config, rng *rand.Rand) (*Router, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c = c.defaults()
	r := &Router{Config: c, Counts: autograd.NewBuffer(0, c.Experts), Batches: autograd.NewBuffer(0), LastGates: autograd.NewBuffer(0, c.Experts)}
	r.BandCenters = &autograd.Buffer{Shape: []int{c.Experts}, Data: evenly(c.Experts)}
	idle, learned := c.Defects.IdleLayers, c.Routing == Learned
	if idle || !c.NoMixing && !c.NoBands {
		r.ExpertFreq = &autograd.Param{Tensor: autograd.FromSlice(evenly(c.Experts), c.Experts)}
	}
	if idle || learned && !c.NoAttention {
		r.QKV = nn.NewPointwise(c.Channels, 3*c.Channels, 2, true, rng)
		r.Proj = nn.NewPointwise(c.Channels, c.Channels, 2, true, rng)
	}
	if idle || learned {
		r.Gate = nn.NewLinear(c.Channels, c.Experts, true, rng)
	}
	if learned && !c.Defects.RawGates {
		r.BandGain = autograd.NewParam(c.Channels, c.Experts)
		if rng != nil {
			r.start(rng)
		}
	}
	return r, nil
}

// start draws the weights between the magnitudes and the gates anew, such that differences between samples arrive at the gates in their
// size, and no expert is preferred before the spectrum is seen.
func (r *Router) start(rng *rand.Rand) {
	nc := r.Config.Channels
	std := 1 / math.Sqrt(float64(nc))
	nn.Normal(r.BandGain.Tensor, 1, 0.5, rng)
	nn.Normal(r.Gate.Weight.Tensor, 0, std, rng)
	clear(r.Gate.Bias.Data)
	if r.QKV != nil {
		value := autograd.FromSlice(r.QKV.Weight.Data[2*nc*nc:], nc, nc)
		nn.Normal(value, 0, std, rng)
		nn.Normal(r.Proj.Weight.Tensor, 0, std, rng)
		clear(r.QKV.Bias.Data[2*nc:])
		clear(r.Proj.Bias.Data)
	}
}

// Bands returns the division of frequencies that the router uses.
func (r *Router) Bands() Bands {
	return Bands{Centers: r.BandCenters.Data, Sharpness: r.Config.BandSharpness, Hard: r.Config.HardBands, Defects: r.Config.Defects}
}

// halfBands are the masks of a division of frequencies on the half spectrum of one size.
type halfBands struct {
	bands  Bands
	ny, nx int
	masks  *autograd.Tensor
}

// half returns Bands().half, computed anew when the size or the division is another than before.
func (r *Router) half(ny, nx int) *autograd.Tensor {
	b := r.Bands()
	h := r.last.Load()
	if h == nil || h.ny != ny || h.nx != nx || !h.bands.equal(b) {
		b.Centers = slices.Clone(b.Centers) // those of the router may change
		h = &halfBands{b, ny, nx, b.half(ny, nx)}
		r.last.Store(h)
	}
	return h.masks
}

// Route chooses experts for every sample of x, [batch, channel, ny, nx].
func (r *Router) Route(x *autograd.Value) *Route {
	c := &r.Config
	if x.Rank() != 4 || x.Shape[1] != c.Channels || x.Len() == 0 {
		panic(fmt.Sprintf("moe: Route: shape %v; want [batch, %d, ny, nx], not empty", x.Shape, c.Channels))
	}
	t, nb := x.Tape(), x.Shape[0]
	y := &Route{router: r, x: x}
	if c.Routing == Learned || !c.NoBands {
		y.spectrum = spectrum(x)
		y.bands = t.Const(r.half(x.Shape[2], x.Shape[3]))
		if !c.NoBands {
			y.masks = r.masks(y.bands)
		}
	}
	if c.Routing == Learned {
		y.Gates = t.Scope(func() *autograd.Value { return r.gates(y.spectrum, y.bands, x.Shape[3]) })
		scores := y.Gates.Data
		if c.Noise > 0 && t.Train {
			needsRand("noise", t)
			scores = t.Scratch(len(scores))
			perturb(scores, y.Gates.Data, c.Noise, t.Rand)
		}
		y.Experts = largest(scores, c.Experts, c.TopK)
		y.Weights = renormalise(y.Gates, y.Experts)
	} else {
		y.Gates = constant(t, 1/float32(c.Experts), nb, c.Experts)
		y.Weights = constant(t, 1/float32(c.TopK), nb, c.TopK)
		if c.Routing == Uniform {
			y.Experts = first(nb, c.TopK)
		} else {
			needsRand("random routing", t)
			y.Experts = draw(nb, c.Experts, c.TopK, t.Rand)
		}
	}
	if c.Balance > 0 {
		gates := y.Gates
		if c.Defects.DetachedBalance {
			gates = t.Const(gates.Tensor)
		}
		y.Balance = balance(gates, y.Experts, c.Balance, c.Defects.BalanceToSelection)
	}
	return y
}

// gates returns nb x ne, from the half spectra f of planes of nx columns.
func (r *Router) gates(f, bands *autograd.Value, nx int) *autograd.Value {
	c, t := &r.Config, f.Tape()
	nb, nc, ny, nh := f.Shape[0], f.Shape[1], f.Shape[2], f.Shape[3]
	np := ny * nh
	var m *autograd.Value // nb x np x nc
	if c.Defects.RawGates {
		m = spectral.Magnitude(f)
	} else {
		m = logPower(f, nx)
	}
	m = autograd.Permute(autograd.Reshape(m, nb, nc, np), 0, 2, 1)
	if r.BandGain != nil {
		gain := autograd.MatMulT(autograd.Permute(bands, 1, 0), t.Param(r.BandGain)) // np x nc
		m = autograd.MulLast(autograd.Reshape(m, nb, np*nc), autograd.Reshape(gain, np*nc))
		m = autograd.Reshape(m, nb, np, nc)
	}
	// A bin of the half spectrum has the weight of those of the whole that it stands for.
	weight := t.Alloc(1, 1, np)
	for k := range np {
		weight.Data[k] = float32(count(k%nh, nx))
	}
	var u *autograd.Value // nb x nc
	if c.NoAttention {
		mean := autograd.Broadcast(autograd.Scale(t.Const(weight), 1/float32(ny*nx)), nb, 1, np)
		u = autograd.Reshape(autograd.MatMul(mean, m), nb, nc)
	} else {
		u = r.attend(m, t.Const(weight), nb, np, nc)
		if c.Defects.RawGates {
			u = autograd.Scale(u, 1/float32(ny*nx))
		}
		u = r.Proj.Forward(u)
	}
	return autograd.Softmax(r.Gate.Forward(u))
}

// attend returns the mean value over frequencies, nb x nc, weighted by softmax(q k / sqrt nc) times the weights of the bins. Since
// these weights add up to one, the value of the mean is taken rather than the mean of the values.
func (r *Router) attend(m, weight *autograd.Value, nb, np, nc int) *autograd.Value {
	w, b := m.Tape().Param(r.QKV.Weight), m.Tape().Param(r.QKV.Bias)
	qk := autograd.Linear(autograd.Reshape(m, nb*np, nc), autograd.Narrow(w, 0, 0, 2*nc), autograd.Narrow(b, 0, 0, 2*nc))
	e := autograd.Reshape(rowDots(qk, float32(1/math.Sqrt(float64(nc)))), nb, np)
	a := autograd.Softmax(autograd.AddLast(e, autograd.Log(weight)))
	mean := autograd.Reshape(autograd.MatMul(autograd.Reshape(a, nb, 1, np), m), nb, nc)
	return autograd.Linear(mean, autograd.Narrow(w, 0, 2*nc, nc), autograd.Narrow(b, 0, 2*nc, nc))
}

// preference returns how much every expert takes of every band, ne x ne: softmax over the bands b of -a (f_e - c_b)^2.
func (r *Router) preference(t *autograd.Tape) *autograd.Value {
	n := r.Config.Experts
	f := autograd.Broadcast(autograd.Reshape(t.Param(r.ExpertFreq), n, 1), n, n)
	centers := t.Alloc(1, n)
	copy(centers.Data, r.BandCenters.Data)
	c := autograd.Broadcast(t.Const(centers), n, n)
	return autograd.Softmax(autograd.Scale(autograd.Square(autograd.Sub(f, c)), -float32(r.Config.AffinitySharpness)))
}

// masks returns the sum of the bands' masks that every expert gets, ne x np.
func (r *Router) masks(bands *autograd.Value) *autograd.Value {
	if r.Config.NoMixing {
		return bands
	}
	return autograd.MatMul(r.preference(bands.Tape()), bands)
}

func needsRand(what string, t *autograd.Tape) {
	if t.Rand == nil {
		panic("moe: Route: " + what + " on a tape without Rand")
	}
}

// constant returns a value without gradient, full of v.
func constant(t *autograd.Tape, v float32, shape ...int) *autograd.Value {
	x := t.Alloc(shape...)
	for i := range x.Data {
		x.Data[i] = v
	}
	return t.Const(x)
}
