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
	b := bandsOf(x.Shape)
	t := x.Tape()
	nb := x.Shape[0]
	o := floorLossGrad{b, x, t.Scratch(b.spectrumLen(nb)), t.Scratch64(2 * nb), t.Scratch64(nb)}
	b.energies(o.energies, o.spectra, x.Data)
	if report != nil {
		f.tell(report, o.energies)
	}
	sum := 0.0
	for i := range nb {
		o.gaps[i] = 0
		if e := energyOf(o.energies, i); e.low > 0 {
			o.gaps[i] = max(0, math.Log(f.Rho)-math.Log(e.high/e.low+nothing))
			sum += o.gaps[i] * o.gaps[i]
		}
	}
	out := t.Alloc()
	out.Data[0] = float32(sum / float64(nb))
	return autograd.Record("FloorLoss", out, []*autograd.Value{x}, o)
}

// floorLossGrad has what the loss found in every sample: its spectra, its energies, and log Rho - log R where that is positive.
type floorLossGrad struct {
	bands    *bands
	x        *autograd.Value
	spectra  []float32
	energies []float64
	gaps     []float64
}

func (o *floorLossGrad) Backward(g *autograd.Grads, gy []float32) {
	n, ns := o.bands.points(), o.bands.spectrumLen(1)
	gx := g.Zeroed(o.x)
	dst := g.Scratch(n)
	defer g.Free(dst)
	for i, gap := range o.gaps {
		if gap == 0 {
			continue
		}
		// d log(E_H/E_L + nothing) = (2 <P_H x, dx> - 2 E_H/E_L <P_L x, dx>) / (E_H + nothing E_L)
		e := energyOf(o.energies, i)
		a := -4 * gap * float64(gy[0]) / (float64(len(o.gaps)) * (e.high + nothing*e.low))
		o.bands.toSpace(dst, nil, o.spectra[i*ns:][:ns], coefficients{c: a, d: -a * e.high / e.low})
		kernel.Add(gx[i*n:][:n], gx[i*n:][:n], dst)
	}
}
