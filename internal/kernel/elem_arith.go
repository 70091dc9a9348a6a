package kernel

var (
	addElem       = elem{"Add", addGeneric[float32], addGeneric[float64]}
	subElem       = elem{"Sub", subGeneric[float32], subGeneric[float64]}
	mulElem       = elem{"Mul", mulGeneric[float32], mulGeneric[float64]}
	mulAddElem    = elem{"MulAdd", mulGeneric[float32], mulGeneric[float64]}
	divElem       = elem{"Div", divGeneric[float32], divGeneric[float64]}
	scaleElem     = elem{"Scale", scaleGeneric[float32], scaleGeneric[float64]}
	axpyElem      = elem{"Axpy", scaleGeneric[float32], scaleGeneric[float64]}
	addScalarElem = elem{"AddScalar", addScalarGeneric[float32], addScalarGeneric[float64]}
	addScaledElem = elem{"AddScaled", addScaledGeneric[float32], addScaledGeneric[float64]}
)

// Add computes dst[i] = x[i] + y[i]. Here and in every element-wise kernel all slices have one length, and dst may be one of
// the operands.
func Add[T Float](dst, x, y []T) { each2(&addElem, dst, x, y, 0, 0, false) }

func addGeneric[T Float](dst, x, y []T, _, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], x[i]+y[i], acc)
	}
}

// Sub computes dst[i] = x[i] - y[i].
func Sub[T Float](dst, x, y []T) { each2(&subElem, dst, x, y, 0, 0, false) }

func subGeneric[T Float](dst, x, y []T, _, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], x[i]-y[i], acc)
	}
}

// Mul computes dst[i] = x[i] * y[i].
func Mul[T Float](dst, x, y []T) { each2(&mulElem, dst, x, y, 0, 0, false) }

// MulAdd computes dst[i] += x[i] * y[i].
func MulAdd[T Float](dst, x, y []T) { each2(&mulAddElem, dst, x, y, 0, 0, true) }

func mulGeneric[T Float](dst, x, y []T, _, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], x[i]*y[i], acc)
	}
}

// Div computes dst[i] = x[i] / y[i].
func Div[T Float](dst, x, y []T) { each2(&divElem, dst, x, y, 0, 0, false) }

func divGeneric[T Float](dst, x, y []T, _, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], x[i]/y[i], acc)
	}
}

// Scale computes dst[i] = a x[i].
func Scale[T Float](dst, x []T, a T) { each(&scaleElem, dst, x, nil, a, 0, false) }

// Axpy computes dst[i] += a x[i].
func Axpy[T Float](dst []T, a T, x []T) { each(&axpyElem, dst, x, nil, a, 0, true) }

func scaleGeneric[T Float](dst, x, _ []T, a, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], a*x[i], acc)
	}
}

// AddScalar computes dst[i] = x[i] + a.
func AddScalar[T Float](dst, x []T, a T) { each(&addScalarElem, dst, x, nil, a, 0, false) }

func addScalarGeneric[T Float](dst, x, _ []T, a, _ T, acc bool) {
	for i := range dst {
		put(&dst[i], x[i]+a, acc)
	}
}

// AddScaled computes dst[i] = a x[i] + b y[i].
func AddScaled[T Float](dst []T, a T, x []T, b T, y []T) {
	each2(&addScaledElem, dst, x, y, a, b, false)
}

func addScaledGeneric[T Float](dst, x, y []T, a, b T, acc bool) {
	for i := range dst {
		put(&dst[i], a*x[i]+b*y[i], acc)
	}
}

var scaleShiftElem = elem{"ScaleShift", scaleShiftGeneric[float32], scaleShiftGeneric[float64]}

// ScaleShift computes dst[i] = a x[i] + b.
func ScaleShift[T Float](dst, x []T, a, b T) { each(&scaleShiftElem, dst, x, nil, a, b, false) }

func scaleShiftGeneric[T Float](dst, x, _ []T, a, b T, acc bool) {
	for i := range dst {
		put(&dst[i], a*x[i]+b, acc)
	}
}
