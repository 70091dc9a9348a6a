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

// Bin is one place of a half spectrum and how many modes it stands for, 1 or 2.
type Bin struct {
	At     int
	Weight float64
}

// bandSlack makes up for the rounding of radii: one that belongs on an edge, as 0.4 does for k = (4, 4) of 21 x 21, counts as being there.
const bandSlack = 1e-9

// BandBins returns the bins of every band edges[i] <= r < edges[i+1] of the Radius in the half spectrum over a grid n. It panics unless the
// edges are two or more and sorted.
func BandBins(n []int, edges ...float64) [][]Bin {
	if len(n) == 0 || slices.Min(n) < 1 || len(edges) < 2 || !slices.IsSorted(edges) {
		panic(fmt.Sprintf("spectral: BandBins: grid %v, edges %v; want sizes of at least 1, and sorted edges of one band or more", slices.Clone(n), slices.Clone(edges)))
	}
	bands := make([][]Bin, len(edges)-1)
	last := n[len(n)-1]
	half := last/2 + 1
	for i, r := range RadiusHalf(n...) {
		band := -1 // the number of the last edge that is not beyond r
		for band+1 < len(edges) && r >= edges[band+1]-bandSlack {
			band++
		}
		if band < 0 || band == len(bands) {
			continue
		}
		bin := Bin{At: i, Weight: 2}
		if c := i % half; c == 0 || 2*c == last {
			bin.Weight = 1
		}
		bands[band] = append(bands[band], bin)
	}
	return bands
}

// BandEnergies returns for every sample of x, [batch, channel, n1 .. nd], the energy in the bands edges[i] <= r < edges[i+1] of the
// Radius of its spectrum over the last d axes (see BandBins), summed over channels: |F x|^2 over the number of grid points, so that
// the bands from 0 on add up to the sum of x^2.
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
	points, bins := 1, n[d-1]/2+1
	for a, s := range n {
		points *= s
		if a < d-1 {
			bins *= s
		}
	}
	bands := BandBins(n, edges...)
	planes := x.Len() / (points * x.Shape[0])
	spectrum := make([]float32, 2*bins*planes)
	for s := range out {
		kernel.RFFT(spectrum, x.Data[s*planes*points:][:planes*points], planes, n, 1)
		for p := range planes {
			plane := spectrum[2*p*bins:]
			for b, band := range bands {
				for _, k := range band {
					re, im := float64(plane[2*k.At]), float64(plane[2*k.At+1])
					out[s][b] += k.Weight * (re*re + im*im) / float64(points)
				}
			}
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
