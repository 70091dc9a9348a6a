package conform

import (
	"fmt"
	"math"
)

// What bfloat16 may change outputs and gradients by. One product is off by about 2^-9 = 0.2 %; depth adds up, and small
// differences of large numbers do more.
const outputLimit, gradientLimit = 0.05, 0.25

// outputDeviation returns |got - want| / |want|.
func outputDeviation(name string, want []float64, got func(i int) float64) (float64, error) {
	sum, size := 0.0, 0.0
	for i, w := range want {
		d := got(i) - w
		sum, size = sum+d*d, size+w*w
	}
	return limited("output "+name, sum, size, outputLimit)
}

// gradientDeviation returns |got - want| / |want| of all gradients as one vector.
func (c *testCase) gradientDeviation(list []gradient) (float64, error) {
	sum, size := 0.0, 0.0
	for _, g := range list {
		if g.got != nil && len(g.got) != len(g.want) {
			return 0, fmt.Errorf("gradient of %s has %d elements, want %d", g.name, len(g.got), len(g.want))
		}
		for i, w := range g.want {
			d := -float64(w)
			if g.got != nil {
				d += float64(g.got[i])
			}
			sum, size = sum+d*d, size+float64(w)*float64(w)
		}
	}
	return limited("gradients", sum, size, gradientLimit)
}

func limited(what string, sum, size, limit float64) (float64, error) {
	e := math.Sqrt(ratio(sum, size))
	if !(e <= limit) {
		return e, fmt.Errorf("%s: off by %.2g of their size, more than %.2g", what, e, limit)
	}
	return e, nil
}
