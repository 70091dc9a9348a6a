package encoder

import (
	"fmt"
	"math"

	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/internal/memo"
	"github.com/spamoe/spamoe/spectral"
)

// bands knows the low and the high band of maps, nc x ny x nx, in half spectra, ny x (nx/2+1), scaled so that energies in space and in
// frequency are the same.
type bands struct {
	channels  int
	n         []int // ny, nx
	low, high []spectral.Bin
	bins      int // in a half spectrum
	scale     float32
}

var allBands memo.Map[[3]int, *bands] // by channels, rows and columns

// bandsOf returns the bands of maps, nb x nc x ny x nx.
func bandsOf(shape []int) *bands {
	if len(shape) != 4 {
		panic(fmt.Sprintf("encoder: Floor: shape %v; want [batch, channel, rows, columns]", shape))
	}
	return bandsFor(shape[1], shape[2], shape[3])
}

func bandsFor(nc, ny, nx int) *bands {
	b, _ := allBands.Get([3]int{nc, ny, nx}, func() (*bands, error) { return newBands(nc, ny, nx), nil })
	return b
}

func newBands(nc, ny, nx int) *bands {
	n := []int{ny, nx}
	all := spectral.BandBins(n, spectral.LowBandStart, spectral.LowBandEnd, spectral.HighBandStart, spectral.HighBandEnd)
	return &bands{channels: nc, n: n, low: all[0], high: all[2], bins: ny * (nx/2 + 1), scale: float32(1 / math.Sqrt(float64(ny*nx)))}
}

// one is the same for maps of one channel.
func (b *bands) one() *bands { return bandsFor(1, b.n[0], b.n[1]) }

// spectrumLen is the number of floats in the spectra of maps.
func (b *bands) spectrumLen(maps int) int { return maps * b.channels * 2 * b.bins }

// points is the number of floats in a map of all channels.
func (b *bands) points() int { return b.channels * b.n[0] * b.n[1] }

// scratch keeps planes and spectra, sums energies and inner products.
var (
	scratch kernel.Scratch[float32]
	sums    kernel.Scratch[float64]
)

// energy is that of one map in the two bands, over all channels.
type energy struct{ low, high float64 }

// energyOf returns that of map i.
func energyOf(pairs []float64, i int) energy { return energy{pairs[2*i], pairs[2*i+1]} }

// ratio is E_H / E_L, 0 where E_L is 0.
func (e energy) ratio() float64 {
	if !(e.low > 0) {
		return 0
	}
	return e.high / e.low
}

// energies fills spectra with the half spectra of maps x, and pairs with the energies of each, low and high. Channels are freed of their
// means first, which belong to no band: float32 then holds the details of maps that are far from zero.
func (b *bands) energies(pairs []float64, spectra, x []float32) {
	plane := b.n[0] * b.n[1]
	planes := len(x) / plane
	parts := sums.Get(2 * planes)
	defer sums.Put(parts)
	kernel.ParallelWith(planes, max(1, 1<<14/plane), analysis{b, parts, spectra, x})
	clear(pairs)
	for p := range planes {
		i := p / b.channels
		pairs[2*i] += parts[2*p]
		pairs[2*i+1] += parts[2*p+1]
	}
}

// analysis computes the spectra and the energies of planes.
type analysis struct {
	*bands
	pairs      []float64
	spectra, x []float32
}

func (a *analysis) Chunk(lo, hi int) {
	plane := a.n[0] * a.n[1]
	centred := scratch.Get(plane)
	defer scratch.Put(centred)
	for p := lo; p < hi; p++ {
		in, out := a.x[p*plane:][:plane], a.spectra[p*2*a.bins:][:2*a.bins]
		mean := kernel.Sum(in) / float64(plane)
		for i, v := range in {
			centred[i] = float32(float64(v) - mean)
		}
		kernel.RFFT(out, centred, 1, a.n, a.scale)
		a.pairs[2*p], a.pairs[2*p+1] = power(out, a.low), power(out, a.high)
	}
}

// power is the energy of a spectrum in some bins.
func power(x []float32, in []spectral.Bin) float64 {
	sum := 0.0
	for _, k := range in {
		re, im := float64(x[2*k.At]), float64(x[2*k.At+1])
		sum += k.Weight * (re*re + im*im)
	}
	return sum
}

// product is the inner product of two spectra in some bins, that of the maps in this band.
func product(x, y []float32, in []spectral.Bin) float64 {
	sum := 0.0
	for _, k := range in {
		sum += k.Weight * (float64(x[2*k.At])*float64(y[2*k.At]) + float64(x[2*k.At+1])*float64(y[2*k.At+1]))
	}
	return sum
}

// products sets dst[c] to the inner product of channel c of the spectra x of one map with that of y, in the high band; apart is the
// distance of channels of y, 0 where all share one.
func (b *bands) products(dst []float64, x, y []float32, apart int) {
	kernel.ParallelWith(b.channels, max(1, 1<<14/(2*b.bins)), products{b, dst, x, y, apart})
}

type products struct {
	*bands
	dst   []float64
	x, y  []float32
	apart int
}

func (p *products) Chunk(lo, hi int) {
	for c := lo; c < hi; c++ {
		p.dst[c] = product(p.x[c*2*p.bins:], p.y[c*p.apart:], p.high)
	}
}

// coefficients are the factors a of P_H u, c of P_H x and d of P_L x.
type coefficients struct{ a, c, d float64 }

// combine sets y to a P_H u + c P_H x + d P_L x in frequency; where a is 0, u may be nil.
func (b *bands) combine(y, u, x []float32, coef coefficients) {
	a, c, d := coef.a, coef.c, coef.d
	clear(y)
	for _, k := range b.high {
		for i := 2 * k.At; i < 2*k.At+2; i++ {
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
		y[2*k.At], y[2*k.At+1] = float32(d*float64(x[2*k.At])), float32(d*float64(x[2*k.At+1]))
	}
}

// toSpace sets the channels of one map to those whose spectra combine makes of those of u and x.
func (b *bands) toSpace(dst, u, x []float32, coef coefficients) {
	kernel.ParallelWith(b.channels, max(1, 1<<14/(b.n[0]*b.n[1])), synthesis{b, dst, u, x, coef})
}

type synthesis struct {
	*bands
	dst, u, x []float32
	coef      coefficients
}

func (s *synthesis) Chunk(lo, hi int) {
	plane := s.n[0] * s.n[1]
	y := scratch.Get(2 * s.bins)
	defer scratch.Put(y)
	for c := lo; c < hi; c++ {
		at := c * 2 * s.bins
		var u []float32
		if s.u != nil {
			u = s.u[at:]
		}
		s.combine(y, u, s.x[at:], s.coef)
		kernel.IRFFT(s.dst[c*plane:][:plane], y, 1, s.n, s.scale)
	}
}
