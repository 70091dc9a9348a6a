package kernel

import "math"

// The gradients below take the derivative from whichever of x and y = f(x) gives it at the least cost. gx, gy and the saved
// operand have one length; gx is overwritten, or added to if acc; it may be gy.

var (
	expElem         = elem{"Exp", expGeneric[float32], expGeneric[float64]}
	logElem         = elem{"Log", logGeneric[float32], logGeneric[float64]}
	logGradElem     = elem{"LogGrad", divGeneric[float32], divGeneric[float64]}
	log1pElem       = elem{"Log1p", log1pGeneric[float32], log1pGeneric[float64]}
	log1pGradElem   = elem{"Log1pGrad", log1pGradGeneric[float32], log1pGradGeneric[float64]}
	sqrtElem        = elem{"Sqrt", sqrtGeneric[float32], sqrtGeneric[float64]}
	sqrtGradElem    = elem{"SqrtGrad", sqrtGradGeneric[float32], sqrtGradGeneric[float64]}
	absElem         = elem{"Abs", absGeneric[float32], absGeneric[float64]}
	absGradElem     = elem{"AbsGrad", absGradGeneric[float32], absGradGeneric[float64]}
	tanhElem        = elem{"Tanh", tanhGeneric[float32], tanhGeneric[float64]}
	tanhGradElem    = elem{"TanhGrad", tanhGradGeneric[float32], tanhGradGeneric[float64]}
	sigmoidElem     = elem{"Sigmoid", sigmoidGeneric[float32], sigmoidGeneric[float64]}
	sigmoidGradElem = elem{"SigmoidGrad", sigmoidGradGeneric[float32], sigmoidGradGeneric[float64]}
	expGradElem     = elem{"ExpGrad", mulGeneric[float32], mulGeneric[float64]}
	powElem         = elem{"Pow", powGeneric[float32], powGeneric[float64]}
	powGradElem     = elem{"PowGrad", powGradGeneric[float32], powGradGeneric[float64]}
)

// Exp computes dst[i] = exp(x[i]).
func Exp[T Float](dst, x []T) { each(&expElem, dst, x, nil, 0, 0, false) }

func expGeneric[T Float](dst, x, _ []T, _, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], T(math.Exp(float64(x[i]))), acc)
	}
}

// ExpGrad computes gx[i] = gy[i] y[i], where y = exp(x).
func ExpGrad[T Float](gx, gy, y []T, acc bool) { each2(&expGradElem, gx, gy, y, 0, 0, acc) }

// Log computes dst[i] = ln x[i].
func Log[T Float](dst, x []T) { each(&logElem, dst, x, nil, 0, 0, false) }

func logGeneric[T Float](dst, x, _ []T, _, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], T(math.Log(float64(x[i]))), acc)
	}
}

// LogGrad computes gx[i] = gy[i] / x[i].
func LogGrad[T Float](gx, gy, x []T, acc bool) { each2(&logGradElem, gx, gy, x, 0, 0, acc) }

// Log1p computes dst[i] = ln(1 + x[i]).
func Log1p[T Float](dst, x []T) { each(&log1pElem, dst, x, nil, 0, 0, false) }

func log1pGeneric[T Float](dst, x, _ []T, _, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], T(math.Log1p(float64(x[i]))), acc)
	}
}

// Log1pGrad computes gx[i] = gy[i] / (1 + x[i]).
func Log1pGrad[T Float](gx, gy, x []T, acc bool) { each2(&log1pGradElem, gx, gy, x, 0, 0, acc) }

func log1pGradGeneric[T Float](gx, gy, x []T, _, _ T, acc bool) {
	for i := range gx {
		put(&gx[i], gy[i]/(1+x[i]), acc)
	}
}

// Sqrt computes dst[i] = sqrt(x[i]).
func Sqrt[T Float](dst, x []T) { each(&sqrtElem, dst, x, nil, 0, 0, false) }

func sqrtGeneric[T Float](dst, x, _ []T, _, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], T(math.Sqrt(float64(x[i]))), acc)
	}
}

// SqrtGrad computes gx[i] = gy[i] / (2 y[i]), where y = sqrt(x).
func SqrtGrad[T Float](gx, gy, y []T, acc bool) { each2(&sqrtGradElem, gx, gy, y, 0, 0, acc) }

func sqrtGradGeneric[T Float](gx, gy, y []T, _, _ T, acc bool) {
	for i := range gx {
		put(&gx[i], gy[i]/(2*y[i]), acc)
	}
}

// Abs computes dst[i] = |x[i]|.
func Abs[T Float](dst, x []T) { each(&absElem, dst, x, nil, 0, 0, false) }

func absGeneric[T Float](dst, x, _ []T, _, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], T(math.Abs(float64(x[i]))), acc)
	}
}

// AbsGrad computes gx[i] = gy[i] sign(x[i]), where sign(0) = 0.
func AbsGrad[T Float](gx, gy, x []T, acc bool) { each2(&absGradElem, gx, gy, x, 0, 0, acc) }

func absGradGeneric[T Float](gx, gy, x []T, _, _ T, acc bool) {
	for i := range gx {
		var v T
		switch {
		case x[i] > 0:
			v = gy[i]
		case x[i] < 0:
			v = -gy[i]
		case x[i] != x[i]:
			v = x[i]
		}
		put(&gx[i], v, acc)
	}
}

// Tanh computes dst[i] = tanh(x[i]).
func Tanh[T Float](dst, x []T) { each(&tanhElem, dst, x, nil, 0, 0, false) }

func tanhGeneric[T Float](dst, x, _ []T, _, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], T(math.Tanh(float64(x[i]))), acc)
	}
}

// TanhGrad computes gx[i] = gy[i] (1 - y[i]^2), where y = tanh(x).
func TanhGrad[T Float](gx, gy, y []T, acc bool) { each2(&tanhGradElem, gx, gy, y, 0, 0, acc) }

func tanhGradGeneric[T Float](gx, gy, y []T, _, _ T, acc bool) {
	for i := range gx {
		put(&gx[i], gy[i]*(1-y[i]*y[i]), acc)
	}
}

// Sigmoid computes dst[i] = 1 / (1 + exp(-x[i])).
func Sigmoid[T Float](dst, x []T) { each(&sigmoidElem, dst, x, nil, 0, 0, false) }

func sigmoidGeneric[T Float](dst, x, _ []T, _, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], T(1/(1+math.Exp(-float64(x[i])))), acc)
	}
}

// SigmoidGrad computes gx[i] = gy[i] y[i] (1 - y[i]), where y = sigmoid(x).
func SigmoidGrad[T Float](gx, gy, y []T, acc bool) { each2(&sigmoidGradElem, gx, gy, y, 0, 0, acc) }

func sigmoidGradGeneric[T Float](gx, gy, y []T, _, _ T, acc bool) {
	for i := range gx {
		put(&gx[i], gy[i]*y[i]*(1-y[i]), acc)
	}
}

// Pow computes dst[i] = x[i]^p.
func Pow[T Float](dst, x []T, p T) { each(&powElem, dst, x, nil, p, 0, false) }

func powGeneric[T Float](dst, x, _ []T, p, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], T(math.Pow(float64(x[i]), float64(p))), acc)
	}
}

// PowGrad computes gx[i] = gy[i] p x[i]^(p-1).
func PowGrad[T Float](gx, gy, x []T, p T, acc bool) { each2(&powGradElem, gx, gy, x, p, 0, acc) }

func powGradGeneric[T Float](gx, gy, x []T, p, _ T, acc bool) {
	for i := range gx {
		put(&gx[i], gy[i]*p*T(math.Pow(float64(x[i]), float64(p-1))), acc)
	}
}
