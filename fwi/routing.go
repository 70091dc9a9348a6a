package fwi

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/moe"
)

// Routings gathers what a SPAMoE did with the samples of several batches. The zero value is empty.
type Routings struct {
	Stats *moe.Stats           `json:"router"`
	Floor *encoder.FloorReport `json:"floor"`
}

// Add takes in the reports of one batch; an output without any is passed over.
func (r *Routings) Add(out Output) {
	if out.Route != nil {
		if r.Stats == nil {
			r.Stats = &moe.Stats{}
		}
		r.Stats.Append(out.Route)
	}
	if out.Floor != nil {
		if r.Floor == nil {
			r.Floor = &encoder.FloorReport{Rho: out.Floor.Rho}
		}
		r.Floor.Samples = append(r.Floor.Samples, out.Floor.Samples...)
	}
}

// Routing sums up what a SPAMoE did with a set.
type Routing struct {
	Samples []int     `json:"samples"` // how many samples each expert was given
	Gates   []float64 `json:"gates"`   // mean gate of each expert
	// Rho is the bound on the ratio of high to low energy of the latent, Before and After the geometric means of the ratio before and
	// after it was enforced, Active the part of the samples that were below it.
	Rho    float64 `json:"rho"`
	Before float64 `json:"ratio_before"`
	After  float64 `json:"ratio_after"`
	Active float64 `json:"bound_active"`
}

// Summary returns the sum of all batches, nil where there were no reports.
func (r *Routings) Summary() *Routing {
	if r.Stats == nil {
		return nil
	}
	s := &Routing{Samples: slices.Clone(r.Stats.Samples), Gates: slices.Clone(r.Stats.MeanGates)}
	if r.Floor != nil {
		s.Rho, s.Active = r.Floor.Rho, r.Floor.Active()
		s.Before, s.After = r.Floor.Means()
	}
	return s
}

// Route runs a SPAMoE over a set and returns what its floor and its router did with every sample, in the order of the pairs.
// observe, which may be nil, is called after every batch with the number of its pairs.
func Route(ctx context.Context, m *Model, d Data, observe func(n int)) (*Routings, error) {
	net, ok := m.Net.(*SPAMoE)
	if !ok {
		return nil, errors.New("fwi: a model of network " + m.Config.Network + " does not route")
	}
	if err := m.fits(d); err != nil {
		return nil, err
	}
	l := newLoader(m, d)
	l.room = 0 // each pair is read once
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	tape := m.tape()
	defer m.tapes.Put(tape)
	all := &Routings{}
	for b := range l.batches(ctx, inOrder(d.Len()), predictBatch) {
		if b.err != nil {
			return nil, b.err
		}
		all.Add(net.ForwardWith(tape.Const(b.x), true))
		tape.Reset()
		if observe != nil {
			observe(b.x.Dim(0))
		}
	}
	return all, ctx.Err()
}

// MeasureFloor sets the spectral floor's DataRatio from the maps of a set, where the configuration asks for a bound from data and
// has none yet.
func (cfg *Config) MeasureFloor(d Data) error {
	if cfg.SPAMoE == nil {
		return nil
	}
	floor := &cfg.SPAMoE.Encoder.Floor
	if !floor.Rho.Data || floor.DataRatio > 0 {
		return nil
	}
	if _, y := d.Shapes(); !slices.Equal(y, cfg.Y) {
		return fmt.Errorf("fwi: the data have maps of shape %v; the model wants %v", y, cfg.Y)
	}
	var failed error
	err := floor.MeasureData(func(yield func(*autograd.Tensor) bool) {
		for i := range d.Len() {
			y := autograd.New(cfg.Y...)
			if failed = d.Read(i, nil, y.Data); failed != nil || !yield(y) {
				return
			}
		}
	})
	if failed != nil {
		return failed
	}
	return err
}
