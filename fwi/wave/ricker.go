package wave

import (
	"fmt"
	"math"
)

// leastPhase is how much of a period a time step lasts at least: below it a wavelet has millions of samples.
const leastPhase = 1e-6

// Ricker returns the wavelet of OpenFWI for peak frequency freq in hertz and time step dt in seconds,
//
//	w[k] = (1 - 2b) exp(-b),  b = (pi freq dt (h - k))^2,  k = 0 .. 2h,  h = floor(floor(2.2 / (freq dt)) / 2),
//
// that is 147 samples at 15 Hz and 1 ms with the peak, 1, in the middle (Ricker, Geophysics 18, 1953). It panics where freq or dt is
// not a positive finite number, or freq dt is less than 1e-6.
func Ricker(freq, dt float64) []float64 {
	if !(freq > 0 && dt > 0 && freq*dt >= leastPhase) || math.IsInf(freq, 0) || math.IsInf(dt, 0) {
		panic(fmt.Sprintf("wave: Ricker of %v Hz with a time step of %v s, want positive finite numbers with a product of at least %v", freq, dt, leastPhase))
	}
	half := int(math.Floor(2.2/freq/dt)) / 2
	w := make([]float64, 2*half+1)
	for k := range w {
		a := math.Pi * freq * dt * float64(half-k)
		w[k] = (1 - 2*a*a) * math.Exp(-a*a)
	}
	return w
}
