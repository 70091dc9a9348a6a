package loss

import (
	"cmp"
	"fmt"
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// H1Config sets H1. The zero config is the relative norm over the last two axes of a periodic unit square, averaged.
type H1Config struct {
	// Axes is the number of axes, the last ones, that a function lives on, 1 to 3; 0 means 2. All others are reduced by
	// Reduction.
	Axes int `json:"axes,omitempty"`
	// Bounded marks those of the axes that do not wrap around: at their ends the difference is one-sided.
	Bounded [3]bool `json:"bounded,omitzero"`
	// Absolute leaves out the division by the norm of the target and multiplies by the cell's size h_1 .. h_d under the root.
	Absolute bool `json:"absolute,omitempty"`
	// Measure is the length of the domain along each of the axes; nil means 1. It sets the h_k of the differences.
	Measure []float64 `json:"measure,omitempty"`
	// Eps is added to the norm of the target; 0 means 1e-8.
	Eps       float64   `json:"eps,omitempty"`
	Reduction Reduction `json:"reduction,omitzero"`
}

// H1 returns the mean or the sum over samples and channels of ||x - y|| / (||y|| + eps) in the Sobolev norm
//
//	||u||^2 = sum of u^2 + (D_1 u)^2 + .. + (D_d u)^2,     (D_k u)[i] = (u[i+1] - u[i-1]) / (2 h_k) along axis k.
func H1(pred, target *autograd.Value, c H1Config) *autograd.Value {
	c.Axes = cmp.Or(c.Axes, 2)
	if c.Axes < 1 || c.Axes > 3 {
		panic(fmt.Sprintf("loss: H1: %d axes; want 1 to 3", c.Axes))
	}
	same("H1", pred, target, c.Axes)
	rows, size := split(pred.Shape, c.Axes)
	s := newSobolev(size, c)
	r := relative{absolute: c.Absolute, eps: cmp.Or(c.Eps, 1e-8), weight: c.Reduction.weight(rows)}
	if c.Absolute {
		for _, h := range s.h[:c.Axes] {
			r.weight *= math.Sqrt(h)
		}
	}
	l := newSobolevNorms(r, s, pred.Data, target.Data, pred.Tape().Scratch64(3*rows))
	return scalar("H1", pred, target, total(l.value), l)
}

// sobolevNorms is, for each row of x and y, weight ||x - y|| / (||y|| + eps), or without the division.
type sobolevNorms[T kernel.Float] struct {
	norms[T]
	s sobolev
}

// newSobolevNorms computes the values; sums is room for three for every row.
func newSobolevNorms[T kernel.Float](r relative, s sobolev, x, y []T, sums []float64) sobolevNorms[T] {
	rows := len(sums) / 3
	l := sobolevNorms[T]{norms[T]{r, x, y, len(x) / rows, sums[:rows], sums[rows : 2*rows], sums[2*rows:]}, s}
	kernel.ParallelWith(rows, 1, l)
	return l
}

func (l *sobolevNorms[T]) Chunk(lo, hi int) {
	n := l.n
	buf := scratch.Get(3 * n)
	defer scratch.Put(buf)
	u, w, d := buf[:n], buf[n:2*n], buf[2*n:]
	for i := lo; i < hi; i++ {
		row(u, l.x[i*n:], l.y[i*n:])
		l.diff[i] = l.s.norm(w, u, d)
		row(u, l.y[i*n:], nil)
		l.norm[i] = l.s.norm(w, u, d)
		l.value[i] = l.weight * l.diff[i]
		if !l.absolute {
			l.value[i] /= l.norm[i] + l.eps
		}
	}
}

func (l *sobolevNorms[T]) add(gx, gy, g []T) {
	kernel.ParallelWith(len(l.value), 1, sobolevGrad[T]{*l, gx, gy, g})
}

type sobolevGrad[T kernel.Float] struct {
	sobolevNorms[T]
	gx, gy, g []T
}

func (l *sobolevGrad[T]) Chunk(lo, hi int) {
	n := l.n
	buf := scratch.Get(3 * n)
	defer scratch.Put(buf)
	u, w, d := buf[:n], buf[n:2*n], buf[2*n:]
	for i := lo; i < hi; i++ {
		q, b := l.factors(float64(factor(l.g, i)), l.diff[i], l.norm[i])
		row(u, l.x[i*n:], l.y[i*n:])
		l.s.norm(w, u, d)
		addTo(l.gx, w, i*n, over(q, l.diff[i]))
		addTo(l.gy, w, i*n, -over(q, l.diff[i]))
		if l.gy != nil && b != 0 {
			row(u, l.y[i*n:], nil)
			l.s.norm(w, u, d)
			addTo(l.gy, w, i*n, -over(b, l.norm[i]))
		}
	}
}

// row sets u to x - y, or to x where y is nil.
func row[T kernel.Float](u []float64, x, y []T) {
	for j := range u {
		u[j] = float64(x[j])
		if y != nil {
			u[j] -= float64(y[j])
		}
	}
}

// addTo adds a w to the row of g that starts at an offset, where g is wanted.
func addTo[T kernel.Float](g []T, w []float64, offset int, a float64) {
	if g == nil {
		return
	}
	for j, v := range w {
		g[offset+j] += T(a * v)
	}
}

// sobolev holds the differences along the axes of one grid.
type sobolev struct {
	size    []int
	h       [3]float64
	bounded [3]bool
}

func newSobolev(size []int, c H1Config) sobolev {
	for k, n := range size {
		if c.Bounded[k] && n < 2 {
			panic(fmt.Sprintf("loss: H1: grid %v: a bounded axis needs at least 2 points", size))
		}
	}
	s := sobolev{size: size, bounded: c.Bounded}
	spacing(s.h[:0], "H1", size, c.Measure)
	return s
}

// norm returns ||u|| and leaves in w the gradient of ||u||^2 / 2, which is u + sum over k of D_k' D_k u. d is scratch.
func (s sobolev) norm(w, u, d []float64) float64 {
	copy(w, u)
	inner := len(u)
	for k, n := range s.size {
		inner /= n
		clear(d)
		s.each(k, inner, len(u), func(at, hi, lo int, c float64) { d[at] = c * (u[hi] - u[lo]) })
		s.each(k, inner, len(u), func(at, hi, lo int, c float64) {
			w[hi] += c * d[at]
			w[lo] -= c * d[at]
		})
	}
	q := 0.0
	for j, v := range u {
		q += v * w[j]
	}
	return math.Sqrt(max(q, 0))
}

// each calls f for every point: its place, those of the neighbours along axis k between which the difference is taken, and one
// over their distance.
func (s sobolev) each(k, inner, total int, f func(at, hi, lo int, c float64)) {
	n := s.size[k]
	for base := 0; base < total; base += n * inner {
		for i := range n {
			hi, lo, c := (i+1)%n, (i+n-1)%n, 1/(2*s.h[k])
			if s.bounded[k] && i == 0 {
				lo, c = 0, 1/s.h[k]
			}
			if s.bounded[k] && i == n-1 {
				hi, c = n-1, 1/s.h[k]
			}
			for j := range inner {
				f(base+i*inner+j, base+hi*inner+j, base+lo*inner+j, c)
			}
		}
	}
}
