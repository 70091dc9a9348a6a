package invert

import "math"

// balance returns weights that make late, weak arrivals count: a power of the inverse of the local amplitude,
//
//	(1 / (a/A + gainFloor))^power,  a^2 the mean of o^2 over about gainTime samples, A the largest a.
func (c *comparison) balance(o []float64, power float64) []float64 {
	keep := math.Exp(-1.0 / gainTime)
	n := len(o)
	a := make([]float64, n)
	for r := range c.nr {
		forth, back := 0.0, 0.0
		for i := r; i < n; i += c.nr {
			forth = keep*forth + (1-keep)*o[i]*o[i]
			a[i] += forth
		}
		for i := n - c.nr + r; i >= 0; i -= c.nr {
			back = keep*back + (1-keep)*o[i]*o[i]
			a[i] += back
		}
	}
	most := 0.0
	for i := range a {
		a[i] = math.Sqrt(a[i])
		most = max(most, a[i])
	}
	if most == 0 {
		most = 1 // a dead shot, whose weights are of nothing
	}
	for i := range a {
		a[i] = math.Pow(a[i]/most+gainFloor, -power)
	}
	return a
}

const (
	gainFloor = 0.01
	gainTime  = 40
)

func (c *comparison) amplify(shot int, d []float64) {
	if c.gain == nil {
		return
	}
	for i, g := range c.gain[shot] {
		d[i] *= g
	}
}
