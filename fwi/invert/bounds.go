package invert

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/spamoe/spamoe/fwi/wave"
)

// bounds keeps velocities between lo and hi, a little beyond which
//
//	v = mid + half u / (1 + u^8)^(1/8),  half = 1.15 (hi - lo)/2,
//
// saturates. The map is nearly the identity, in units of half, over most of the range, so that it changes neither the shape of
// the misfit nor the steps of the optimiser there. What exceeds lo and hi at the end is cut off. Velocities stay above lo/2: where lo is much less
// than hi, mid and half are those of lo/2 and the same upper end. And they stay where the survey is stable (stableBounds).
type bounds struct{ mid, half float64 }

func newBounds(lo, hi float64) bounds {
	b := bounds{(lo + hi) / 2, 1.15 * (hi - lo) / 2}
	if least, most := lo/2, b.mid+b.half; b.mid-b.half < least {
		b = between(least, most)
	}
	return b
}

// between returns the bounds that saturate at least and most.
func between(least, most float64) bounds { return bounds{(most + least) / 2, (most - least) / 2} }

// stableBounds returns newBounds of lo and hi for maps of n cells that s simulates, or, where velocities up to their upper end
// are not all stable, those with the same lower end whose velocities are. It fails where not even those up to hi are.
func stableBounds(lo, hi float64, s *wave.Solver[float32], n int) (bounds, error) {
	b := newBounds(lo, hi)
	most := float32(b.mid + b.half)
	if stable(s, n, most) {
		return b, nil
	}
	// The largest stable one: positive numbers come in the order of their bits.
	below := sort.Search(int(math.Float32bits(most)), func(i int) bool { return !stable(s, n, math.Float32frombits(uint32(i+1))) })
	most = math.Float32frombits(uint32(below))
	if float64(most) < hi {
		c := s.Config()
		return b, fmt.Errorf("invert: with Dt %v s, Dx %v m and Pad %d velocities up to %.6g m/s are stable, want those up to Max, %v m/s", c.Dt, c.Dx, c.Pad, most, hi)
	}
	return between(b.mid-b.half, float64(most)), nil
}

// stable reports whether s simulates all maps of n cells with velocities up to v. Damping makes time steps shorter and grows with the
// least velocity of a map: where a map of v alone is stable, the others are.
func stable(s *wave.Solver[float32], n int, v float32) bool {
	return s.Check(slices.Repeat([]float32{v}, n)) == nil
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
