package invert

import (
	"math"
	"math/rand/v2"
	"slices"
)

// noiseLevel estimates the standard deviation of white noise in gathers, shots x nt x nr, of which the first steps rows were
// recorded. A recording is sampled many times per period, so that its eighth differences are all but zero, and what they hold is
// noise, whose variance they multiply by 12870:
//
//	sigma = median |difference| / (0.6745 sqrt(12870)).
//
// Noise in the band of the wavelet alone goes unnoticed.
func noiseLevel(data []float32, shots, nt, nr, steps int) float64 {
	taps := []float64{1, -8, 28, -56, 70, -56, 28, -8, 1}
	var sizes []float64
	for s := range shots {
		for r := s % 3; r < nr; r += 3 { // a third of the traces is plenty
			trace := data[s*nt*nr+r:]
			for t := 0; t+len(taps) <= steps; t += len(taps) {
				sum := 0.0
				for k, c := range taps {
					sum += c * float64(trace[(t+k)*nr])
				}
				if sum != 0 { // dead traces
					sizes = append(sizes, math.Abs(sum))
				}
			}
		}
	}
	if len(sizes) == 0 {
		return 0
	}
	slices.Sort(sizes)
	return sizes[len(sizes)/2] / (0.6745 * math.Sqrt(12870))
}

// expected returns the misfit that white noise of a standard deviation leaves where the map is right, from one draw of it. To fit
// the data better than that is to fit noise.
func (c *comparison) expected(data []float32, sigma float64) float64 {
	if sigma == 0 {
		return 0
	}
	rng := rand.New(rand.NewPCG(1, 8))
	sum := 0.0
	for s := range c.recorded {
		d := make([]float64, c.nt*c.nr)
		for i, v := range data[s*len(d):][:len(d)] {
			d[i] = float64(v)
			if v != 0 {
				d[i] += sigma * rng.NormFloat64()
			}
		}
		sum += c.derivative(s, d)
	}
	return sum
}
