package spectral

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// The bands of EnergyRatio, as radii from 0 at the constant mode to 1 in the corner of the spectrum.
const (
	LowBandStart, LowBandEnd   = 0.05, 0.30
	HighBandStart, HighBandEnd = 0.40, 0.85
)

// BandEnergies returns for every sample of x, [batch, channel, n1 .. nd], the energy in the bands edges[i] <= r < edges[i+1] of the
// Radius of its spectrum over the last d axes, summed over channels: |F x|^2 over the number of grid points, so that the bands
// from 0 on add up to the sum of x^2.
func BandEnergies(x *autograd.Tensor, d int, edges ...float64) [][]float64 {
	if d < 1 || x.Rank() < d+1 || len(edges) < 2 || !slices.IsSorted(edges) {
		panic(fmt.Sprintf("spectral: BandEnergies: shape %v, %d axes, edges %v", x.Shape, d, edges))
	}
	out := make([][]float64, x.Shape[0])
	for s := range out {
		out[s] = make([]float64, len(edges)-1)
	}
	if x.Len() == 0 {
		return out
	}
	n := x.Shape[x.Rank()-d:]
	r := RadiusHalf(n...)
	points := 1
	for _, s := range n {
		points *= s
	}
	last := n[d-1]
	half := last/2 + 1
	planes := x.Len() / (points * x.Shape[0])
	spectrum := make([]float32, 2*len(r)*planes)
	for s := range out {
		kernel.RFFT(spectrum, x.Data[s*planes*points:][:planes*points], planes, n, 1)
		for i := 0; i < len(spectrum); i += 2 {
			bin := i / 2 % len(r)
			// The band above the last edge that is not beyond r.
			b, equal := slices.BinarySearch(edges, r[bin])
			if !equal {
				b--
			}
			if b < 0 || b >= len(out[s]) {
				continue
			}
			e := float64(spectrum[i])*float64(spectrum[i]) + float64(spectrum[i+1])*float64(spectrum[i+1])
			if c := bin % half; c > 0 && 2*c != last {
				e *= 2
			}
			out[s][b] += e / float64(points)
		}
	}
	return out
}

// EnergyRatio returns for every sample of x, [batch, channel, ny, nx], the energy of its high band over that of its low band; +Inf
// or NaN where the low band is empty.
func EnergyRatio(x *autograd.Tensor) []float64 {
	energies := BandEnergies(x, 2, LowBandStart, LowBandEnd, HighBandStart, HighBandEnd)
	ratio := make([]float64, len(energies))
	for i, e := range energies {
		ratio[i] = e[2] / e[0]
	}
	return ratio
}
