package invert

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/spamoe/spamoe/fwi/wave"
)

// Wavelet estimates the source wavelet, n samples, that explains the data best over a given map. The scheme is linear in its
// wavelet, so that with g the gathers of a unit impulse
//
//	o[t] = sum over k of g[t-k] w[k]
//
// is a linear least-squares problem, solved by its normal equations (Pratt, Geophysics 64, 1999, in the time domain, where the end
// of the recording does no harm). A small multiple of the identity keeps frequencies that are not in g out of w. Dead traces do not count.
func Wavelet(ctx context.Context, p Problem, vel []float32, n int) ([]float64, error) {
	impulse := p.Survey
	impulse.Wavelet = []float64{1}
	solver, err := wave.New[float32](impulse, p.NZ, p.NX)
	if err != nil {
		return nil, err
	}
	shots, nt, nr := solver.Shape()
	steps := solver.Config().Steps
	if n < 1 || n > steps {
		return nil, fmt.Errorf("invert: wavelet of %d samples, want 1 to %d", n, steps)
	}
	if len(p.Data) != shots*nt*nr {
		return nil, fmt.Errorf("invert: data have %d values, want %d", len(p.Data), shots*nt*nr)
	}
	gathers := make([]float32, len(p.Data))
	if err := solver.Forward(ctx, gathers, vel); err != nil {
		return nil, err
	}
	normal, right := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	g, o := make([]float64, steps), make([]float64, steps)
	for shot := range shots {
		simulated, recorded := gathers[shot*nt*nr:][:nt*nr], p.Data[shot*nt*nr:][:nt*nr]
		for r, live := range liveTraces(recorded, nr) {
			if !live {
				continue
			}
			for t := range steps {
				g[t], o[t] = float64(simulated[t*nr+r]), float64(recorded[t*nr+r])
			}
			addNormal(normal, right, g, o)
		}
	}
	ridge := 0.0
	for k := range n {
		ridge += normal.At(k, k)
	}
	ridge *= waveletRidge / float64(n)
	if ridge == 0 {
		return nil, fmt.Errorf("invert: the simulated gathers are zero, so that they say nothing about the wavelet")
	}
	for k := range n {
		normal.SetSym(k, k, normal.At(k, k)+ridge)
	}
	var factor mat.Cholesky
	if !factor.Factorize(normal) {
		return nil, fmt.Errorf("invert: the equations of the wavelet are singular")
	}
	var w mat.VecDense
	if err := factor.SolveVecTo(&w, right); err != nil {
		return nil, fmt.Errorf("invert: wavelet: %w", err)
	}
	return w.RawVector().Data, nil
}

// waveletRidge is the multiple of the mean diagonal that is added to it.
const waveletRidge = 1e-7

// addNormal adds the equations of one trace: normal[k,l] += sum g[t-k] g[t-l] and right[k] += sum g[t-k] o[t], over t less than the
// length of g. Along a diagonal of the matrix one product after the other drops out of the sum.
func addNormal(normal *mat.SymDense, right *mat.VecDense, g, o []float64) {
	n, nt := right.Len(), len(g)
	for lag := range n {
		sum := 0.0
		for t := range nt - lag {
			sum += g[t] * g[t+lag]
		}
		for k := 0; k+lag < n; k++ {
			normal.SetSym(k, k+lag, normal.At(k, k+lag)+sum)
			if last := nt - 1 - lag - k; last >= 0 {
				sum -= g[last] * g[last+lag]
			}
		}
		dot := 0.0
		for t := lag; t < nt; t++ {
			dot += g[t-lag] * o[t]
		}
		right.SetVec(lag, right.AtVec(lag)+dot)
	}
}
