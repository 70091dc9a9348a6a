package fwi

import (
	"context"

	"github.com/spamoe/spamoe/fwi/metrics"
)

// Evaluate measures m on a set. observe, which may be nil, is called with the prediction of each pair and its truth, both in
// physical units and valid during the call, in the order of the pairs.
func Evaluate(ctx context.Context, m *Model, d Data, observe func(i int, prediction, truth []float32)) (metrics.Result, error) {
	if err := m.fits(d); err != nil {
		return metrics.Result{}, err
	}
	l := newLoader(m, d)
	l.room = 0 // each pair is read once
	acc := m.NewMetrics()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	tape := m.tape()
	defer m.tapes.Put(tape)
	ny, i := size(m.Config.Y), 0
	p, g := make([]float32, ny), make([]float32, ny)
	for b := range l.batches(ctx, inOrder(d.Len()), predictBatch) {
		if b.err != nil {
			return metrics.Result{}, b.err
		}
		y := m.Net.Forward(tape.Const(b.x))
		if err := acc.Add(y.Data, b.y.Data); err != nil {
			return metrics.Result{}, err
		}
		for k := 0; observe != nil && k < b.y.Dim(0); k++ {
			m.Config.YNorm.Inverse(p, y.Data[k*ny:(k+1)*ny], m.Config.Y[0])
			m.Config.YNorm.Inverse(g, b.y.Data[k*ny:(k+1)*ny], m.Config.Y[0])
			observe(i+k, p, g)
		}
		i += b.y.Dim(0)
		tape.Reset()
	}
	return acc.Result(), ctx.Err()
}

// NewMetrics returns an empty accumulator for the normalised outputs of m. Every channel, and in three dimensions every slice,
// counts as a map; physical errors are in the unit of each map's channel.
func (m *Model) NewMetrics() *metrics.Accumulator {
	s := m.Config.Y
	ny, nx := 1, s[len(s)-1]
	if len(s) > 2 {
		ny = s[len(s)-2]
	}
	units := make([]float64, size(s)/(ny*nx))
	for i := range units {
		units[i] = m.Config.YNorm.Unit(i * s[0] / len(units))
	}
	return metrics.New(ny, nx, metrics.Config{Units: units})
}
