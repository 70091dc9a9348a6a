package lno

import (
	"fmt"
	"math"
	"slices"
)

// table holds functions sampled on the taps of a window: what weights are multiplied by to make a kernel.
type table struct {
	n      int       // functions
	window [3]int    // taps along each axis; axes that the grid lacks come first and have one
	pad    [3]int    // points that padding adds at both ends of each axis
	data   []float32 // n x window
	used   []run     // taps that differ from zero in some function, where the table is a kernel of its own
}

// taps returns the size of the window.
func (t *table) taps() int { return t.window[0] * t.window[1] * t.window[2] }

// pointTable is the one function that is 1 at the point itself: a matrix between channels.
func pointTable() *table { return &table{n: 1, window: [3]int{1, 1, 1}, data: []float32{1}} }

// differenceTable is the basis of differential kernels of k points along each of d axes: function j takes the difference between tap j
// and the middle one, over the width.
func differenceTable(k, d int, width float64) *table {
	t := &table{window: [3]int{1, 1, 1}}
	for a := 3 - d; a < 3; a++ {
		t.window[a], t.pad[a] = k, k/2
	}
	t.n = t.taps()
	t.data = make([]float32, t.n*t.n)
	for j := range t.n {
		t.data[j*t.n+j] += float32(1 / width)
		t.data[j*t.n+t.n/2] -= float32(1 / width)
	}
	return t
}

// noSupport is the value, relative to functions of size 1, below which a sample counts as zero.
const noSupport = 1e-6

// sampleBasis samples a basis on a disc of a radius over a grid of cells h0 x h1,
//
//	B_k[i, j] = psi_k(r, phi) / sum over i, j of |psi_k|,      r = |(i h0, j h1)| / radius,
//
// which is the kernel of the normalised integral of psi_k u by the quadrature weight h0 h1: that cancels. Functions of both signs have no
// integral to be divided by, so it is the absolute value that counts; for hats it is the same. A function that no grid point sees
// is an error, as is one that the points cannot tell from a sum of others.
func sampleBasis(b Basis, radius float64, h [2]float64) (*table, error) {
	// A point on the rim counts as inside, however radius/h was rounded.
	const rim = 1 + 1e-9
	far := [2]float64{math.Floor(radius / h[0] * rim), math.Floor(radius / h[1] * rim)}
	if !(2*max(far[0], far[1])+1 <= maxWindow) {
		return nil, fmt.Errorf("lno: a disc of radius %g over cells of %g x %g makes a kernel of %g x %g points; want at most %d", radius, h[0], h[1],
			2*far[0]+1, 2*far[1]+1, maxWindow)
	}
	reach := [2]int{int(far[0]), int(far[1])}
	w0, w1 := 2*reach[0]+1, 2*reach[1]+1
	if err := checkTable(b.Len(), w0*w1); err != nil {
		return nil, err
	}
	t := &table{n: b.Len(), window: [3]int{1, w0, w1}, pad: [3]int{0, reach[0], reach[1]}}
	t.data = make([]float32, t.n*w0*w1)
	values := make([]float64, t.n*w0*w1)
	for k := range t.n {
		f := values[k*w0*w1:][:w0*w1]
		sum := 0.0
		for i := range f {
			y, x := float64(i/w1-reach[0])*h[0], float64(i%w1-reach[1])*h[1]
			if r := math.Hypot(x, y) / radius; r <= rim {
				f[i] = b.At(k, min(r, 1), math.Atan2(y, x))
			}
			sum += math.Abs(f[i])
		}
		for i, v := range f {
			t.data[k*w0*w1+i] = float32(v / sum)
		}
	}
	if k := dependent(values, t.n); k >= 0 {
		return nil, fmt.Errorf("lno: function %d of %d of the basis is zero, or a sum of the others, on all points of a disc of radius %g over cells of %g x %g; want a radius of several cells, %g here",
			k, t.n, radius, h[0], h[1], b.Cells()*max(h[0], h[1]))
	}
	return t, nil
}

// maxWindow is how many points a kernel may have along an axis, maxTable how many numbers a table: 64 MB of them, and room for 16 functions
// on the largest window.
const (
	maxWindow = 1023
	maxTable  = 1 << 24
)

// checkTable reports a table of more numbers than there should be, before it is made.
func checkTable(functions, taps int) error {
	if functions > maxTable/taps {
		return fmt.Errorf("lno: %d functions on a kernel of %d points make a table of %g numbers; want at most %d", functions, taps,
			float64(functions)*float64(taps), maxTable)
	}
	return nil
}

// dependent returns the first of n functions that is zero, or a sum of those before it, or -1. It changes values, making what is left of
// each function orthogonal.
func dependent(values []float64, n int) int {
	size := len(values) / n
	dot := func(a, b []float64) (sum float64) {
		for i := range a {
			sum += a[i] * b[i]
		}
		return sum
	}
	for k := range n {
		f := values[k*size:][:size]
		whole := math.Sqrt(dot(f, f))
		for range 2 { // the second pass removes the rounding of the first
			for l := range k {
				g := values[l*size:][:size]
				p := dot(f, g)
				for i := range f {
					f[i] -= p * g[i]
				}
			}
		}
		left := math.Sqrt(dot(f, f))
		if !(whole > noSupport && left > noSupport*whole) {
			return k
		}
		for i := range f {
			f[i] /= left
		}
	}
	return -1
}

// sampleReference samples a basis as the reference does, for a grid of n points on the given lengths: the points of a window of
// floor(2 radius n / length) + 1 points are spread evenly over the disc's diameter, so they are the grid's points only where the
// window is odd and the radius a multiple of the cells; functions are divided by their integral plus 1e-9, those of the first
// (n/2) m + n%2 alone; the rest up to count is zero. What the reference's rounding leaves of functions without support is not reproduced.
func sampleReference(b Basis, count int, radius float64, n [2]int, length [2]float64) *table {
	w := [2]int{}
	for a := range w {
		w[a] = int(math.Floor(2*radius*float64(n[a])/length[a])) + 1
	}
	// The reference turns the window over, so that its second axis, with its number of points, becomes the first.
	t := &table{n: count, window: [3]int{1, w[1], w[0]}, pad: [3]int{0, (w[0]+1)/2 - 1, (w[1]+1)/2 - 1}}
	t.data = make([]float32, count*w[0]*w[1])
	q := length[0] * length[1] / float64(n[0]) / float64(n[1])
	rings, angles := b.size()
	if b.Kind == Zernike {
		angles = rings // of a shape of two equal numbers, it takes one
	}
	normalised := rings/2*angles + rings%2
	all := make([]float64, min(count, b.Len())*w[0]*w[1])
	largest := 0.0
	for k := range len(all) / (w[0] * w[1]) {
		values := all[k*w[0]*w[1]:][:w[0]*w[1]]
		sum := 0.0
		for i := range values {
			x, y := spread(w[0]-1-i%w[0], w[0], radius), spread(w[1]-1-i/w[0], w[1], radius)
			r := math.Hypot(x, y)
			if r <= radius {
				values[i] = b.at(k, r/radius, math.Atan2(y, x)+math.Pi)
			}
			sum += values[i] * q
		}
		for i := range values {
			if k < normalised {
				values[i] /= sum + 1e-9
			}
			largest = max(largest, math.Abs(values[i]))
		}
	}
	for i, v := range all {
		if math.Abs(v) > noSupport*largest {
			t.data[i] = float32(v * q)
		}
	}
	return t
}

// spread is point i of n from -radius to radius.
func spread(i, n int, radius float64) float64 {
	if n == 1 {
		return -radius
	}
	step := 2 * radius / float64(n-1)
	if i < n/2 {
		return -radius + step*float64(i)
	}
	return radius - step*float64(n-1-i)
}

// trim cuts rims that are zero in all functions off odd windows, evenly.
func (t *table) trim() *table {
	for a := range t.window {
		for t.window[a] > 1 && t.window[a]%2 == 1 && t.pad[a] == t.window[a]/2 && t.zeroRim(a) {
			w := t.window
			w[a] -= 2
			t = t.resize(w)
		}
	}
	return t
}

// zeroRim reports whether the first and last taps along an axis are zero.
func (t *table) zeroRim(axis int) bool {
	inner := 1
	for _, w := range t.window[axis+1:] {
		inner *= w
	}
	for i, v := range t.data {
		if p := i / inner % t.window[axis]; v != 0 && (p == 0 || p == t.window[axis]-1) {
			return false
		}
	}
	return true
}

// resize returns t on another odd window of the same middle.
func (t *table) resize(window [3]int) *table {
	if window == t.window {
		return t
	}
	out := &table{n: t.n, window: window}
	var shift [3]int
	for a := range window {
		out.pad[a] = window[a] / 2
		shift[a] = (window[a] - t.window[a]) / 2
	}
	out.data = make([]float32, t.n*out.taps())
	for i, v := range t.data {
		p := [3]int{i / (t.window[1] * t.window[2]) % t.window[0], i / t.window[2] % t.window[1], i % t.window[2]}
		o := i / t.taps()
		inside := true
		for a := range p {
			p[a] += shift[a]
			inside = inside && p[a] >= 0 && p[a] < window[a]
			o = o*window[a] + p[a]
		}
		if inside {
			out.data[o] = v
		}
	}
	return out
}

// odd reports whether all sides of the window are odd and padded so that the grid stays.
func (t *table) odd() bool {
	for a, w := range t.window {
		if w%2 == 0 || t.pad[a] != w/2 {
			return false
		}
	}
	return true
}

// common returns the smallest window that holds both.
func common(a, b [3]int) [3]int {
	for i := range a {
		a[i] = max(a[i], b[i])
	}
	return a
}

// point reports whether only the point itself counts, so that padding does not matter.
func (t *table) point() bool { return slices.Max(t.window[:]) == 1 }
