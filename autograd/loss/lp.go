package loss

import (
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
	c.Axes = defaultTo(c.Axes, 2)
	c.P = defaultTo(c.P, 2)
	if c.P != 1 && c.P != 2 {
		panic(fmt.Sprintf("loss: Lp: p is %d; want 1 or 2", c.P))
	}
	same("Lp", pred, target, c.Axes)
	rows, size := split(pred.Shape, c.Axes)
	r := relative{p: c.P, eps: defaultTo(c.Eps, 1e-8), weight: c.Reduction.weight(rows)}
	if c.Absolute {
		r.absolute = true
		for _, h := range spacing("Lp", size, c.Measure) {
			r.weight *= math.Pow(h, 1/float64(c.P))
		}
	}
	norms, grad := norms(r, pred.Data, target.Data, rows)
	return scalar("Lp", pred, target, total(norms), oneFor(grad, rows))
}

// RelativeL2 returns the mean over samples of ||x - y|| / (||y|| + eps), the norms over all axes but the first. An eps of 0
// means 1e-8.
func RelativeL2(pred, target *autograd.Value, eps float64) *autograd.Value {
	same("RelativeL2", pred, target, 1)
	nb := pred.Shape[0]
	n, grad := norms(relative{p: 2, eps: defaultTo(eps, 1e-8), weight: 1 / float64(nb)}, pred.Data, target.Data, nb)
	return scalar("RelativeL2", pred, target, total(n), oneFor(grad, nb))
}

// RelativeL2PerSample returns what RelativeL2 averages, one value per sample.
func RelativeL2PerSample(pred, target *autograd.Value, eps float64) *autograd.Value {
	same("RelativeL2PerSample", pred, target, 1)
	nb := pred.Shape[0]
	n, grad := norms(relative{p: 2, eps: defaultTo(eps, 1e-8), weight: 1}, pred.Data, target.Data, nb)
	return record("RelativeL2PerSample", pred, target, n, []int{nb}, grad)
}

// relative says what norms computes.
type relative struct {
	p        int
	absolute bool
	eps      float64
	weight   float64
}

// norms computes for each of the rows of x and y, weight ||x - y||_p / (||y||_p + eps), or without the division.
func norms[T kernel.Float](r relative, x, y []T, rows int) ([]float64, gradient[T]) {
	n := len(x) / rows
	diff, norm, value := make([]float64, rows), make([]float64, rows), make([]float64, rows)
	kernel.Parallel(rows, max(1, span/n), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			xi, yi := x[i*n:(i+1)*n], y[i*n:(i+1)*n]
			sd, sy := 0.0, 0.0
			for j, v := range xi {
				t := float64(yi[j])
				d := float64(v) - t
				if r.p == 1 {
					sd += math.Abs(d)
					sy += math.Abs(t)
				} else {
					sd += d * d
					sy += t * t
				}
			}
			if r.p == 2 {
				sd, sy = math.Sqrt(sd), math.Sqrt(sy)
			}
			diff[i], norm[i], value[i] = sd, sy, r.weight*sd
			if !r.absolute {
				value[i] /= sy + r.eps
			}
		}
	})
	return value, func(gx, gy, g []T) {
		kernel.Parallel(rows, max(1, span/n), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				// The value is q |d| and q depends on y: a d and b y are the gradients of the two norms for p = 2, a sign(d)
				// and b sign(y) for p = 1.
				q, b := r.weight*float64(g[i]), 0.0
				if !r.absolute {
					q /= norm[i] + r.eps
					b = q * diff[i] / (norm[i] + r.eps)
				}
				if r.p == 2 {
					q, b = over(q, diff[i]), over(b, norm[i])
				}
				for j := i * n; j < (i+1)*n; j++ {
					t := float64(y[j])
					d := float64(x[j]) - t
					if r.p == 1 {
						d, t = sign(d), sign(t)
					}
					if gx != nil {
						gx[j] += T(q * d)
					}
					if gy != nil {
						gy[j] -= T(q*d + b*t)
					}
				}
			}
		})
	}
}

// over divides, with 0 where a norm is 0: the subgradient of least length.
func over(a, norm float64) float64 {
	if norm == 0 {
		return 0
	}
	return a / norm
}

// oneFor gives the gradient of a sum of rows values the one factor that they share.
func oneFor[T kernel.Float](grad gradient[T], rows int) gradient[T] {
	return func(gx, gy, g []T) {
		all := make([]T, rows)
		for i := range all {
			all[i] = g[0]
		}
		grad(gx, gy, all)
	}
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

// spacing returns the distance of grid points along each axis.
func spacing(name string, size []int, measure []float64) []float64 {
	if measure != nil && len(measure) != len(size) {
		panic(fmt.Sprintf("loss: %s: measures %v of a domain of %d axes", name, measure, len(size)))
	}
	h := make([]float64, len(size))
	for k, n := range size {
		h[k] = 1 / float64(n)
		if measure != nil {
			h[k] = measure[k] / float64(n)
		}
	}
	return h
}

// defaultTo returns x, or d where x is zero.
func defaultTo[T int | float64](x, d T) T {
	if x == 0 {
		return d
	}
	return x
}
