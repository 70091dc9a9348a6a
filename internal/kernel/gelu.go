package kernel

import "math"

var (
	geluElem         = elem{"GELU", geluGeneric[float32], geluGeneric[float64]}
	geluGradElem     = elem{"GELUGrad", geluGradGeneric[float32], geluGradGeneric[float64]}
	geluTanhElem     = elem{"GELUTanh", geluTanhGeneric[float32], geluTanhGeneric[float64]}
	geluTanhGradElem = elem{"GELUTanhGrad", geluTanhGradGeneric[float32], geluTanhGradGeneric[float64]}
)

// normalTail is where the lower tail of the normal distribution is zero even in float64.
const normalTail = 38.5

// GELU computes the exact Gaussian error linear unit, dst[i] = x[i] P(x[i]) with P(x) = (1 + erf(x/sqrt 2)) / 2
// (Hendrycks and Gimpel, arXiv 1606.08415, section 2). Its limit at -Inf is 0.
func GELU[T Float](dst, x []T) { each(&geluElem, dst, x, nil, 0, 0, false) }

func geluGeneric[T Float](dst, x, _ []T, _, _ T, acc bool) {
	for i := range dst {
		v := float64(x[i])
		put(&dst[i], T(max(v, -normalTail)*normalCDF(v)), acc)
	}
}

// GELUGrad computes gx[i] = gy[i] (P(x[i]) + x[i] p(x[i])), with P and p the normal distribution and its density;
// gx[i] += ... if acc.
func GELUGrad[T Float](gx, gy, x []T, acc bool) { each2(&geluGradElem, gx, gy, x, 0, 0, acc) }

func geluGradGeneric[T Float](gx, gy, x []T, _, _ T, acc bool) {
	for i := range gx {
		v := float64(x[i])
		c := min(max(v, -normalTail), normalTail)
		d := normalCDF(v) + c*math.Exp(-c*c/2)/math.Sqrt(2*math.Pi)
		put(&gx[i], gy[i]*T(d), acc)
	}
}

func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// geluTanhA and geluTanhB are the constants of u = a (x + b x^3).
const (
	geluTanhA = 0.79788456080286535588 // sqrt(2/pi)
	geluTanhB = 0.044715
)

// GELUTanh computes dst[i] = x (1 + tanh u) / 2 with u = sqrt(2/pi) (x + 0.044715 x^3), the approximation of the same paper.
// It is written as x / (1 + exp(-2u)), and 0 at -Inf.
func GELUTanh[T Float](dst, x []T) { each(&geluTanhElem, dst, x, nil, 0, 0, false) }

func geluTanhGeneric[T Float](dst, x, _ []T, _, _ T, acc bool) {
	for i := range dst {
		v := max(float64(x[i]), -normalTail)
		put(&dst[i], T(v*geluTanhGate(v)), acc)
	}
}

// geluTanhGate returns (1 + tanh u) / 2.
func geluTanhGate(x float64) float64 {
	return 1 / (1 + math.Exp(-2*geluTanhA*(x+geluTanhB*x*x*x)))
}

// GELUTanhGrad computes gx[i] = gy[i] (s + 2 x s (1-s) du/dx) with s = (1 + tanh u) / 2; gx[i] += ... if acc.
func GELUTanhGrad[T Float](gx, gy, x []T, acc bool) { each2(&geluTanhGradElem, gx, gy, x, 0, 0, acc) }

func geluTanhGradGeneric[T Float](gx, gy, x []T, _, _ T, acc bool) {
	for i := range gx {
		v := min(max(float64(x[i]), -normalTail), normalTail)
		du := geluTanhA * (1 + 3*geluTanhB*v*v)
		// s (1-s) from exp(-2|u|), which keeps its digits where s is near 1.
		e := math.Exp(-2 * geluTanhA * math.Abs(v) * (1 + geluTanhB*v*v))
		put(&gx[i], gy[i]*T(geluTanhGate(v)+2*v*du*e/((1+e)*(1+e))), acc)
	}
}
