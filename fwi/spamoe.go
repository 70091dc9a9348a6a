package fwi

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/moe"
)

// SPAMoEConfig describes a SPAMoE (arXiv:2604.07421): an encoder that turns the shots of a record, joined or each a channel, into a latent map whose
// spectrum keeps a floor, and a mixture of operators, each of which gets bands of that map.
type SPAMoEConfig struct {
	Encoder encoder.Config   `json:"encoder"`
	Mixture moe.Config       `json:"mixture"`
	Experts []OperatorConfig `json:"experts"`
}

// clone returns a copy of c that shares no memory with it.
func (c SPAMoEConfig) clone() SPAMoEConfig {
	c.Encoder, c.Experts = c.Encoder.Clone(), slices.Clone(c.Experts)
	for i, x := range c.Experts {
		c.Experts[i] = x.clone()
	}
	return c
}

// SPAMoE is the network. It maps records, [batch, 1, samples, shots x receivers] where shots are joined (Config.Join) and else [batch,
// shots, samples, receivers], to maps, [batch, channel, rows, columns], where the experts say how many channels: one for velocities.
type SPAMoE struct {
	Config  SPAMoEConfig   `param:"-"`
	Encoder *encoder.Model `param:"encoder"`
	Mixture *moe.Mixture   `param:"moe"`
}

// NewSPAMoE returns a network with parameters drawn from rng; a nil rng leaves zeros, for parameters that are loaded.
func NewSPAMoE(c SPAMoEConfig, rng *rand.Rand) (*SPAMoE, error) {
	e, err := encoder.New(c.Encoder, rng)
	if err != nil {
		return nil, err
	}
	var experts []moe.Expert
	for i, x := range c.Experts {
		net, err := x.build(rng)
		if err != nil {
			return nil, fmt.Errorf("expert %d: %w", i, err)
		}
		if err := checkGrid(net, e.Config.Size[:]); err != nil {
			return nil, fmt.Errorf("expert %d: %w", i, err)
		}
		experts = append(experts, net)
	}
	m, err := moe.New(c.Mixture, experts, rng)
	if err != nil {
		return nil, err
	}
	if m.Router.Config.Channels != e.Config.Out {
		return nil, fmt.Errorf("spamoe: the encoder gives %d channels, the mixture takes %d", e.Config.Out, m.Router.Config.Channels)
	}
	for i, x := range c.Experts {
		in, out := x.channels()
		if _, first := c.Experts[0].channels(); in != e.Config.Out || out != first {
			return nil, fmt.Errorf("spamoe: expert %d, %s, maps %d channels to %d; wanted %d to %d", i, x.Name(), in, out, e.Config.Out, first)
		}
	}
	return &SPAMoE{Config: c.clone(), Encoder: e, Mixture: m}, nil
}

// Output is what a SPAMoE finds for a batch.
type Output struct {
	Map *autograd.Value // [batch, channel, rows, columns]
	// Balance is the load-balancing loss, FloorLoss that of the spectral floor, weighted; both scalars, nil where there is none.
	Balance, FloorLoss *autograd.Value
	Types              *autograd.Value      // weights of the families, nil without a type head
	Floor              *encoder.FloorReport // nil unless asked for
	Route              *moe.Stats           // nil unless asked for
}

// Forward returns the maps alone.
func (m *SPAMoE) Forward(x *autograd.Value) *autograd.Value { return m.ForwardWith(x, false).Map }

// ForwardWith returns all that the network finds; report asks for the statistics, which cost some transforms of the latent.
func (m *SPAMoE) ForwardWith(x *autograd.Value, report bool) Output {
	e := m.Encoder.ForwardWith(x, encoder.Options{Report: report})
	route := m.Mixture.Router.Route(e.Latent)
	out := Output{Map: m.Mixture.Apply(route), Balance: route.Balance, FloorLoss: e.FloorLoss, Types: e.Types, Floor: e.Report}
	if report {
		out.Route = route.Stats()
	}
	return out
}

// forward runs any network; all but the map of the output is there for a SPAMoE only.
func forward(net Network, x *autograd.Value, report bool) Output {
	if m, ok := net.(*SPAMoE); ok {
		return m.ForwardWith(x, report)
	}
	return Output{Map: net.Forward(x)}
}

// buildSPAMoE returns the network of kind "spamoe" after checking that it fits the data.
func (cfg Config) buildSPAMoE(rng *rand.Rand) (Network, error) {
	if cfg.SPAMoE == nil {
		return nil, errors.New("the config has no part of that name")
	}
	net, err := NewSPAMoE(*cfg.SPAMoE, rng)
	if err != nil {
		return nil, err
	}
	shape := cfg.inputShape()
	if len(shape) != 3 || shape[0] != net.Encoder.Config.In {
		return nil, fmt.Errorf("inputs of shape %v for an encoder of %d channels", shape, net.Encoder.Config.In)
	}
	if err := net.Encoder.CheckSize(shape[1], shape[2]); err != nil {
		return nil, err
	}
	_, out := net.Config.Experts[0].channels()
	if got := []int{out, net.Encoder.Config.Size[0], net.Encoder.Config.Size[1]}; !slices.Equal(got, cfg.Y) {
		return nil, fmt.Errorf("it makes maps of shape %v; the data have %v", got, cfg.Y)
	}
	return net, nil
}
