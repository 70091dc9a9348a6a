package encoder

import (
	"fmt"
	"math"

	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/spectral"
)

// bands knows the low and the high band of maps, nc x ny x nx, in half spectra, ny x (nx/2+1), scaled so that energies in space and in
// frequency are the same.
type bands struct {
	channels  int
	n         []int // ny, nx
	low, high []bin
	bins      int // in a half spectrum
	scale     float32
}

// bin is one place of a half spectrum and how many modes it stands for, 1 or 2.
type bin struct {
	at     int
	weight float64
}

func newBands(shape []int) *bands {
	if len(shape) != 4 {
		panic(fmt.Sprintf("encoder: Floor: shape %v; want [batch, channel, rows, columns]", shape))
	}
	ny, nx := shape[2], shape[3]
	b := &bands{channels: shape[1], n: []int{ny, nx}, bins: ny * (nx/2 + 1), scale: float32(1 / math.Sqrt(float64(ny*nx)))}
	// Radii are rounded: one that belongs on an end, as 0.4 does for k = (14, 14) of 70 x 70, counts as being there.
	const slack = 1e-9
	for i, r := range spectral.RadiusHalf(ny, nx) {
		k := bin{i, 2}
		if c := i % (nx/2 + 1); c == 0 || 2*c == nx {
			k.weight = 1
		}
		switch {
		case r >= spectral.LowBandStart-slack && r < spectral.LowBandEnd-slack:
			b.low = append(b.low, k)
		case r >= spectral.HighBandStart-slack && r < spectral.HighBandEnd-slack:
			b.high = append(b.high, k)
		}
	}
	return b
}

// spectrumLen is the number of floats in the spectra of maps.
func (b *bands) spectrumLen(maps int) int { return maps * b.channels * 2 * b.bins }

// points is the number of floats in a map of all channels.
func (b *bands) points() int { return b.channels * b.n[0] * b.n[1] }

// scratch keeps planes and spectra of one channel.
var scratch kernel.Scratch[float32]

// energy is that of one map in the two bands, over all channels.
type energy struct{ low, high float64 }

// ratio is E_H / E_L, 0 where E_L is 0.
func (e energy) ratio() float64 {
	if !(e.low > 0) {
		return 0
	}
	return e.high / e.low
}

// energies fills spectra with the half spectra of maps x and returns the energies of each. Channels are freed of their means first,
// which belong to no band: float32 then holds the details of maps that are far from zero.
func (b *bands) energies(spectra, x []float32) []energy {
	plane := b.n[0] * b.n[1]
	planes := len(x) / plane
	parts := make([]energy, planes)
	kernel.Parallel(planes, max(1, 1<<14/plane), func(lo, hi int) {
		centred := scratch.Get(plane)
		defer scratch.Put(centred)
		for p := lo; p < hi; p++ {
			in, out := x[p*plane:][:plane], spectra[p*2*b.bins:][:2*b.bins]
			mean := kernel.Sum(in) / float64(plane)
			for i, v := range in {
				centred[i] = float32(float64(v) - mean)
			}
			kernel.RFFT(out, centred, 1, b.n, b.scale)
			parts[p] = energy{power(out, b.low), power(out, b.high)}
		}
	})
	sums := make([]energy, planes/b.channels)
	for p, e := range parts {
		s := &sums[p/b.channels]
		s.low += e.low
		s.high += e.high
	}
	return sums
}

// power is the energy of a spectrum in some bins.
func power(x []float32, in []bin) float64 {
	sum := 0.0
	for _, k := range in {
		re, im := float64(x[2*k.at]), float64(x[2*k.at+1])
		sum += k.weight * (re*re + im*im)
	}
	return sum
}

// product is the inner product of two spectra in some bins, that of the maps in this band.
func product(x, y []float32, in []bin) float64 {
	sum := 0.0
	for _, k := range in {
		sum += k.weight * (float64(x[2*k.at])*float64(y[2*k.at]) + float64(x[2*k.at+1])*float64(y[2*k.at+1]))
	}
	return sum
}

// each calls f with the spectra of every channel of one map, in parallel; f must not share anything between channels.
func (b *bands) each(f func(channel, at int)) {
	kernel.Parallel(b.channels, max(1, 1<<14/(2*b.bins)), func(lo, hi int) {
		for c := lo; c < hi; c++ {
			f(c, c*2*b.bins)
		}
	})
}

// total adds what f returns for every channel of one map, in the order of channels.
func (b *bands) total(f func(channel, at int) float64) float64 {
	parts := make([]float64, b.channels)
	b.each(func(c, at int) { parts[c] = f(c, at) })
	sum := 0.0
	for _, v := range parts {
		sum += v
	}
	return sum
}

// combine sets y to a P_H u + c P_H x + d P_L x in frequency; where a is 0, u may be nil.
func (b *bands) combine(y, u, x []float32, a, c, d float64) {
	clear(y)
	for _, k := range b.high {
		for i := 2 * k.at; i < 2*k.at+2; i++ {
			v := c * float64(x[i])
			if a != 0 {
				v += a * float64(u[i])
			}
			y[i] = float32(v)
		}
	}
	if d == 0 {
		return
	}
	for _, k := range b.low {
		y[2*k.at], y[2*k.at+1] = float32(d*float64(x[2*k.at])), float32(d*float64(x[2*k.at+1]))
	}
}

// toSpace sets the channels of one map to those whose spectra f writes: f gets a channel, where its spectrum lies in that of the map,
// and room for one.
func (b *bands) toSpace(dst []float32, f func(channel, at int, y []float32)) {
	plane := b.n[0] * b.n[1]
	kernel.Parallel(b.channels, max(1, 1<<14/plane), func(lo, hi int) {
		y := scratch.Get(2 * b.bins)
		defer scratch.Put(y)
		for c := lo; c < hi; c++ {
			f(c, c*2*b.bins, y)
			kernel.IRFFT(dst[c*plane:][:plane], y, 1, b.n, b.scale)
		}
	})
}
