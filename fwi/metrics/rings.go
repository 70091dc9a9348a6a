package metrics

import (
	"math"

	"github.com/spamoe/spamoe/internal/kernel"
)

// The bands of the energy ratio, half-open intervals of r from integer frequencies.
var (
	lowBand  = [2]float64{0.05, 0.30}
	highBand = [2]float64{0.40, 0.85}
)

// rings holds masks over the frequencies of maps of one size, in the order of the transform (zero frequency first).
type rings struct {
	ny, nx int
	// bands holds for each band which frequencies lie in it (0 or 1). sym is the mean of a mask and its point reflection: the
	// real part of a map cut by the mask is the map cut by sym. The two differ only for the radius of the reference.
	bands, sym [][]float64
	low, high  []float64
}

func newRings(ny, nx int, c Config) *rings {
	p := &rings{ny: ny, nx: nx}
	r := radius(ny, nx, false)
	p.low, p.high = mask(r, lowBand), mask(r, highBand)
	if c.ReferenceRadius {
		r = radius(ny, nx, true)
	}
	for _, b := range c.Bands {
		m := mask(r, b)
		s := make([]float64, len(m))
		for k := range m {
			s[k] = (m[k] + m[p.mirror(k)]) / 2
		}
		p.bands, p.sym = append(p.bands, m), append(p.sym, s)
	}
	return p
}

// mirror returns the place of the frequency -k.
func (p *rings) mirror(k int) int {
	i, j := k/p.nx, k%p.nx
	return (p.ny-i)%p.ny*p.nx + (p.nx-j)%p.nx
}

// radius returns r of every frequency: its distance from zero over the largest distance.
func radius(ny, nx int, reference bool) []float64 {
	along := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			shifted := (i + n/2) % n // where the shifted spectrum holds frequency i
			switch {
			case !reference:
				x[i] = float64(shifted - n/2)
			case n > 1:
				x[i] = -1 + 2*float64(shifted)/float64(n-1)
			default:
				x[i] = -1
			}
		}
		return x
	}
	y, x := along(ny), along(nx)
	r := make([]float64, ny*nx)
	largest := 0.0
	for i := range r {
		r[i] = math.Hypot(y[i/nx], x[i%nx])
		largest = max(largest, r[i])
	}
	for i := range r {
		r[i] /= max(largest, tiny)
	}
	return r
}

// mask is 1 on a half-open band. Radii are rounded: one that belongs on an end, as 0.4 = |(14,14)| / |(35,35)| does, counts as
// being there.
func mask(r []float64, band [2]float64) []float64 {
	const slack = 1e-9
	m := make([]float64, len(r))
	for i, v := range r {
		if v >= band[0]-slack && v < band[1]-slack {
			m[i] = 1
		}
	}
	return m
}

// work is scratch for one map: normalised copies, a spectrum and a cut spectrum, interleaved, and two power spectra.
type work struct {
	x, y         []float32
	z, cut       []float64
	power, other []float64
}

func (p *rings) work() *work {
	n := p.ny * p.nx
	return &work{make([]float32, n), make([]float32, n), make([]float64, 2*n), make([]float64, 2*n), make([]float64, n), make([]float64, n)}
}

// measure fills in the spectral part of a share. The transform is taken of (x - y) + i y, as the two parts, both real, can be
// told apart afterwards: cut by a symmetric mask and transformed back, they are again the real and the imaginary part.
func (p *rings) measure(w *work, s *share, x, y []float32) {
	n := p.ny * p.nx
	dims := []int{p.ny, p.nx}
	for i, v := range x {
		w.z[2*i], w.z[2*i+1] = float64(v)-float64(y[i]), float64(y[i])
	}
	kernel.FFT(w.z, w.z, 1, dims, false, 1)
	p.split(w)
	s.predEnergy, s.targetEnergy = kernel.Sum(w.power), kernel.Sum(w.other)
	s.predRatio = kernel.Dot(p.high, w.power) / (kernel.Dot(p.low, w.power) + tiny)
	s.targetRatio = kernel.Dot(p.high, w.other) / (kernel.Dot(p.low, w.other) + tiny)
	s.bands = make([]bandSums, len(p.bands))
	for b, m := range p.bands {
		t := &s.bands[b]
		t.predEnergy, t.targetEnergy = kernel.Dot(m, w.power), kernel.Dot(m, w.other)
		for k, c := range p.sym[b] {
			w.cut[2*k], w.cut[2*k+1] = c*w.z[2*k], c*w.z[2*k+1]
		}
		kernel.FFT(w.cut, w.cut, 1, dims, true, 1/float64(n))
		for i := range n {
			d, v := w.cut[2*i], w.cut[2*i+1]
			t.abs += math.Abs(d)
			t.square += d * d
			t.target += v * v
		}
	}
	for i := range n {
		w.power[i], w.other[i] = math.Log1p(w.power[i]), math.Log1p(w.other[i])
	}
	s.correlation = correlation(w.power, w.other)
}

// split sets power and other to the power spectra of x and y.
func (p *rings) split(w *work) {
	for k := range w.power {
		m := p.mirror(k)
		re, im, mre, mim := w.z[2*k], w.z[2*k+1], w.z[2*m], -w.z[2*m+1]
		// The difference has the even part of z, the target the odd one over i.
		dre, dim := (re+mre)/2, (im+mim)/2
		tre, tim := (im-mim)/2, -(re-mre)/2
		w.other[k] = tre*tre + tim*tim
		w.power[k] = (dre+tre)*(dre+tre) + (dim+tim)*(dim+tim)
	}
}

// correlation is Pearson's.
func correlation(x, y []float64) float64 {
	n := float64(len(x))
	mx, my := kernel.Sum(x)/n, kernel.Sum(y)/n
	xy, xx, yy := 0.0, 0.0, 0.0
	for i, v := range x {
		a, b := v-mx, y[i]-my
		xy += a * b
		xx += a * a
		yy += b * b
	}
	return xy / (math.Sqrt(xx)*math.Sqrt(yy) + tiny)
}
