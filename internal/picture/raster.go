package picture

import (
	"image"
	"math"
	"slices"
)

// scale is the interval of values that a palette spans, and whether some values lie below or above it.
type scale struct {
	lo, hi       float64
	below, above bool
	palette      Palette
}

// finite tells whether v is a number.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// bounds gives the least and the largest finite value of several maps; ok is false where there is none.
func bounds(maps ...[]float32) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, m := range maps {
		for _, v := range m {
			if v := float64(v); finite(v) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	return lo, hi, lo <= hi
}

// span makes an interval of colours out of lo and hi: 0 to 1 where there was no value, a little to both sides of a single one.
func span(lo, hi float64, ok bool) (float64, float64) {
	if !ok {
		return 0, 1
	}
	if margin := max(math.Abs(lo), math.Abs(hi)) * 1e-3; hi-lo <= margin*1e-3 {
		if margin == 0 {
			margin = 1
		}
		return lo - margin, hi + margin
	}
	return lo, hi
}

// quantile gives the p-th quantile (0 to 1) of the sizes of the finite values, 0 where there is none.
func quantile(p float64, maps ...[]float32) float64 {
	var sizes []float32
	for _, m := range maps {
		for _, v := range m {
			if finite(float64(v)) {
				sizes = append(sizes, float32(math.Abs(float64(v))))
			}
		}
	}
	if len(sizes) == 0 {
		return 0
	}
	slices.Sort(sizes)
	return float64(sizes[int(math.Round(p*float64(len(sizes)-1)))])
}

// saturated completes s by whether values of the maps lie outside its ends.
func (s scale) saturated(maps ...[]float32) scale {
	lo, hi, ok := bounds(maps...)
	slack := 1e-6 * (s.hi - s.lo)
	s.below, s.above = ok && lo < s.lo-slack, ok && hi > s.hi+slack
	return s
}

// sample gives the value at row y, column x of an h x w picture of an nz x nx map: the value of the cell where the map is enlarged,
// the mean of the finite values of the cells that fall into the pixel where it is shrunk.
func sample(m []float32, nz, nx, h, w, y, x int) float64 {
	z0, z1 := y*nz/h, max((y+1)*nz/h, y*nz/h+1)
	x0, x1 := x*nx/w, max((x+1)*nx/w, x*nx/w+1)
	if z1-z0 == 1 && x1-x0 == 1 {
		return float64(m[z0*nx+x0])
	}
	var sum float64
	n := 0
	for z := z0; z < z1; z++ {
		for _, v := range m[z*nx+x0 : z*nx+x1] {
			if v := float64(v); finite(v) {
				sum += v
				n++
			}
		}
	}
	return sum / float64(n)
}

// heat draws an nz x nx map into r: row 0 at the top, column 0 at the left.
func (c *canvas) heat(r image.Rectangle, m []float32, nz, nx int, s scale) {
	for y := range r.Dy() {
		for x := range r.Dx() {
			v := sample(m, nz, nx, r.Dy(), r.Dx(), y, x)
			if !finite(v) {
				v = math.NaN()
			}
			c.SetRGBA(r.Min.X+x, r.Min.Y+y, s.palette.At((v-s.lo)/(s.hi-s.lo)))
		}
	}
}
