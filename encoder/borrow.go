package encoder

import (
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// detail returns the high band of the encoder's input: the mean over its channels, resized to the grid of b and cut to the band,
// nb x 1 x ny x nx. all holds the energies of the samples ahead of the cut.
func detail(input *autograd.Value, b *bands) (q *autograd.Value, all []float64) {
	t := input.Tape()
	x := autograd.Resize(autograd.MeanAxes(input, true, 1), b.n, autograd.Interpolation{Mode: autograd.InterpolateLinear})
	one := b.one()
	n := one.points()
	all = t.Scratch64(x.Shape[0])
	for i := range all {
		all[i] = kernel.SumSquares(x.Data[i*n:][:n])
	}
	out := t.Alloc(x.Shape...)
	one.project(out.Data, x.Data)
	return autograd.Record("HighBand", out, []*autograd.Value{x}, highBandGrad{one, x}), all
}

type highBandGrad struct {
	one *bands
	x   *autograd.Value
}

func (o *highBandGrad) Backward(g *autograd.Grads, gy []float32) {
	gx := g.Scratch(len(gy))
	o.one.project(gx, gy)
	g.Give(o.x, gx)
	g.Free(gx)
}

// project sets y to P_H x for maps of one channel.
func (b *bands) project(y, x []float32) {
	n, ns := b.points(), b.spectrumLen(1)
	nb := len(x) / n
	spectra, pairs := scratch.Get(nb*ns), sums.Get(2*nb)
	b.energies(pairs, spectra, x)
	for i := range nb {
		b.toSpace(y[i*n:][:n], nil, spectra[i*ns:][:ns], coefficients{c: 1})
	}
	scratch.Put(spectra)
	sums.Put(pairs)
}

// borrow decides on samples without a high band: q is added to them where it is anything, measured by all. It says if that is so
// for one of them.
func (l *lift) borrow(q *autograd.Value, all []float64) bool {
	nb := len(l.samples)
	one := l.one()
	n, ns := one.points(), one.spectrumLen(1)
	spectra, pairs, parts := scratch.Get(nb*ns), sums.Get(2*nb), sums.Get(l.channels)
	one.energies(pairs, spectra, q.Data[:nb*n])
	for i := range l.samples {
		e, qq := &l.samples[i], energyOf(pairs, i).high
		if e.action != FloorPassed || !(e.low > 0) || qq <= nothing*all[i] {
			continue
		}
		l.products(parts, l.spectra[i*l.spectrumLen(1):], spectra[i*ns:][:ns], 0)
		b := 0.0
		for c, v := range parts {
			b += l.weight(c) * v
		}
		e.action, e.b, e.qq = FloorBorrowed, b, qq
		e.factor = (math.Sqrt(b*b+qq*(l.rho*e.low-e.high)) - b) / qq
		l.q = q
	}
	scratch.Put(spectra)
	sums.Put(pairs)
	sums.Put(parts)
	return l.q != nil
}

// weight is w_c: the weights of the channels have the sum of squares 1 and alternate in sign.
func (l *lift) weight(c int) float64 {
	w := 1 / math.Sqrt(float64(l.channels))
	if c%2 == 1 {
		return -w
	}
	return w
}

// addDetail adds a w_c q of sample i to the channels of y.
func (l *lift) addDetail(y []float32, i int, a float64) {
	plane := l.n[0] * l.n[1]
	for c := range l.channels {
		kernel.Axpy(y[c*plane:][:plane], float32(a*l.weight(c)), l.q.Data[i*plane:][:plane])
	}
}

// slope returns <gy, w q> / (b + t |q|^2) of sample i: with F = E_H + 2 t b + t^2 |q|^2 - Rho E_L = 0, dt = -dF / (2 (b + t |q|^2)) for
// changes of x and q, so that gradients through t are
//
//	slope (Rho P_L x - P_H x - t w q)   for x,      -slope (t sum over c of w_c P_H x_c + t^2 q)   for q.
func (l *lift) slope(i int, gy []float32) float64 {
	plane := l.n[0] * l.n[1]
	sum := 0.0
	for c := range l.channels {
		sum += l.weight(c) * kernel.Dot(gy[c*plane:][:plane], l.q.Data[i*plane:][:plane])
	}
	e := &l.samples[i]
	return sum / (e.b + e.factor*e.qq)
}

// backwardDetail adds the gradient of q to gq. P_H is left to the gradient of what made q.
func (l *lift) backwardDetail(gq, gy, x []float32) {
	n, plane := l.points(), l.n[0]*l.n[1]
	for i, e := range l.samples {
		if e.action != FloorBorrowed {
			continue
		}
		gq, gy, x := gq[i*plane:][:plane], gy[i*n:][:n], x[i*n:][:n]
		t := e.factor
		a := l.slope(i, gy)
		for c := range l.channels {
			w := l.weight(c) * t
			kernel.Axpy(gq, float32(w), gy[c*plane:][:plane])
			kernel.Axpy(gq, float32(-a*w), x[c*plane:][:plane])
		}
		kernel.Axpy(gq, float32(-a*t*t), l.q.Data[i*plane:][:plane])
	}
}
