package encoder

import (
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// Floor keeps the ratio R = E_H / E_L of the energies of a map's high and low band, over all channels, at Rho or above:
//
//   - where R < Rho the high band is scaled, y = x + (g - 1) P_H x with g = sqrt(Rho E_L / E_H);
//   - where E_H < 1e-12 E_L there is nothing to scale, and the high band q of the encoder's input is added, y_c = x_c + t w_c q, with
//     weights w_c = (-1)^c / sqrt(nc) and the t >= 0 that reaches Rho: E_H + 2 t b + t^2 |q|^2 = Rho E_L, b = sum over c of w_c <x_c, q>;
//   - where q is nothing either, or E_L = 0, the map passes unchanged.
//
// y satisfies R >= Rho (1 - 1e-5) in all but the last case, as far as float32 holds y: where the means of
// channels are some thousand times their detail, rounding to float32 moves R by more than that (4e-5 of it at 3,000 times).
type Floor struct{ Rho float64 }

// nothing is the part of an energy below which a band counts as empty: float32 holds 1e-14, and transforms of it 1e-13.
const nothing = 1e-12

// Forward returns the map with its floor for x, nb x nc x ny x nx, made from the encoder's input, nb x any x any x any. Gradients
// take account of how g and t depend on both. A report that is not nil gets the samples.
func (f Floor) Forward(x, input *autograd.Value, report *FloorReport) *autograd.Value {
	t := x.Tape()
	b := newBands(x.Shape)
	nb := x.Shape[0]
	spectra := t.Scratch(b.spectrumLen(nb))
	list := b.energies(spectra, x.Data)
	lift := &lift{bands: b, rho: f.Rho, spectra: spectra, energies: list, actions: make([]FloorAction, nb), factor: make([]float64, nb)}
	change, empty := lift.scale()
	in := []*autograd.Value{x}
	if empty {
		q, all := detail(input, b)
		if lift.borrow(q, all) {
			change = true
			in = append(in, q)
		}
	}
	if !change {
		lift.report(report, x.Data)
		return x
	}
	out := t.Alloc(x.Shape...)
	lift.forward(out.Data, x.Data)
	lift.report(report, out.Data)
	return autograd.Record("Floor", out, in, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) { lift.backward(g, gy, in) }))
}

// lift is what one forward pass of a floor found and does.
type lift struct {
	*bands
	rho      float64
	spectra  []float32 // of x
	energies []energy
	actions  []FloorAction
	factor   []float64 // g or t of every sample
	// What is borrowed: q, nb x 1 x ny x nx, with b = <w x, q> and |q|^2.
	q     []float32
	b, qq []float64
}

// scale decides on samples that have a high band, and says if one of them changes and if others have none.
func (l *lift) scale() (change, empty bool) {
	for i, e := range l.energies {
		switch {
		case !(e.low > 0):
			l.actions[i] = FloorPassed
		case e.high >= l.rho*e.low:
			l.actions[i] = FloorHeld
		case e.high < nothing*e.low:
			l.actions[i] = FloorPassed
			empty = true
		default:
			l.actions[i], l.factor[i] = FloorScaled, math.Sqrt(l.rho*e.low/e.high)
			change = true
		}
	}
	return change, empty
}

// forward sets y for every sample.
func (l *lift) forward(y, x []float32) {
	n, ns := l.points(), l.spectrumLen(1)
	for i, action := range l.actions {
		x, y, s := x[i*n:][:n], y[i*n:][:n], l.spectra[i*ns:][:ns]
		switch action {
		case FloorScaled:
			l.toSpace(y, func(_, at int, z []float32) { l.combine(z, nil, s[at:], 0, l.factor[i]-1, 0) })
			kernel.Add(y, y, x)
		case FloorBorrowed:
			copy(y, x)
			l.addDetail(y, i, l.factor[i])
		default:
			copy(y, x)
		}
	}
}

// report measures y and adds the samples.
func (l *lift) report(r *FloorReport, y []float32) {
	if r == nil {
		return
	}
	after := l.bands.energies(make([]float32, l.spectrumLen(len(l.actions))), y)
	for i, e := range l.energies {
		r.Samples = append(r.Samples, FloorSample{Before: e.ratio(), After: after[i].ratio(), Action: l.actions[i]})
	}
}

// backward passes the gradient gy of y on. With c = <gy, P_H x>, the gradient through g of a scaled sample is
//
//	c dg/dx = c g (P_L x / E_L - P_H x / E_H).
func (l *lift) backward(g *autograd.Grads, gy []float32, in []*autograd.Value) {
	if len(in) > 1 && in[1].NeedsGrad() {
		l.backwardDetail(g.Zeroed(in[1]), gy, in[0].Data)
	}
	if !in[0].NeedsGrad() {
		return
	}
	n, ns := l.points(), l.spectrumLen(1)
	gx, acc := g.Buffer(in[0])
	dst, spectrum := g.Scratch(n), g.Scratch(ns)
	defer g.Free(dst)
	defer g.Free(spectrum)
	for i, action := range l.actions {
		gx, gy, s := gx[i*n:][:n], gy[i*n:][:n], l.spectra[i*ns:][:ns]
		if acc {
			kernel.Add(gx, gx, gy)
		} else {
			copy(gx, gy)
		}
		e, f := l.energies[i], l.factor[i]
		switch action {
		case FloorScaled:
			l.bands.energies(spectrum, gy)
			c := l.total(func(_, at int) float64 { return product(spectrum[at:], s[at:], l.high) })
			l.toSpace(dst, func(_, at int, z []float32) { l.combine(z, spectrum[at:], s[at:], f-1, -c*f/e.high, c*f/e.low) })
			kernel.Add(gx, gx, dst)
		case FloorBorrowed:
			a := l.slope(i, gy)
			l.toSpace(dst, func(_, at int, z []float32) { l.combine(z, nil, s[at:], 0, -a, a*l.rho) })
			kernel.Add(gx, gx, dst)
			l.addDetail(gx, i, -a*f)
		}
	}
}
