package encoder

import (
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// detail returns the high band of the encoder's input: the mean over its channels, resized to the grid of b and cut to the band,
// nb x 1 x ny x nx. all holds the energies of the samples ahead of the cut.
func detail(input *autograd.Value, b *bands) (q *autograd.Value, all []float64) {
	x := autograd.Resize(autograd.MeanAxes(input, true, 1), b.n, autograd.Interpolation{Mode: autograd.InterpolateLinear})
	one := *b
	one.channels = 1
	n := one.points()
	for i := range x.Shape[0] {
		all = append(all, kernel.SumSquares(x.Data[i*n:][:n]))
	}
	out := x.Tape().Alloc(x.Shape...)
	one.project(out.Data, x.Data)
	q = autograd.Record("HighBand", out, []*autograd.Value{x}, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		gx := g.Scratch(len(gy))
		one.project(gx, gy)
		g.Give(x, gx)
		g.Free(gx)
	}))
	return q, all
}

// project sets y to P_H x for maps of one channel.
func (b *bands) project(y, x []float32) {
	n := b.points()
	spectra := make([]float32, b.spectrumLen(len(x)/n))
	b.energies(spectra, x)
	for i := range len(x) / n {
		s := spectra[i*2*b.bins:][:2*b.bins]
		b.toSpace(y[i*n:][:n], func(_, _ int, z []float32) { b.combine(z, nil, s, 0, 1, 0) })
	}
}

// borrow decides on samples without a high band: q is added to them where it is anything, measured by all. It says if that is so
// for one of them.
func (l *lift) borrow(q *autograd.Value, all []float64) bool {
	nb := len(l.actions)
	one := *l.bands
	one.channels = 1
	n, ns := one.points(), one.spectrumLen(1)
	spectra := make([]float32, nb*ns)
	parts := one.energies(spectra, q.Data[:nb*n])
	l.q, l.b, l.qq = q.Data, make([]float64, nb), make([]float64, nb)
	change := false
	for i, e := range l.energies {
		if l.actions[i] != FloorPassed || !(e.low > 0) || parts[i].high <= nothing*all[i] {
			continue
		}
		x, qs := l.spectra[i*l.spectrumLen(1):], spectra[i*ns:][:ns]
		b, qq := l.total(func(c, at int) float64 { return l.weight(c) * product(x[at:], qs, l.high) }), parts[i].high
		l.actions[i], l.b[i], l.qq[i] = FloorBorrowed, b, qq
		l.factor[i] = (math.Sqrt(b*b+qq*(l.rho*e.low-e.high)) - b) / qq
		change = true
	}
	return change
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
		kernel.Axpy(y[c*plane:][:plane], float32(a*l.weight(c)), l.q[i*plane:][:plane])
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
		sum += l.weight(c) * kernel.Dot(gy[c*plane:][:plane], l.q[i*plane:][:plane])
	}
	return sum / (l.b[i] + l.factor[i]*l.qq[i])
}

// backwardDetail adds the gradient of q to gq. P_H is left to the gradient of what made q.
func (l *lift) backwardDetail(gq, gy, x []float32) {
	n, plane := l.points(), l.n[0]*l.n[1]
	for i, action := range l.actions {
		if action != FloorBorrowed {
			continue
		}
		gq, gy, x := gq[i*plane:][:plane], gy[i*n:][:n], x[i*n:][:n]
		t := l.factor[i]
		a := l.slope(i, gy)
		for c := range l.channels {
			w := l.weight(c) * t
			kernel.Axpy(gq, float32(w), gy[c*plane:][:plane])
			kernel.Axpy(gq, float32(-a*w), x[c*plane:][:plane])
		}
		kernel.Axpy(gq, float32(-a*t*t), l.q[i*plane:][:plane])
	}
}
