package loss

import (
	"cmp"
	"fmt"
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/internal/memo"
)

// SSIMConfig sets SSIM. The zero config is the usual one: a Gaussian of 11 x 11 pixels with sigma 1.5, values from 0 to 1.
type SSIMConfig struct {
	// Window is the side of the Gaussian in pixels, odd; 0 means 11.
	Window int `json:"window,omitempty"`
	// Sigma is its standard deviation in pixels; 0 means 1.5.
	Sigma float64 `json:"sigma,omitempty"`
	// Range is the difference of the largest and the least possible value; 0 means 1.
	Range float64 `json:"range,omitempty"`
}

// SSIM returns the mean structural similarity of the images x and y (Wang et al. 2004, equation 13), nb x nc x ny x nx:
//
//	S = (2 mx my + C1) (2 sxy + C2) / ((mx^2 + my^2 + C1) (sxx + syy + C2))
//
// with the means m, variances and covariance s of a Gaussian window around each pixel, zeros outside of the image, C1 = (0.01
// Range)^2 and C2 = (0.03 Range)^2. It is 1 where the images agree and less elsewhere: train with 1 - SSIM.
func SSIM(pred, target *autograd.Value, c SSIMConfig) *autograd.Value {
	same("SSIM", pred, target, 2)
	rows, size := split(pred.Shape, 2)
	l := similarity[float32]{windowOf(c, size[0], size[1]), pred.Data, target.Data, float32(rows)}
	values := scratch.Get(rows)
	defer scratch.Put(values)
	l.values(values)
	return scalar("SSIM", pred, target, total(values)/float64(rows), l)
}

// SSIMOfImages returns the mean structural similarity of each pair of images of ny x nx pixels that x and y hold, one after the
// other, without gradients. It panics where the lengths are not those of the same number of images.
func SSIMOfImages(x, y []float32, ny, nx int, c SSIMConfig) []float64 {
	if ny < 1 || nx < 1 || len(x) != len(y) || len(x)%(ny*nx) != 0 {
		panic(fmt.Sprintf("loss: SSIMOfImages: %d and %d pixels for images of %d x %d", len(x), len(y), ny, nx))
	}
	values := make([]float64, len(x)/(ny*nx))
	l := similarity[float32]{windowOf(c, ny, nx), x, y, 1}
	l.values(values)
	return values
}

// window is a Gaussian, the same along both axes, for images of one size.
type window struct {
	ny, nx int
	w      []float64
	c1, c2 float64
}

type windowKey struct {
	SSIMConfig
	ny, nx int
}

var allWindows memo.Map[windowKey, window]

func windowOf(c SSIMConfig, ny, nx int) window {
	k, _ := allWindows.Get(windowKey{c, ny, nx}, func() (window, error) { return newWindow(c, ny, nx), nil })
	return k
}

func newWindow(c SSIMConfig, ny, nx int) window {
	size, sigma, span := cmp.Or(c.Window, 11), cmp.Or(c.Sigma, 1.5), cmp.Or(c.Range, 1)
	if size < 1 || size%2 == 0 || !(sigma > 0) || !(span > 0) {
		panic(fmt.Sprintf("loss: SSIM: window %d, sigma %v, range %v; want an odd window, the others above 0", size, sigma, span))
	}
	k := window{ny: ny, nx: nx, w: make([]float64, size), c1: math.Pow(0.01*span, 2), c2: math.Pow(0.03*span, 2)}
	for i := range k.w {
		k.w[i] = math.Exp(-math.Pow(float64(i-size/2)/sigma, 2) / 2)
	}
	t := total(k.w)
	for i := range k.w {
		k.w[i] /= t
	}
	return k
}

// moments holds two images and their windowed means, variances and covariance; t is scratch.
type moments struct {
	buf                         []float64
	x, y, mx, my, xx, yy, xy, t []float64
}

func (k window) moments() moments {
	n := k.ny * k.nx
	buf := scratch.Get(8 * n)
	cut := func(i int) []float64 { return buf[i*n : (i+1)*n] }
	return moments{buf, cut(0), cut(1), cut(2), cut(3), cut(4), cut(5), cut(6), cut(7)}
}

// blur convolves an image in place with the window, zeros outside. As the window is symmetric, blur is its own adjoint.
func (k window) blur(u, t []float64) {
	half := len(k.w) / 2
	for i := range k.ny {
		line, dst := u[i*k.nx:(i+1)*k.nx], t[i*k.nx:(i+1)*k.nx]
		for j := range dst {
			lo, hi := max(0, j-half), min(k.nx, j+half+1)
			w := k.w[lo-j+half : hi-j+half]
			s := 0.0
			for p, v := range line[lo:hi] {
				s += w[p] * v
			}
			dst[j] = s
		}
	}
	for i := range k.ny {
		dst := u[i*k.nx : (i+1)*k.nx]
		clear(dst)
		for p := max(0, i-half); p < min(k.ny, i+half+1); p++ {
			w, line := k.w[p-i+half], t[p*k.nx:(p+1)*k.nx]
			for j, v := range line {
				dst[j] += w * v
			}
		}
	}
}

// load computes the moments of two images.
func load[T kernel.Float](k window, m *moments, x, y []T) {
	for i, v := range x {
		a, b := float64(v), float64(y[i])
		m.x[i], m.y[i] = a, b
		m.mx[i], m.my[i], m.xx[i], m.yy[i], m.xy[i] = a, b, a*a, b*b, a*b
	}
	for _, u := range [...][]float64{m.mx, m.my, m.xx, m.yy, m.xy} {
		k.blur(u, m.t)
	}
	for i, a := range m.mx {
		b := m.my[i]
		m.xx[i] -= a * a
		m.yy[i] -= b * b
		m.xy[i] -= a * b
	}
}

// similarity is S of every pair of images of x and y, averaged over pixels.
type similarity[T kernel.Float] struct {
	window
	x, y  []T
	share T // by which factors of the values are divided
}

// values computes the value of every pair.
func (l *similarity[T]) values(dst []float64) {
	kernel.ParallelWith(len(dst), 1, similarities[T]{*l, dst})
}

type similarities[T kernel.Float] struct {
	similarity[T]
	dst []float64
}

func (l *similarities[T]) Chunk(lo, hi int) {
	n, k := l.ny*l.nx, &l.window
	m := k.moments()
	defer scratch.Put(m.buf)
	for r := lo; r < hi; r++ {
		load(*k, &m, l.x[r*n:(r+1)*n], l.y[r*n:(r+1)*n])
		sum := 0.0
		for i, a := range m.mx {
			b := m.my[i]
			sum += (2*a*b + k.c1) * (2*m.xy[i] + k.c2) / ((a*a + b*b + k.c1) * (m.xx[i] + m.yy[i] + k.c2))
		}
		l.dst[r] = sum / float64(n)
	}
}

func (l *similarity[T]) add(gx, gy, g []T) {
	kernel.ParallelWith(len(l.x)/(l.ny*l.nx), 1, similarityGrad[T]{*l, gx, gy, g})
}

type similarityGrad[T kernel.Float] struct {
	similarity[T]
	gx, gy, g []T
}

func (l *similarityGrad[T]) Chunk(lo, hi int) {
	n, k := l.ny*l.nx, &l.window
	m := k.moments()
	defer scratch.Put(m.buf)
	for r := lo; r < hi; r++ {
		load(*k, &m, l.x[r*n:(r+1)*n], l.y[r*n:(r+1)*n])
		k.pull(&m, float64(factor(l.g, r)/l.share)/float64(n))
		for i := range m.x {
			if l.gx != nil {
				l.gx[r*n+i] += T(m.mx[i] + m.y[i]*m.xy[i] + 2*m.x[i]*m.xx[i])
			}
			if l.gy != nil {
				l.gy[r*n+i] += T(m.my[i] + m.x[i]*m.xy[i] + 2*m.y[i]*m.xx[i])
			}
		}
	}
}

// pull replaces the moments by the gradients, times c, of the sum over all pixels of S with respect to the images mx, my, xy and
// xx (which is that for yy also) before they were blurred.
func (k window) pull(m *moments, c float64) {
	for i, a := range m.mx {
		b := m.my[i]
		n1, n2 := 2*a*b+k.c1, 2*m.xy[i]+k.c2
		d1, d2 := a*a+b*b+k.c1, m.xx[i]+m.yy[i]+k.c2
		q := c / (d1 * d2)
		s := q * n1 * n2
		// With respect to n1, n2, d1, d2; then through n2 = 2 (blur(xy) - a b) + C2, d2 = blur(xx) - a^2 + blur(yy) - b^2 + C2.
		gn1, gn2, gd1, gd2 := q*n2, q*n1, -s/d1, -s/d2
		m.mx[i] = 2*b*(gn1-gn2) + 2*a*(gd1-gd2)
		m.my[i] = 2*a*(gn1-gn2) + 2*b*(gd1-gd2)
		m.xy[i] = 2 * gn2
		m.xx[i] = gd2
	}
	for _, u := range [...][]float64{m.mx, m.my, m.xy, m.xx} {
		k.blur(u, m.t)
	}
}
