package velocity

import (
	"math"
	"math/rand/v2"
	"slices"
)

// stack is a pile of layers without curves or faults.
type stack struct {
	bottoms  []float64 // depth in cells of the lower boundary of every layer but the last
	velocity []float32 // integers
}

// newStack draws n layers over r.extent times depth cells: thicknesses vary by half around their mean, velocities are uniform
// integers, sorted where the recipe says so.
func newStack(r *recipe, n int, depth float64, rng *rand.Rand) stack {
	thickness := make([]float64, n)
	total := 0.0
	for i := range thickness {
		mean := 1.0
		if n > 1 && i == 0 {
			mean = r.top
		} else if n > 1 && i == n-1 {
			mean = r.bottom
		}
		thickness[i] = mean * (0.5 + rng.Float64())
		total += thickness[i]
	}
	s := stack{velocity: make([]float32, n)}
	z := 0.0
	for _, t := range thickness[:n-1] {
		z += t / total * r.extent * depth
		s.bottoms = append(s.bottoms, z)
	}
	values := make([]int, n)
	if r.sorted {
		// Adding its rank to each of n sorted draws makes them distinct.
		for i := range values {
			values[i] = Least + rng.IntN(Most-Least+2-n)
		}
		slices.Sort(values)
		for i := range values {
			values[i] += i
		}
	} else {
		for i := range values {
			values[i] = Least + rng.IntN(Most-Least+1)
		}
	}
	for i, v := range values {
		s.velocity[i] = float32(v)
	}
	return s
}

// at returns the velocity at a depth in cells; the first and last layer have no end.
func (s *stack) at(z float64) float32 {
	i := 0
	for i < len(s.bottoms) && z >= s.bottoms[i] {
		i++
	}
	return s.velocity[i]
}

// curve is how far layers lie below their mean depth at a column: a sum of sines.
type curve []struct{ amplitude, number, phase float64 }

// newCurve draws a curve: a main wave of a half to three periods over the width, and a weaker, shorter one.
func newCurve(r *recipe, nz, nx int, rng *rand.Rand) curve {
	if r.curve == flat {
		return nil
	}
	amplitude := (r.curve[0] + (r.curve[1]-r.curve[0])*rng.Float64()) * float64(nz)
	c := make(curve, 2)
	periods := 0.75 + 1.5*rng.Float64()
	for i := range c {
		c[i].amplitude = amplitude
		c[i].number = 2 * math.Pi * periods / float64(nx)
		c[i].phase = 2 * math.Pi * rng.Float64()
		amplitude *= 0.25 + 0.3*rng.Float64()
		periods *= 1.5 + rng.Float64()
	}
	return c
}

func (c curve) at(x float64) float64 {
	y := 0.0
	for _, w := range c {
		y += w.amplitude * math.Sin(w.number*x+w.phase)
	}
	return y
}
