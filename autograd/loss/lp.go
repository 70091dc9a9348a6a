package loss

import (
	"cmp"
	"fmt"
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// LpConfig sets Lp. The zero config is the relative L2 norm over the last two axes, averaged.
type LpConfig struct {
	// Axes is the number of axes, the last ones, that a function lives on; 0 means 2. All others, batch and channel, are reduced
	// by Reduction.
	Axes int `json:"axes,omitempty"`
	// P is the exponent of the norm, 1 or 2; 0 means 2.
	P int `json:"p,omitempty"`
	// Absolute leaves out the division by the norm of the target and multiplies by (h_1 .. h_d)^(1/p) instead, h_k = Measure_k
	// over the size of axis k: the quadrature of the norm's integral.
	Absolute bool `json:"absolute,omitempty"`
	// Measure is the length of the domain along each of the axes; nil means 1.
	Measure []float64 `json:"measure,omitempty"`
	// Eps is added to the norm of the target; 0 means 1e-8.
	Eps       float64   `json:"eps,omitempty"`
	Reduction Reduction `json:"reduction,omitzero"`
}

// Lp returns the mean or the sum over samples and channels of ||x - y||_p / (||y||_p + eps).
func Lp(pred, target *autograd.Value, c LpConfig) *autograd.Value {
	c.Axes = cmp.Or(c.Axes, 2)
	c.P = cmp.Or(c.P, 2)
	if c.P != 1 && c.P != 2 {
		panic(fmt.Sprintf("loss: Lp: p is %d; want 1 or 2", c.P))
	}
	same("Lp", pred, target, c.Axes)
	rows, size := split(pred.Shape, c.Axes)
	r := relative{p: c.P, eps: cmp.Or(c.Eps, 1e-8), weight: c.Reduction.weight(rows)}
	if c.Absolute {
		r.absolute = true
		for _, h := range spacing(make([]float64, 0, 8), "Lp", size, c.Measure) {
			r.weight *= math.Pow(h, 1/float64(c.P))
		}
	}
	l := newNorms(r, pred.Data, target.Data, pred.Tape().Scratch64(3*rows))
	return scalar("Lp", pred, target, total(l.value), l)
}

// RelativeL2 returns the mean over samples of ||x - y|| / (||y|| + eps), the norms over all axes but the first. An eps of 0
// means 1e-8.
func RelativeL2(pred, target *autograd.Value, eps float64) *autograd.Value {
	same("RelativeL2", pred, target, 1)
	nb := pred.Shape[0]
	l := newNorms(relative{p: 2, eps: cmp.Or(eps, 1e-8), weight: 1 / float64(nb)}, pred.Data, target.Data, pred.Tape().Scratch64(3*nb))
	return scalar("RelativeL2", pred, target, total(l.value), l)
}

// RelativeL2PerSample returns what RelativeL2 averages, one value per sample.
func RelativeL2PerSample(pred, target *autograd.Value, eps float64) *autograd.Value {
	same("RelativeL2PerSample", pred, target, 1)
	nb := pred.Shape[0]
	l := newNorms(relative{p: 2, eps: cmp.Or(eps, 1e-8), weight: 1}, pred.Data, target.Data, pred.Tape().Scratch64(3*nb))
	return record("RelativeL2PerSample", pred, target, l.value, []int{nb}, l)
}

// relative says what norms and sobolevNorms compute.
type relative struct {
	p        int
	absolute bool
	eps      float64
	weight   float64
}

// norms is, for each of the rows of x and y, weight ||x - y||_p / (||y||_p + eps), or without the division.
type norms[T kernel.Float] struct {
	relative
	x, y              []T
	n                 int       // elements of a row
	diff, norm, value []float64 // of every row
}

// newNorms computes the values; sums is room for three for every row.
func newNorms[T kernel.Float](r relative, x, y []T, sums []float64) norms[T] {
	rows := len(sums) / 3
	l := norms[T]{r, x, y, len(x) / rows, sums[:rows], sums[rows : 2*rows], sums[2*rows:]}
	kernel.ParallelWith(rows, max(1, span/l.n), l)
	return l
}

func (l *norms[T]) Chunk(lo, hi int) {
	n := l.n
	for i := lo; i < hi; i++ {
		xi, yi := l.x[i*n:(i+1)*n], l.y[i*n:(i+1)*n]
		sd, sy := 0.0, 0.0
		for j, v := range xi {
			t := float64(yi[j])
			d := float64(v) - t
			if l.p == 1 {
				sd += math.Abs(d)
				sy += math.Abs(t)
			} else {
				sd += d * d
				sy += t * t
			}
		}
		if l.p == 2 {
			sd, sy = math.Sqrt(sd), math.Sqrt(sy)
		}
		l.diff[i], l.norm[i], l.value[i] = sd, sy, l.weight*sd
		if !l.absolute {
			l.value[i] /= sy + l.eps
		}
	}
}

func (l *norms[T]) add(gx, gy, g []T) {
	kernel.ParallelWith(len(l.value), max(1, span/l.n), normsGrad[T]{*l, gx, gy, g})
}

type normsGrad[T kernel.Float] struct {
	norms[T]
	gx, gy, g []T
}

func (l *normsGrad[T]) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		// The value is q |d| and q depends on y: a d and b y are the gradients of the two norms for p = 2, a sign(d)
		// and b sign(y) for p = 1.
		q, b := l.factors(float64(factor(l.g, i)), l.diff[i], l.norm[i])
		if l.p == 2 {
			q, b = over(q, l.diff[i]), over(b, l.norm[i])
		}
		for j := i * l.n; j < (i+1)*l.n; j++ {
			t := float64(l.y[j])
			d := float64(l.x[j]) - t
			if l.p == 1 {
				d, t = sign(d), sign(t)
			}
			if l.gx != nil {
				l.gx[j] += T(q * d)
			}
			if l.gy != nil {
				l.gy[j] -= T(q*d + b*t)
			}
		}
	}
}

// factors returns those of the gradients of diff and of norm, for g times the value.
func (r *relative) factors(g, diff, norm float64) (q, b float64) {
	q = r.weight * g
	if !r.absolute {
		q /= norm + r.eps
		b = q * diff / (norm + r.eps)
	}
	return q, b
}

// over divides, with 0 where a norm is 0: the subgradient of least length.
func over(a, norm float64) float64 {
	if norm == 0 {
		return 0
	}
	return a / norm
}

// split cuts a shape into the number of rows and the sizes of the last axes.
func split(shape []int, axes int) (rows int, size []int) {
	at := len(shape) - axes
	rows = 1
	for _, s := range shape[:at] {
		rows *= s
	}
	return rows, shape[at:]
}

// spacing appends the distance of grid points along each axis to h.
func spacing(h []float64, name string, size []int, measure []float64) []float64 {
	if measure != nil && len(measure) != len(size) {
		panic(fmt.Sprintf("loss: %s: measures %v of a domain of %d axes", name, measure, len(size)))
	}
	for k, n := range size {
		length := 1.0
		if measure != nil {
			length = measure[k]
		}
		h = append(h, length/float64(n))
	}
	return h
}
