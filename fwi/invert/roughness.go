package invert

import "math"

// variation returns the total variation of a map u of nz rows, rounded off below edge,
//
//	weight/n sum w (sqrt(dx^2 + dz^2 + edge^2) - edge),
//
// where dx and dz are the differences to the next column and row and w the weight of the cell, one where w is nil, and adds its
// derivative to grad. It prefers few sharp edges to many weak ones: small scatter costs as much as one step of the same height.
func variation(u, grad, w []float64, nx int, edge, weight float64) float64 {
	n := len(u)
	weight /= float64(n)
	sum := 0.0
	for i, v := range u {
		var dx, dz float64
		right, below := (i+1)%nx != 0, i+nx < n
		if right {
			dx = u[i+1] - v
		}
		if below {
			dz = u[i+nx] - v
		}
		size := math.Sqrt(dx*dx + dz*dz + edge*edge)
		factor := weight
		if w != nil {
			factor *= w[i]
		}
		sum += factor * (size - edge)
		factor /= size
		dx *= factor
		dz *= factor
		grad[i] -= dx + dz
		if right {
			grad[i+1] += dx
		}
		if below {
			grad[i+nx] += dz
		}
	}
	return sum
}

// edgeWeights returns weights for variation that leave the edges of u alone, step / (|gradient of u| + step). Renewed as the map
// changes, they turn the sum of the heights of edges into, nearly, a count of the cells where there is one: what lies between
// becomes constant and edges become sharp (Candes, Wakin and Boyd, J. Fourier Anal. Appl. 14, 2008).
func edgeWeights(u []float64, nx int, step float64) []float64 {
	w := make([]float64, len(u))
	for i, v := range u {
		var dx, dz float64
		if (i+1)%nx != 0 {
			dx = u[i+1] - v
		}
		if i+nx < len(u) {
			dz = u[i+nx] - v
		}
		w[i] = step / (math.Hypot(dx, dz) + step)
	}
	return w
}

// tikhonov returns weight/(2n) sum dx^2 + dz^2 and adds its derivative to grad. It prefers smooth maps.
func tikhonov(u, grad []float64, nx int, weight float64) float64 {
	n := len(u)
	weight /= float64(n)
	sum := 0.0
	pull := func(i, j int) {
		d := u[j] - u[i]
		sum += d * d / 2
		grad[i] -= weight * d
		grad[j] += weight * d
	}
	for i := range u {
		if (i+1)%nx != 0 {
			pull(i, i+1)
		}
		if i+nx < n {
			pull(i, i+nx)
		}
	}
	return weight * sum
}
