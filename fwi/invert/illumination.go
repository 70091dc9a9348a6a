package invert

import (
	"context"
	"math"
	"math/rand/v2"
)

// illumination estimates, for every cell, how much the filtered data of all shots respond to its velocity: the diagonal of J'J,
// J the derivative of the data. For random signs w, independent from sample to sample, the square of (J'w) has this mean in every
// cell, so that a few gradients with w in place of the residual, squared, averaged and smoothed, give it without any quantity
// of the simulation but the gradient.
func illumination(ctx context.Context, data simulations, vel []float32, nx, probes int) ([]float64, error) {
	sum := make([]float64, len(vel))
	g := make([]float32, len(vel))
	for p := range probes {
		_, err := data.gradient(ctx, g, vel, false, func(s *simulation, shot int, adjoint, gather []float32) float64 {
			rng := rand.New(rand.NewPCG(uint64(p), uint64(shot)))
			w := make([]float64, len(adjoint))
			for i := range w {
				w[i] = float64(1 - 2*int(rng.Uint64()>>63))
			}
			s.compare.filter.adjoint(w, s.compare.nr)
			for i, v := range w {
				adjoint[i] = float32(v)
			}
			return 0
		})
		if err != nil {
			return nil, err
		}
		for i, v := range g {
			sum[i] += float64(v) * float64(v) / float64(probes)
		}
	}
	newBlur(illuminationBlur).apply(sum, sum, nx)
	return sum, nil
}

// illuminationBlur smooths the estimate, in cells: few probes scatter, and what is wanted varies slowly.
const illuminationBlur = 2

// illuminationFloor bounds weak illumination from below, as a fraction of its mean.
const illuminationFloor = 0.003

// stepWeights turns illumination into weights of the unknowns, a power of its inverse, scaled to meanWeight. The power one half
// would give every unknown the same curvature; less than it trusts weakly lit cells less.
func stepWeights(light []float64, power float64) []float64 {
	total := 0.0
	for _, v := range light {
		total += v
	}
	total /= float64(len(light))
	w, sum := make([]float64, len(light)), 0.0
	for i, v := range light {
		w[i] = math.Pow(v/total+illuminationFloor, -power)
		sum += w[i]
	}
	for i := range w {
		w[i] *= meanWeight * float64(len(w)) / sum
	}
	return w
}
