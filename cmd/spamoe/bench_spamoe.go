package main

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/lno"
)

// pairOfExperts is SPAMoE reduced to what has a fixed cost: an encoder, whose latent map a Fourier and a local operator get as it is,
// and the mean of their answers.
type pairOfExperts struct {
	Encoder *encoder.Model `param:"encoder"`
	Fourier *fno.Model     `param:"fourier"`
	Local   *lno.Model     `param:"local"`
}

func newPairOfExperts(b *bencher) (*pairOfExperts, error) {
	e, err := encoder.New(encoder.Config{Out: 128, Floor: encoder.FloorConfig{Mode: encoder.FloorOff}}, b.rng)
	if err != nil {
		return nil, err
	}
	e.Recompute = b.recompute
	fourier, err := newFourier(b)
	if err != nil {
		return nil, err
	}
	local, err := newLocal(b)
	if err != nil {
		return nil, err
	}
	return &pairOfExperts{e, fourier, local}, nil
}

// Forward maps joined shots, nb x 1 x samples x shots receivers, to maps, nb x 1 x 70 x 70.
func (m *pairOfExperts) Forward(x *autograd.Value) *autograd.Value {
	z := m.Encoder.Forward(x)
	return autograd.Scale(autograd.Add(m.Fourier.Forward(z), m.Local.Forward(z)), 0.5)
}

func benchSPAMoE(b *bencher) error {
	net, err := newPairOfExperts(b)
	if err != nil {
		return err
	}
	for _, n := range []int{1, 4} {
		if err := b.steps(fmt.Sprintf("spamoe b%d", n), net, b.normal(n, 1, 1000, 350)); err != nil {
			return err
		}
	}
	return nil
}
