package kernel

import "math"

// The steps of attention between its products, on rows of one kind of float.
var (
	exp2Sum32  = exp2SumGeneric
	exp2Grad32 = exp2GradGeneric
	rotate32   = rotateGeneric
)

// exp2SumGeneric computes dst = 2^(x-m), m the largest x, and returns the sum of dst.
func exp2SumGeneric(dst, x []float32, m float32) float32 {
	sum := 0.0
	for i, v := range x {
		e := math.Exp2(float64(v) - float64(m))
		sum += e
		dst[i] = float32(e)
	}
	return float32(sum)
}

// exp2GradGeneric turns p into 2^(p-m) and g into p (g - d): with p a row of logits, in bits, m the logarithm of the sum of their
// powers, g the gradient of the weights and d the sum of weights times g, g becomes the gradient of the natural logits.
func exp2GradGeneric(p, g []float32, m, d float32) {
	for i, v := range p {
		e := float32(math.Exp2(float64(v) - float64(m)))
		p[i] = e
		g[i] = e * (g[i] - d)
	}
}

// rotateGeneric turns the points whose coordinates are the halves of rows of 2 half elements: y1 = c x1 - s x2, y2 = c x2 + s x1
// with c = a cos and s = b sin. Rows of x and y are xRow and yRow elements apart, those of sin and cos half. y may be x.
func rotateGeneric(y, x, sin, cos []float32, yRow, xRow, half, rows int, a, b float32) {
	for r := range rows {
		y1, x1 := y[r*yRow:][:2*half], x[r*xRow:][:2*half]
		for i, c := range cos[r*half:][:half] {
			c, s := a*c, b*sin[r*half+i]
			u, v := x1[i], x1[half+i]
			y1[i], y1[half+i] = u*c-v*s, v*c+u*s
		}
	}
}
