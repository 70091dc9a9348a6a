package fwi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/fwi/inversionnet"
)

// Config says everything about a model: the data it is for and the network inside.
type Config struct {
	// Network is the kind of network: "fno" or "inversionnet".
	Network string `json:"network"`
	// X and Y are the shapes of one input and one output in physical units, channels first: 5x1000x70 and 1x70x70.
	X []int `json:"x"`
	Y []int `json:"y"`
	// Rows is the number of rows (the axis after the channels) that inputs are resampled to without aliasing; 0 leaves them.
	Rows int `json:"rows,omitempty"`
	// XNorm and YNorm map physical values to the network's range.
	XNorm Normalisation `json:"x_norm"`
	YNorm Normalisation `json:"y_norm"`
	// Unit is the unit of y, for reports: "m/s".
	Unit string `json:"unit,omitempty"`
	// FNO configures the network of kind "fno"; its channels are those of X and Y.
	FNO *fno.Config `json:"fno,omitempty"`
	// InversionNet configures the network of kind "inversionnet", which takes gathers as they are.
	InversionNet inversionnet.Config `json:"inversionnet,omitzero"`
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

	resampler *Resampler
	tapes     sync.Pool
}

// networks builds the network of each kind.
var networks = map[string]func(cfg Config, rng *rand.Rand) (Network, error){
	"fno": func(cfg Config, rng *rand.Rand) (Network, error) {
		if cfg.FNO == nil {
			return nil, errors.New("network fno: the config has no fno part")
		}
		if cfg.FNO.In != cfg.X[0] || cfg.FNO.Out != cfg.Y[0] {
			return nil, fmt.Errorf("network fno: %d input and %d output channels for data of %d and %d", cfg.FNO.In, cfg.FNO.Out, cfg.X[0], cfg.Y[0])
		}
		grid := slices.Clone(cfg.X[1:])
		if cfg.Rows > 0 {
			grid[0] = cfg.Rows
		}
		if !slices.Equal(grid, cfg.Y[1:]) {
			return nil, fmt.Errorf("network fno: its grid is %v, that of the maps %v; they must agree", grid, cfg.Y[1:])
		}
		return fno.New(*cfg.FNO, rng)
	},
	"inversionnet": func(cfg Config, rng *rand.Rand) (Network, error) {
		if !slices.Equal(cfg.X, []int{5, 1000, 70}) || !slices.Equal(cfg.Y, []int{1, 70, 70}) || cfg.Rows != 0 {
			return nil, fmt.Errorf("network inversionnet: data of %v to %v with %d rows; it is made for [5 1000 70] to [1 70 70], not resampled", cfg.X, cfg.Y, cfg.Rows)
		}
		return inversionnet.New(cfg.InversionNet, rng)
	},
}

// New returns a model with parameters drawn from rng.
func New(cfg Config, rng *rand.Rand) (*Model, error) {
	for _, s := range [][]int{cfg.X, cfg.Y} {
		if len(s) < 2 || slices.Min(s) < 1 {
			return nil, fmt.Errorf("fwi: shape %v of one sample; wanted a channel and at least one grid axis, all above 0", s)
		}
	}
	if err := errors.Join(cfg.XNorm.Validate(cfg.X[0]), cfg.YNorm.Validate(cfg.Y[0])); err != nil {
		return nil, fmt.Errorf("fwi: %w", err)
	}
	if cfg.Rows < 0 || cfg.Rows > cfg.X[1] {
		return nil, fmt.Errorf("fwi: inputs of %d rows cannot be resampled to %d", cfg.X[1], cfg.Rows)
	}
	build, ok := networks[cfg.Network]
	if !ok {
		return nil, fmt.Errorf("fwi: network %q is unknown", cfg.Network)
	}
	net, err := build(cfg, rng)
	if err != nil {
		return nil, fmt.Errorf("fwi: %w", err)
	}
	m := &Model{Config: cfg, Net: net}
	if cfg.Rows > 0 {
		m.resampler = NewResampler(cfg.X[1], cfg.Rows)
	}
	m.tapes.New = func() any { return &autograd.Tape{NoGrad: true} }
	return m, nil
}

// InputShape returns the shape of one input of the network: that of X after resampling.
func (m *Model) InputShape() []int {
	s := slices.Clone(m.Config.X)
	if m.resampler != nil {
		s[1] = m.Config.Rows
	}
	return s
}

// Prepare turns one input from physical units, of shape Config.X, into the network's, of shape InputShape. x is overwritten.
func (m *Model) Prepare(dst, x []float32) {
	c := m.Config.X[0]
	if m.resampler == nil {
		m.Config.XNorm.Forward(dst, x, c)
		return
	}
	m.Config.XNorm.Forward(x, x, c)
	m.resampler.Apply(dst, x, c, size(m.Config.X[2:]))
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
// batches, records nothing, and returns an error for values that are not finite.
func (m *Model) Predict(ctx context.Context, x []float32) ([]float32, error) {
	nx, ny := size(m.Config.X), size(m.Config.Y)
	if len(x) == 0 || len(x)%nx != 0 {
		return nil, fmt.Errorf("fwi: %d values do not make inputs of shape %v", len(x), m.Config.X)
	}
	for i, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("fwi: input %d holds %v at element %d", i/nx, v, i%nx)
		}
	}
	n, in := len(x)/nx, m.InputShape()
	out := make([]float32, n*ny)
	tape := m.tapes.Get().(*autograd.Tape)
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
		}
		tape.Reset()
	}
	return out, nil
}
