package invert

import "math"

// bounds keeps velocities between lo and hi, a little beyond which
//
//	v = mid + half u / (1 + u^8)^(1/8),  half = 1.15 (hi - lo)/2,
//
// saturates. The map is nearly the identity, in units of half, over most of the range, so that it changes neither the shape of
// the misfit nor the steps of the optimiser there. What exceeds lo and hi at the end is cut off. Velocities stay above lo/2: where lo is much less
// than hi, mid and half are those of lo/2 and the same upper end.
type bounds struct{ mid, half float64 }

func newBounds(lo, hi float64) bounds {
	b := bounds{(lo + hi) / 2, 1.15 * (hi - lo) / 2}
	if least, most := lo/2, b.mid+b.half; b.mid-b.half < least {
		b = bounds{(most + least) / 2, (most - least) / 2}
	}
	return b
}

// velocity returns v(u) and its derivative.
func (b bounds) velocity(u float64) (v, slope float64) {
	p := 1 + math.Pow(u, 8)
	root := math.Pow(p, -1.0/8)
	return b.mid + b.half*u*root, b.half * root / p
}

// inverse returns the u of a velocity; velocities near the limits and beyond are taken back inside.
func (b bounds) inverse(v float64) float64 {
	y := min(max((v-b.mid)/b.half, -0.985), 0.985)
	return y / math.Pow(1-math.Pow(y, 8), 1.0/8)
}

// velocities returns the map of u.
func (b bounds) velocities(u []float64) []float32 {
	vel := make([]float32, len(u))
	for i, u := range u {
		v, _ := b.velocity(u)
		vel[i] = float32(v)
	}
	return vel
}
