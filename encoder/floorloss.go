package encoder

import (
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// Loss returns the bound as a penalty for x, nb x nc x ny x nx,
//
//	L = 1/nb sum over samples of max(0, log Rho - log R)^2,
//
// a scalar. R is (E_H + 1e-12 E_L) / E_L, finite without a high band; samples with E_L = 0 count as 0. A report that is not nil gets
// the samples.
func (f Floor) Loss(x *autograd.Value, report *FloorReport) *autograd.Value {
	b := newBands(x.Shape)
	t := x.Tape()
	nb := x.Shape[0]
	spectra := t.Scratch(b.spectrumLen(nb))
	list := b.energies(spectra, x.Data)
	if report != nil {
		f.tell(report, b, list)
	}
	gaps := make([]float64, nb)
	sum := 0.0
	for i, e := range list {
		if e.low > 0 {
			gaps[i] = max(0, math.Log(f.Rho)-math.Log(e.high/e.low+nothing))
			sum += gaps[i] * gaps[i]
		}
	}
	out := t.Alloc()
	out.Data[0] = float32(sum / float64(nb))
	return autograd.Record("FloorLoss", out, []*autograd.Value{x}, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		n, ns := b.points(), b.spectrumLen(1)
		gx := g.Zeroed(x)
		dst := g.Scratch(n)
		defer g.Free(dst)
		for i, gap := range gaps {
			if gap == 0 {
				continue
			}
			// d log(E_H/E_L + nothing) = (2 <P_H x, dx> - 2 E_H/E_L <P_L x, dx>) / (E_H + nothing E_L)
			e := list[i]
			a := -4 * gap * float64(gy[0]) / (float64(nb) * (e.high + nothing*e.low))
			s := spectra[i*ns:][:ns]
			b.toSpace(dst, func(_, at int, z []float32) { b.combine(z, nil, s[at:], 0, a, -a*e.high/e.low) })
			kernel.Add(gx[i*n:][:n], gx[i*n:][:n], dst)
		}
	}))
}
