package fwi

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/fwi/inversionnet"
	"github.com/spamoe/spamoe/internal/npy"
)

// Config says everything about a model: the data it is for and the network inside.
type Config struct {
	// Network is the kind of network: "spamoe", "inversionnet", or a single operator, "fno", "mno", "multiscale" or "lno".
	Network string `json:"network"`
	// X and Y are the shapes of one input and one output in physical units, channels first: 5x1000x70 and 1x70x70.
	X []int `json:"x"`
	Y []int `json:"y"`
	// Rows is the number of rows (the axis after the channels) that inputs are resampled to without aliasing; 0 leaves them.
	Rows int `json:"rows,omitempty"`
	// Join puts the channels of an input side by side along the last axis: the shots of a gather become one image, 1x1000x350.
	Join bool `json:"join,omitempty"`
	// XNorm and YNorm map physical values to the network's range.
	XNorm Normalisation `json:"x_norm"`
	YNorm Normalisation `json:"y_norm"`
	// Unit is the unit of y, for reports: "m/s".
	Unit string `json:"unit,omitempty"`
	// OperatorConfig configures a network that is a single operator.
	OperatorConfig
	// InversionNet configures the network of kind "inversionnet", which takes gathers as they are.
	InversionNet inversionnet.Config `json:"inversionnet,omitzero"`
	// SPAMoE configures the network of kind "spamoe".
	SPAMoE *SPAMoEConfig `json:"spamoe,omitempty"`
}

// Network is what a model has inside: a map from [batch, channel, rows, columns] to the same with other channels.
type Network interface {
	Forward(x *autograd.Value) *autograd.Value
}

// Model is a network together with the transforms between physical units and its own. Its methods are safe for concurrent use
// as long as nobody trains it.
type Model struct {
	Config Config  `param:"-"`
	Net    Network `param:"model"`
	// BFloat16 predicts on rounded products, those of autograd.Tape.BFloat16: it speeds up an encoder's vision transformer, at errors near
	// 1 %; experts of package fno and lno and an InversionNet compute in float32 all the same. It may be set between predictions.
	BFloat16 bool `param:"-"`

	resampler *Resampler
	tapes     sync.Pool
}

// clone returns a copy of cfg that shares no memory with it.
func (cfg Config) clone() Config {
	cfg.X, cfg.Y = slices.Clone(cfg.X), slices.Clone(cfg.Y)
	cfg.XNorm, cfg.YNorm = cfg.XNorm.clone(), cfg.YNorm.clone()
	cfg.OperatorConfig = cfg.OperatorConfig.clone()
	if cfg.SPAMoE != nil {
		cfg.SPAMoE = new(cfg.SPAMoE.clone())
	}
	return cfg
}

// build returns the network of a model.
func (cfg Config) build(rng *rand.Rand) (Network, error) {
	if cfg.SPAMoE != nil && cfg.Network != "spamoe" {
		return nil, errors.New("the config has a part for spamoe, too")
	}
	if name := cfg.OperatorConfig.Name(); name != "" && (cfg.Network == "spamoe" || cfg.Network == "inversionnet") {
		return nil, fmt.Errorf("the config has a part for %s, too", name)
	}
	switch cfg.Network {
	case "inversionnet":
		if !slices.Equal(cfg.X, []int{5, 1000, 70}) || !slices.Equal(cfg.Y, []int{1, 70, 70}) || cfg.Rows != 0 || cfg.Join {
			return nil, fmt.Errorf("data of %v to %v with rows %d and join %v; it is made for [5 1000 70] to [1 70 70], neither resampled nor joined", cfg.X, cfg.Y, cfg.Rows, cfg.Join)
		}
		return inversionnet.New(cfg.InversionNet, rng)
	case "spamoe":
		return cfg.buildSPAMoE(rng)
	}
	if cfg.Network != cfg.OperatorConfig.Name() {
		return nil, fmt.Errorf("the config has no part of that name; it has %q", cfg.OperatorConfig.Name())
	}
	in, out := cfg.OperatorConfig.channels()
	shape := cfg.inputShape()
	if in != shape[0] || out != cfg.Y[0] {
		return nil, fmt.Errorf("%d input and %d output channels for data of %d and %d", in, out, shape[0], cfg.Y[0])
	}
	if !slices.Equal(shape[1:], cfg.Y[1:]) {
		return nil, fmt.Errorf("its grid is %v, that of the maps %v; they must agree", shape[1:], cfg.Y[1:])
	}
	net, err := cfg.OperatorConfig.build(rng)
	if err != nil {
		return nil, err
	}
	if err := checkGrid(net, shape[1:]); err != nil {
		return nil, err
	}
	return net, nil
}

// inputShape returns the shape of one input of the network: that of X after resampling and joining.
func (cfg Config) inputShape() []int {
	s := slices.Clone(cfg.X)
	if cfg.Rows > 0 {
		s[1] = cfg.Rows
	}
	if cfg.Join {
		s[len(s)-1] *= s[0]
		s[0] = 1
	}
	return s
}

// mostElements bounds a sample and the matrix that resamples it: 1 GiB.
const mostElements = 1 << 28

// mostNumbers bounds the parameters of a network: 8 GiB.
const mostNumbers = 1 << 31

// New returns a model with parameters drawn from rng; a nil rng leaves zeros, for parameters that are loaded.
func New(cfg Config, rng *rand.Rand) (*Model, error) {
	for i, s := range [][]int{cfg.X, cfg.Y} {
		name := "xy"[i : i+1]
		if len(s) < 2 || slices.Min(s) < 1 {
			return nil, fmt.Errorf("fwi: %s: shape %v of one sample; wanted a channel and at least one grid axis, all above 0", name, s)
		}
		if times(s...) > mostElements {
			return nil, fmt.Errorf("fwi: %s: shape %v of one sample; wanted no more than %d elements", name, s, mostElements)
		}
	}
	if err := errors.Join(cfg.XNorm.Validate(cfg.X[0]), cfg.YNorm.Validate(cfg.Y[0])); err != nil {
		return nil, fmt.Errorf("fwi: %w", err)
	}
	if cfg.Join && len(cfg.X) != 3 {
		return nil, fmt.Errorf("fwi: inputs of shape %v cannot be joined; wanted a channel and two grid axes", cfg.X)
	}
	if times(cfg.Rows, cfg.X[1]) > mostElements {
		return nil, fmt.Errorf("fwi: resampling %d rows to %d takes a matrix of more than %d elements", cfg.X[1], cfg.Rows, mostElements)
	}
	if cfg.Rows < 0 || cfg.Rows > cfg.X[1] {
		return nil, fmt.Errorf("fwi: inputs of %d rows cannot be resampled to %d", cfg.X[1], cfg.Rows)
	}
	if !slices.Contains(Networks(), cfg.Network) {
		return nil, fmt.Errorf("fwi: network %q is unknown; wanted one of %s", cfg.Network, strings.Join(Networks(), ", "))
	}
	if wants := cfg.leastNumbers(); wants > mostNumbers {
		return nil, fmt.Errorf("fwi: network %s: its configuration wants a network of %.3g numbers at least; wanted no more than %d", cfg.Network, wants, mostNumbers)
	}
	net, err := cfg.build(rng)
	if err != nil {
		return nil, fmt.Errorf("fwi: network %s: %w", cfg.Network, err)
	}
	m := &Model{Config: cfg.clone(), Net: net}
	if cfg.Rows > 0 {
		m.resampler = NewResampler(cfg.X[1], cfg.Rows)
	}
	m.tapes.New = func() any { return &autograd.Tape{NoGrad: true} }
	return m, nil
}

// tape returns a tape that records nothing, to be put back into m.tapes. What a network draws on it, as a router with random routing
// does, is the same each time.
func (m *Model) tape() *autograd.Tape {
	t := m.tapes.Get().(*autograd.Tape)
	t.Rand, t.BFloat16 = rand.New(rand.NewPCG(0, 0)), m.BFloat16
	return t
}

// Networks lists the kinds of networks.
func Networks() []string {
	return []string{"spamoe", "fno", "mno", "multiscale", "lno", "inversionnet"}
}

// InputShape returns the shape of one input of the network: that of Config.X after resampling and joining.
func (m *Model) InputShape() []int { return m.Config.inputShape() }

// Prepare turns one input from physical units, of shape Config.X, into the network's, of shape InputShape. x is overwritten.
func (m *Model) Prepare(dst, x []float32) {
	c := m.Config.X[0]
	m.Config.XNorm.Forward(x, x, c)
	rows, columns := m.Config.X[1], size(m.Config.X[2:])
	if m.resampler != nil {
		short := x
		if m.Config.Join {
			short = make([]float32, c*m.Config.Rows*columns)
		} else {
			short = dst
		}
		m.resampler.Apply(short, x, c, columns)
		x, rows = short, m.Config.Rows
	}
	switch {
	case m.Config.Join:
		for s := range c {
			for r := range rows {
				copy(dst[(r*c+s)*columns:][:columns], x[(s*rows+r)*columns:][:columns])
			}
		}
	case m.resampler == nil:
		copy(dst, x)
	}
}

// Accepts reports inputs, called name, of another shape than the model's.
func (m *Model) Accepts(name string, shape []int) error {
	if !slices.Equal(shape, m.Config.X) {
		return fmt.Errorf("%s: inputs of shape %v; the model wants %v", name, shape, m.Config.X)
	}
	return nil
}

// fits reports a set whose pairs have other shapes than those of the model.
func (m *Model) fits(d Data) error {
	x, y := d.Shapes()
	if !slices.Equal(x, m.Config.X) || !slices.Equal(y, m.Config.Y) {
		return fmt.Errorf("the data have pairs of shapes %v and %v; the model wants %v and %v", x, y, m.Config.X, m.Config.Y)
	}
	return nil
}

// predictBatch is how many inputs are predicted at once.
const predictBatch = 8

// Predict maps n inputs in physical units, x of n times the elements of Config.X, to n outputs. It works through them in small
// batches, records nothing, and returns an error for values that are not finite, given or found.
func (m *Model) Predict(ctx context.Context, x []float32) ([]float32, error) {
	nx, ny := size(m.Config.X), size(m.Config.Y)
	if len(x) == 0 || len(x)%nx != 0 {
		return nil, fmt.Errorf("fwi: %d values do not make inputs of shape %v", len(x), m.Config.X)
	}
	if i := npy.FirstNonFinite(x); i >= 0 {
		return nil, fmt.Errorf("fwi: input %d holds %v at element %d", i/nx, x[i], i%nx)
	}
	n, in := len(x)/nx, m.InputShape()
	out := make([]float32, n*ny)
	tape := m.tape()
	defer m.tapes.Put(tape)
	raw := make([]float32, nx)
	for lo := 0; lo < n; lo += predictBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hi := min(lo+predictBatch, n)
		z := autograd.New(append([]int{hi - lo}, in...)...)
		for i := lo; i < hi; i++ {
			copy(raw, x[i*nx:(i+1)*nx])
			m.Prepare(z.Data[(i-lo)*size(in):(i-lo+1)*size(in)], raw)
		}
		y := m.Net.Forward(tape.Const(z))
		for i := lo; i < hi; i++ {
			m.Config.YNorm.Inverse(out[i*ny:(i+1)*ny], y.Data[(i-lo)*ny:(i-lo+1)*ny], m.Config.Y[0])
			if j := npy.FirstNonFinite(out[i*ny : (i+1)*ny]); j >= 0 {
				return nil, fmt.Errorf("fwi: the output for input %d is %v at element %d", i, out[i*ny+j], j)
			}
		}
		tape.Reset()
	}
	return out, nil
}
