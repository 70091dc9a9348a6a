package fwi

import (
	"fmt"
	"math"
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Normalisation maps physical values to the range a network works in, and back:
//
//	t = sign(x) log1p(Log |x|)   where Log > 0, else x
//	y = (t - Shift[c]) / Scale[c]
//
// for channel c, or for all channels with element 0 where Shift and Scale have one element. The zero Normalisation is the
// identity.
type Normalisation struct {
	Log   float64   `json:"log,omitempty"`
	Shift []float64 `json:"shift,omitempty"`
	Scale []float64 `json:"scale,omitempty"`
}

// MinMax returns the normalisation that maps lo..hi to -1..1, after the logarithm with factor log where that is not zero; lo and
// hi are given before it.
func MinMax(log, lo, hi float64) Normalisation {
	n := Normalisation{Log: log}
	lo, hi = n.compress(lo), n.compress(hi)
	n.Shift, n.Scale = []float64{(lo + hi) / 2}, []float64{(hi - lo) / 2}
	return n
}

// clone returns a copy of n with slices of its own.
func (n Normalisation) clone() Normalisation {
	n.Shift, n.Scale = slices.Clone(n.Shift), slices.Clone(n.Scale)
	return n
}

// Validate reports a normalisation that cannot serve data of the given number of channels.
func (n Normalisation) Validate(channels int) error {
	if len(n.Shift) != len(n.Scale) || (len(n.Shift) > 1 && len(n.Shift) != channels) {
		return fmt.Errorf("normalisation: %d shifts and %d scales for %d channels", len(n.Shift), len(n.Scale), channels)
	}
	for c, s := range n.Scale {
		// These are the factors and the offsets of Forward and Inverse, in float32.
		ok := s > 0
		for _, v := range []float64{s, 1 / s, n.Shift[c], n.Shift[c] / s} {
			f := float64(float32(v))
			ok = ok && !math.IsNaN(f) && !math.IsInf(f, 0)
		}
		if !ok {
			return fmt.Errorf("normalisation: channel %d has shift %v and scale %v; wanted finite numbers, scale above 0, also 1/scale and shift/scale, in float32",
				c, n.Shift[c], s)
		}
	}
	if !(n.Log >= 0) || math.IsInf(n.Log, 1) {
		return fmt.Errorf("normalisation: log factor %v; wanted 0 or a positive number", n.Log)
	}
	return nil
}

// Forward normalises x, channels x n values, into dst, which may be x.
func (n Normalisation) Forward(dst, x []float32, channels int) {
	n.each(dst, x, channels, func(d, s []float32, shift, scale float64) {
		if n.Log == 0 {
			a, b := float32(1/scale), float32(-shift/scale)
			for i, v := range s {
				d[i] = v*a + b
			}
			return
		}
		for i, v := range s {
			d[i] = float32((n.compress(float64(v)) - shift) / scale)
		}
	})
}

// Inverse undoes Forward.
func (n Normalisation) Inverse(dst, y []float32, channels int) {
	n.each(dst, y, channels, func(d, s []float32, shift, scale float64) {
		if n.Log == 0 {
			a, b := float32(scale), float32(shift)
			for i, v := range s {
				d[i] = v*a + b
			}
			return
		}
		for i, v := range s {
			t := float64(v)*scale + shift
			d[i] = float32(math.Copysign(math.Expm1(math.Abs(t))/n.Log, t))
		}
	})
}

// Unit returns the physical size of one normalised unit of channel c: 1500 for velocities between 1500 and 4500 m/s. It is
// meaningless for a logarithmic normalisation.
func (n Normalisation) Unit(c int) float64 {
	_, scale := n.channel(c)
	return scale
}

// channel returns the shift and the scale of channel c.
func (n Normalisation) channel(c int) (shift, scale float64) {
	switch len(n.Scale) {
	case 0:
		return 0, 1
	case 1:
		return n.Shift[0], n.Scale[0]
	}
	return n.Shift[c], n.Scale[c]
}

func (n Normalisation) compress(v float64) float64 {
	if n.Log == 0 {
		return v
	}
	return math.Copysign(math.Log1p(n.Log*math.Abs(v)), v)
}

// each runs f over the channels, cut into pieces that the cores share.
func (n Normalisation) each(dst, x []float32, channels int, f func(d, s []float32, shift, scale float64)) {
	if len(dst) != len(x) || channels < 1 || len(x)%channels != 0 {
		panic(fmt.Sprintf("fwi: normalisation: %d values into %d, in %d channels", len(x), len(dst), channels))
	}
	size := len(x) / channels
	for c := range channels {
		shift, scale := n.channel(c)
		d, s := dst[c*size:(c+1)*size], x[c*size:(c+1)*size]
		kernel.Parallel(size, 1<<14, func(lo, hi int) { f(d[lo:hi], s[lo:hi], shift, scale) })
	}
}
