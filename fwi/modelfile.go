package fwi

import (
	"fmt"

	"github.com/spamoe/spamoe/checkpoint"
)

// saved is the configuration that goes into files: Config, with the Fourier modes in use.
func (m *Model) saved() Config {
	c := m.Config
	net, ok := m.Net.(*SPAMoE)
	if !ok {
		c.OperatorConfig = c.OperatorConfig.inUse(m.Net)
		return c
	}
	c.SPAMoE = new(c.SPAMoE.clone())
	for i, x := range net.Mixture.Experts {
		c.SPAMoE.Experts[i] = c.SPAMoE.Experts[i].inUse(x)
	}
	return c
}

// Save writes the model as a safetensors file: its parameters and buffers under the names of the network, and its Config, from
// which Load rebuilds it, with the Fourier modes that operators have in use.
func (m *Model) Save(path string) error {
	return checkpoint.SaveModel(path, m.Net, checkpoint.Info{Kind: m.Config.Network, Config: m.saved()})
}

// Load reads a model that Save wrote.
func Load(path string) (*Model, error) {
	f, err := checkpoint.Read(path)
	if err != nil {
		return nil, err
	}
	m, err := NewFor(f)
	if err != nil {
		return nil, err
	}
	return m, checkpoint.LoadParams(f, m.Net)
}

// NewFor returns the model that the configuration in a file describes, with parameters of zero. A configuration that asks for a
// larger network than the file has numbers for is an error.
func NewFor(f *checkpoint.File) (*Model, error) {
	var cfg Config
	if err := f.Config(&cfg); err != nil {
		return nil, err
	}
	has := 0
	for _, t := range f.Tensors() {
		has += t.Count()
		if t.DType == checkpoint.C64 {
			has += t.Count()
		}
	}
	if wants := cfg.leastNumbers(); wants > float64(has) {
		return nil, fmt.Errorf("%s: its configuration wants a network of %.0f numbers or more, the file has %d", f.Name(), wants, has)
	}
	m, err := New(cfg, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return m, nil
}

// LoadParams replaces the parameters and buffers of m by those in a file, which must have the same names and shapes; the file's
// own configuration, if it has one, does not count. When it fails m is as it was.
func (m *Model) LoadParams(path string) error {
	f, err := checkpoint.Read(path)
	if err != nil {
		return err
	}
	return checkpoint.LoadParams(f, m.Net)
}
