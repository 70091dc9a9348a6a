package invert

import "math"

// basis is a linear map from the unknowns x of the optimiser to the change of a map u, nz x nx cells.
type basis interface {
	size() int                // unknowns
	apply(u, x []float64)     // u = B x
	adjoint(gx, gu []float64) // gx = B' gu
}

// cells has one unknown per cell, scaled and smoothed: B = W G, G a Gaussian smoothing and W weights. Steps of the optimiser are
// B B' times those without it.
type cells struct {
	nx     int
	weight []float64 // per cell
	blur   blur
}

func (c *cells) size() int { return len(c.weight) }

func (c *cells) apply(u, x []float64) {
	c.blur.apply(u, x, c.nx)
	for i, w := range c.weight {
		u[i] *= w
	}
}

func (c *cells) adjoint(gx, gu []float64) {
	for i, w := range c.weight {
		gx[i] = w * gu[i]
	}
	c.blur.adjoint(gx, gx, c.nx)
}

// rows has one unknown per row: a map that does not change sideways.
type rows struct {
	nx     int
	weight []float64 // per row
}

func (r *rows) size() int { return len(r.weight) }

func (r *rows) apply(u, x []float64) {
	for i := range u {
		u[i] = r.weight[i/r.nx] * x[i/r.nx]
	}
}

func (r *rows) adjoint(gx, gu []float64) {
	clear(gx)
	for i, g := range gu {
		gx[i/r.nx] += r.weight[i/r.nx] * g
	}
}

// regions has one unknown per region of a map: all cells with the same label move together.
type regions struct {
	label  []int
	weight []float64 // per region
}

// newRegions returns the regions of equal values of a map of rows of nx cells. A region's weight is the mean of its cells', less where it is
// large, since the data respond to all of it.
func newRegions(u, weight []float64, nx int) *regions {
	label, n := connected(u, nx)
	r := &regions{label, make([]float64, n)}
	size := make([]float64, n)
	for i, l := range label {
		r.weight[l] += weight[i]
		size[l]++
	}
	for l, k := range size {
		r.weight[l] *= math.Sqrt(float64(len(u))/float64(n)/k) / k
	}
	return r
}

func (r *regions) size() int { return len(r.weight) }

func (r *regions) apply(u, x []float64) {
	for i, l := range r.label {
		u[i] = r.weight[l] * x[l]
	}
}

func (r *regions) adjoint(gx, gu []float64) {
	clear(gx)
	for i, l := range r.label {
		gx[l] += r.weight[l] * gu[i]
	}
}

// blur is a separable convolution with a Gaussian, normalised near the edges so that constants stay constant. Its kernel is that
// of one side; an empty one is the identity.
type blur []float64

// newBlur returns the smoothing of a standard deviation of sigma cells.
func newBlur(sigma float64) blur {
	if sigma <= 0 {
		return nil
	}
	b := make(blur, int(math.Ceil(3*sigma))+1)
	for i := range b {
		b[i] = math.Exp(-float64(i*i) / (2 * sigma * sigma))
	}
	return b
}

func (b blur) apply(dst, src []float64, nx int) {
	copy(dst, src)
	b.lines(dst, len(dst)/nx, nx, nx, 1, false)
	b.lines(dst, nx, 1, len(dst)/nx, nx, false)
}

// adjoint is the transpose of apply.
func (b blur) adjoint(dst, src []float64, nx int) {
	copy(dst, src)
	b.lines(dst, nx, 1, len(dst)/nx, nx, true)
	b.lines(dst, len(dst)/nx, nx, nx, 1, true)
}

// lines smooths n lines of m values in place; lines begin pitch apart and their values lie stride apart.
func (b blur) lines(x []float64, n, pitch, m, stride int, transposed bool) {
	if len(b) == 0 {
		return
	}
	in, norm := make([]float64, m), make([]float64, m)
	for i := range norm {
		for j := max(0, i-len(b)+1); j < min(m, i+len(b)); j++ {
			norm[i] += b[abs(i-j)]
		}
	}
	for l := range n {
		line := x[l*pitch:]
		for i := range in {
			in[i] = line[i*stride]
			if transposed {
				in[i] /= norm[i]
			}
		}
		for i := range in {
			sum := 0.0
			for j := max(0, i-len(b)+1); j < min(m, i+len(b)); j++ {
				sum += b[abs(i-j)] * in[j]
			}
			if !transposed {
				sum /= norm[i]
			}
			line[i*stride] = sum
		}
	}
}

func abs(i int) int { return max(i, -i) }
