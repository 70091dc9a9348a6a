package velocity

import (
	"math"
	"math/rand/v2"
)

// draw fills dst, nz x nx, with trend + field + noise, bent smoothly into the bounds.
func (f *field) draw(dst []float32, nz, nx int, rng *rand.Rand) {
	length := f.length * float64(nz) / 70
	mid := f.mid + f.spread*rng.NormFloat64()
	trend := f.trend + f.trendSigma*rng.NormFloat64()
	smooth := gaussian(nz, nx, length, rng)
	for i, s := range smooth {
		z := (float64(i/nx)+0.5)/float64(nz) - 0.5
		v := mid + trend*z + f.sigma*s + f.noise*rng.NormFloat64()
		dst[i] = float32(bound(v))
	}
}

// bound maps every number into the open interval (Least, Most), and those well inside nearly to themselves.
func bound(v float64) float64 {
	const mid, half = (Least + Most) / 2, (Most - Least) / 2
	y := (v - mid) / half
	return mid + half*y/math.Pow(1+math.Pow(math.Abs(y), 8), 1.0/8)
}

// gaussian returns nz x nx values of a Gaussian random field of mean 0 and variance 1 whose correlation at distance r cells is
// exp(-r^2 / (2 length^2)): white noise convolved with a Gaussian of standard deviation length / sqrt 2.
func gaussian(nz, nx int, length float64, rng *rand.Rand) []float64 {
	reach := int(math.Ceil(3 * length))
	weight := make([]float64, 2*reach+1)
	norm := 0.0
	for k := range weight {
		d := float64(k-reach) / length
		weight[k] = math.Exp(-d * d)
		norm += weight[k] * weight[k]
	}
	for k := range weight {
		weight[k] /= math.Sqrt(norm)
	}
	wide := nx + 2*reach
	high := nz + 2*reach
	noise := make([]float64, high*wide)
	for i := range noise {
		noise[i] = rng.NormFloat64()
	}
	rows := make([]float64, high*nx)
	for z := range high {
		for x := range nx {
			sum := 0.0
			for k, w := range weight {
				sum += w * noise[z*wide+x+k]
			}
			rows[z*nx+x] = sum
		}
	}
	out := make([]float64, nz*nx)
	for z := range nz {
		row := out[z*nx:][:nx]
		for k, w := range weight {
			for x, v := range rows[(z+k)*nx:][:nx] {
				row[x] += w * v
			}
		}
	}
	return out
}
