package lno

import (
	"fmt"
	"math"
	"slices"
)

// Kind is a family of functions on a disc.
type Kind string

// The families, as torch-harmonics 0.7.4 defines them. Angles run from the last axis of the grid towards the one before it.
const (
	// PiecewiseLinear: products of hats in the radius and hats in the angle. With n rings of a angles there are
	// (n/2) a + n%2 functions: with an odd n one more, the cone in the middle. One angle makes them isotropic.
	PiecewiseLinear Kind = "piecewise_linear"
	// Morlet: a Gaussian times sines and cosines of the two coordinates, n x m of them: 1, sin, cos, sin of twice ..
	Morlet Kind = "morlet"
	// Zernike: the polynomials of Zernike below degree n, n (n+1)/2 of them.
	Zernike Kind = "zernike"
)

// morletWidth is the standard deviation of the Gaussian over the radius of the disc.
const morletWidth = 0.25

// Basis is a set of functions on the unit disc. The zero value is PiecewiseLinear with two rings of four angles.
type Basis struct {
	Kind Kind `json:"kind,omitempty"` // default: PiecewiseLinear
	// Shape sizes the basis: {rings, angles} or {rings} (isotropic) of PiecewiseLinear, default {2, 4}; {n, m} or {n} for n = m of
	// Morlet, default {3, 3}; {n} of Zernike, default {3}.
	Shape []int `json:"shape,omitempty"`
}

// Check reports a shape that Kind does not have.
func (b Basis) Check() error {
	most := 2
	switch b.Kind {
	case "", PiecewiseLinear, Morlet:
	case Zernike:
		most = 1
	default:
		return fmt.Errorf("lno: basis %q; want %q, %q or %q", b.Kind, PiecewiseLinear, Morlet, Zernike)
	}
	if len(b.Shape) > most {
		return fmt.Errorf("lno: shape %v of basis %q; want at most %d numbers", b.Shape, b.Kind, most)
	}
	for _, n := range b.Shape {
		if n < 1 || n > 64 {
			return fmt.Errorf("lno: shape %v of basis %q; want numbers from 1 to 64", b.Shape, b.Kind)
		}
	}
	return nil
}

// clone returns a copy of b with a shape of its own.
func (b Basis) clone() Basis {
	b.Shape = slices.Clone(b.Shape)
	return b
}

// size returns both numbers of the shape.
func (b Basis) size() (n, m int) {
	switch {
	case len(b.Shape) == 2:
		return b.Shape[0], b.Shape[1]
	case len(b.Shape) == 1 && b.Kind == Morlet:
		return b.Shape[0], b.Shape[0]
	case len(b.Shape) == 1:
		return b.Shape[0], 1
	case b.Kind == Morlet:
		return 3, 3
	case b.Kind == Zernike:
		return 3, 1
	}
	return 2, 4
}

// Len returns the number of functions.
func (b Basis) Len() int {
	n, m := b.size()
	switch b.Kind {
	case Morlet:
		return n * m
	case Zernike:
		return n * (n + 1) / 2
	}
	return n/2*m + n%2
}

// Cells returns a radius, in grid cells, at which the grid resolves every function: rings 5/4 cells apart or more, three cells to the
// shortest wave, a cell to each degree.
func (b Basis) Cells() float64 {
	n, m := b.size()
	switch b.Kind {
	case Morlet:
		return max(2.5, 6*morletWidth*math.Ceil(float64(max(n, m)-1)/2)*1.25)
	case Zernike:
		return max(2.5, float64(n))
	}
	return max(2.5, 1.25*float64(n+1)/2)
}

// At returns function k at the radius r, as a part of the disc's, and the angle phi; it is zero for r > 1. At r = 0, where functions may
// depend on the angle still, it returns the mean over angles, so that turning a basis by one of its angles permutes it.
func (b Basis) At(k int, r, phi float64) float64 {
	if n, m := b.size(); r == 0 && b.Kind != Morlet && b.Kind != Zernike && n%2 == 0 && m > 1 {
		if k < m {
			return 1 / float64(m)
		}
		return 0
	}
	return b.at(k, r, phi)
}

// at is At without the mean.
func (b Basis) at(k int, r, phi float64) float64 {
	if r > 1 {
		return 0
	}
	n, m := b.size()
	switch b.Kind {
	case Morlet:
		return morlet(k%m, k/m, r, phi)
	case Zernike:
		return zernike(k, r, phi)
	}
	return piecewiseLinear(n, m, k, r, phi)
}

// piecewiseLinear is function k of n rings of m angles. The rings lie 2/(n+1) apart; the innermost at 0 where n is odd, else half a
// distance from it, and then its hats reach through the middle to the other side.
func piecewiseLinear(n, m, k int, r, phi float64) float64 {
	dr, da := 2/float64(n+1), 2*math.Pi/float64(m)
	if m == 1 {
		return hat(r-(float64(k)+0.5*float64((n+1)%2))*dr, dr)
	}
	if n%2 == 1 {
		if k == 0 {
			return hat(r, dr)
		}
		k--
		return hat(r-float64(k/m+1)*dr, dr) * hat(turn(phi-(float64(k%m)*da-math.Pi)), da)
	}
	ring, angle := (float64(k/m)+0.5)*dr, float64(k%m)*da-math.Pi
	return hat(r-ring, dr)*hat(turn(phi-angle), da) + hat(-r-ring, dr)*hat(turn(phi+math.Pi-angle), da)
}

// hat is 1 at 0 and falls to 0 over the width.
func hat(x, width float64) float64 { return max(0, 1-math.Abs(x)/width) }

// turn brings an angle to -pi .. pi.
func turn(a float64) float64 { return math.Remainder(a, 2*math.Pi) }

// morlet is wave p along the last axis times wave q along the one before, under a Gaussian. The waves are 1, sin t, cos t, sin 2t ..
func morlet(p, q int, r, phi float64) float64 {
	const w = morletWidth
	return wave(p, r*math.Sin(phi)/w) * wave(q, r*math.Cos(phi)/w) * math.Exp(-r*r/(2*w*w)) / (2 * math.Pi * w * w)
}

func wave(p int, x float64) float64 {
	t := float64((p+1)/2) * math.Pi * x
	if p%2 == 1 {
		return math.Sin(t)
	}
	return math.Cos(t)
}

// zernike is polynomial k: those of degree n = 0, 1, .. in turn, of each degree those of azimuthal order -n, -n+2, .., n.
func zernike(k int, r, phi float64) float64 {
	n := 0
	for k > n {
		n++
		k -= n
	}
	m := 2*k - n
	if m < 0 {
		return zernikeRadial(n, -m, r) * math.Sin(float64(m)*phi)
	}
	return zernikeRadial(n, m, r) * math.Cos(float64(m)*phi)
}

// zernikeRadial is sum over j of (-1)^j (n-j)! / (j! ((n+m)/2-j)! ((n-m)/2-j)!) r^(n-2j).
func zernikeRadial(n, m int, r float64) float64 {
	sum := 0.0
	for j := 0; j <= (n-m)/2; j++ {
		c := math.Gamma(float64(n-j+1)) / (math.Gamma(float64(j+1)) * math.Gamma(float64((n+m)/2-j+1)) * math.Gamma(float64((n-m)/2-j+1)))
		if j%2 == 1 {
			c = -c
		}
		sum += c * math.Pow(r, float64(n-2*j))
	}
	return sum
}
