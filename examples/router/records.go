package main

import (
	"math"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
)

const (
	sensors = 4
	size    = 32 // points along both axes
)

// kinds are what records suffer from, in the order of the experts that help.
var kinds = []string{"noise", "drift", "nothing"}

// records returns n pairs of records, of all kinds in turn: as they come, x, and as they should be, y, both n x sensors x size x size.
func records(n int, rng *rand.Rand) (x, y *autograd.Tensor) {
	x, y = autograd.New(n, sensors, size, size), autograd.New(n, sensors, size, size)
	const plane = size * size
	for i := range n * sensors {
		px, py := x.Data[i*plane:][:plane], y.Data[i*plane:][:plane]
		switch i / sensors % len(kinds) {
		case 0:
			waves(py, 1, 3.5, 1, rng)
			for j := range px {
				px[j] = py[j] + float32(0.7*rng.NormFloat64())
			}
		case 1:
			waves(py, 7, 11, 1, rng)
			copy(px, py)
			waves(px, 1, 2, 1, rng)
		case 2:
			waves(py, 3, 7, 1, rng)
			copy(px, py)
		}
	}
	return x, y
}

// waves adds six plane waves of random direction and phase with lo to hi periods over the plane, of the given standard deviation together.
func waves(dst []float32, lo, hi, deviation float64, rng *rand.Rand) {
	const count = 6
	for done := 0; done < count; {
		ky, kx := rng.IntN(size+1)-size/2, rng.IntN(size+1)-size/2
		if r := math.Hypot(float64(ky), float64(kx)); r < lo || r > hi {
			continue
		}
		done++
		a, phase := deviation*math.Sqrt(2.0/count), 2*math.Pi*rng.Float64()
		var period [size]float32
		for i := range period {
			period[i] = float32(a * math.Cos(2*math.Pi*float64(i)/size+phase))
		}
		for i := range dst {
			at := (ky*(i/size) + kx*(i%size)) % size
			dst[i] += period[(at+size)%size]
		}
	}
}
