package kernel

var (
	leakyElem     = elem{"LeakyReLU", leakyGeneric[float32], leakyGeneric[float64]}
	leakyGradElem = elem{"LeakyReLUGrad", leakyGradGeneric[float32], leakyGradGeneric[float64]}
	clampElem     = elem{"Clamp", clampGeneric[float32], clampGeneric[float64]}
)

// LeakyReLU computes dst[i] = x[i] where x[i] > 0, slope x[i] elsewhere. Slope 0 is the rectifier.
func LeakyReLU[T Float](dst, x []T, slope T) { each(&leakyElem, dst, x, nil, slope, 0, false) }

func leakyGeneric[T Float](dst, x, _ []T, slope, _ T, acc bool) {
	for i := range dst {
		v := x[i]
		if !(v > 0) {
			v *= slope
		}
		put(&dst[i], v, acc)
	}
}

// LeakyReLUGrad computes gx[i] = gy[i] where x[i] > 0, slope gy[i] elsewhere; gx[i] += ... if acc.
func LeakyReLUGrad[T Float](gx, gy, x []T, slope T, acc bool) {
	each2(&leakyGradElem, gx, gy, x, slope, 0, acc)
}

func leakyGradGeneric[T Float](gx, gy, x []T, slope, _ T, acc bool) {
	for i := range gx {
		v := gy[i]
		if !(x[i] > 0) {
			v *= slope
		}
		put(&gx[i], v, acc)
	}
}

// Clamp computes dst[i] = min(max(x[i], lo), hi). NaN stays NaN.
func Clamp[T Float](dst, x []T, lo, hi T) { each(&clampElem, dst, x, nil, lo, hi, false) }

func clampGeneric[T Float](dst, x, _ []T, lo, hi T, acc bool) {
	for i := range dst {
		put(&dst[i], min(max(x[i], lo), hi), acc)
	}
}

var clampGradElem = elem{"ClampGrad", clampGradGeneric[float32], clampGradGeneric[float64]}

// ClampGrad computes gx[i] = gy[i] where lo <= x[i] <= hi, 0 elsewhere; gx[i] += ... if acc.
func ClampGrad[T Float](gx, gy, x []T, lo, hi T, acc bool) {
	each2(&clampGradElem, gx, gy, x, lo, hi, acc)
}

func clampGradGeneric[T Float](gx, gy, x []T, lo, hi T, acc bool) {
	for i := range gx {
		var v T
		if x[i] >= lo && x[i] <= hi {
			v = gy[i]
		}
		put(&gx[i], v, acc)
	}
}
