package nn

import (
	"github.com/spamoe/spamoe/autograd"
)

// SoftGating scales every channel, the last axis, by a weight of its own: y[.., c] = w[c] x[.., c] (+ b[c]). As a skip
// connection it lets the optimiser decide per channel how much passes by.
type SoftGating struct {
	Weight *autograd.Param // 1 x nc x 1 .. 1, one 1 per axis of the grid
	Bias   *autograd.Param // of the same shape, or nil
}

// NewSoftGating returns a gate for channels on grids of dim axes. Weight, and bias where there is one, start at one.
func NewSoftGating(channels, dim int, bias bool) *SoftGating {
	positive("SoftGating", "the number of channels", channels)
	ones := func() *autograd.Param {
		shape := []int{1, channels}
		for range dim {
			shape = append(shape, 1)
		}
		p := autograd.NewParam(shape...)
		for i := range p.Data {
			p.Data[i] = 1
		}
		return p
	}
	g := &SoftGating{Weight: ones()}
	if bias {
		g.Bias = ones()
	}
	return g
}

// Forward gates x, nb x n1 .. nd x nc.
func (g *SoftGating) Forward(x *autograd.Value) *autograd.Value {
	t := x.Tape()
	y := autograd.MulLast(x, t.Param(g.Weight))
	if g.Bias != nil {
		y = autograd.AddLast(y, t.Param(g.Bias))
	}
	return y
}
