package encoder

import (
	"fmt"
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
	b := bandsOf(x.Shape)
	nb := x.Shape[0]
	// Only maps without a high band need the input; it must fit whatever the maps hold.
	if input == nil {
		panic(fmt.Sprintf("encoder: Floor: no encoder's input for x %v", x.Shape))
	}
	if input.Rank() != 4 || input.Shape[0] != nb {
		panic(fmt.Sprintf("encoder: Floor: encoder's input %v for x %v; want [%d, channel, rows, columns]", input.Shape, x.Shape, nb))
	}
	l := lift{bands: b, rho: f.Rho, x: x, spectra: t.Scratch(b.spectrumLen(nb)), samples: make([]sample, nb)}
	pairs := sums.Get(2 * nb)
	b.energies(pairs, l.spectra, x.Data)
	for i := range l.samples {
		l.samples[i].energy = energyOf(pairs, i)
	}
	sums.Put(pairs)
	change, empty := l.scale()
	if empty {
		change = l.borrow(detail(input, b)) || change
	}
	if !change {
		l.report(report, x.Data)
		return x
	}
	out := t.Alloc(x.Shape...)
	l.forward(out.Data, x.Data)
	l.report(report, out.Data)
	return autograd.Record("Floor", out, []*autograd.Value{x, l.q}, l)
}

// lift is what one forward pass of a floor found and does.
type lift struct {
	*bands
	rho     float64
	x       *autograd.Value
	spectra []float32 // of x
	samples []sample
	q       *autograd.Value // what is borrowed, nb x 1 x ny x nx, or nil
}

// sample is one sample of x.
type sample struct {
	energy
	action FloorAction
	factor float64 // g or t
	b, qq  float64 // <w x, q> and |q|^2, where something is borrowed
}

// scale decides on samples that have a high band, and says if one of them changes and if others have none.
func (l *lift) scale() (change, empty bool) {
	for i := range l.samples {
		switch e := &l.samples[i]; {
		case !(e.low > 0):
			e.action = FloorPassed
		case e.high >= l.rho*e.low:
			e.action = FloorHeld
		case e.high < nothing*e.low:
			e.action = FloorPassed
			empty = true
		default:
			e.action, e.factor = FloorScaled, math.Sqrt(l.rho*e.low/e.high)
			change = true
		}
	}
	return change, empty
}

// forward sets y for every sample.
func (l *lift) forward(y, x []float32) {
	n, ns := l.points(), l.spectrumLen(1)
	for i, e := range l.samples {
		x, y, s := x[i*n:][:n], y[i*n:][:n], l.spectra[i*ns:][:ns]
		switch e.action {
		case FloorScaled:
			l.toSpace(y, nil, s, coefficients{c: e.factor - 1})
			kernel.Add(y, y, x)
		case FloorBorrowed:
			copy(y, x)
			l.addDetail(y, i, e.factor)
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
	after := make([]float64, 2*len(l.samples))
	l.energies(after, make([]float32, l.spectrumLen(len(l.samples))), y)
	for i, e := range l.samples {
		r.Samples = append(r.Samples, FloorSample{Before: e.ratio(), After: energyOf(after, i).ratio(), Action: e.action})
	}
}

// Backward passes the gradient gy of y on. With c = <gy, P_H x>, the gradient through g of a scaled sample is
//
//	c dg/dx = c g (P_L x / E_L - P_H x / E_H).
func (l *lift) Backward(g *autograd.Grads, gy []float32) {
	if l.q.NeedsGrad() {
		l.backwardDetail(g.Zeroed(l.q), gy, l.x.Data)
	}
	if !l.x.NeedsGrad() {
		return
	}
	n, ns := l.points(), l.spectrumLen(1)
	gx, acc := g.Buffer(l.x)
	dst, spectrum := g.Scratch(n), g.Scratch(ns)
	defer g.Free(dst)
	defer g.Free(spectrum)
	parts := sums.Get(l.channels)
	defer sums.Put(parts)
	for i, e := range l.samples {
		gx, gy, s := gx[i*n:][:n], gy[i*n:][:n], l.spectra[i*ns:][:ns]
		if acc {
			kernel.Add(gx, gx, gy)
		} else {
			copy(gx, gy)
		}
		f := e.factor
		switch e.action {
		case FloorScaled:
			var pair [2]float64
			l.energies(pair[:], spectrum, gy)
			l.products(parts, spectrum, s, 2*l.bins)
			c := 0.0
			for _, v := range parts {
				c += v
			}
			l.toSpace(dst, spectrum, s, coefficients{f - 1, -c * f / e.high, c * f / e.low})
			kernel.Add(gx, gx, dst)
		case FloorBorrowed:
			a := l.slope(i, gy)
			l.toSpace(dst, nil, s, coefficients{c: -a, d: a * l.rho})
			kernel.Add(gx, gx, dst)
			l.addDetail(gx, i, -a*f)
		}
	}
}
