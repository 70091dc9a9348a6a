package npy

import (
	"fmt"
	"math"
	"strings"
)

// FirstNonFinite is the index of the first element of x that is infinite or not a number, -1 if there is none.
func FirstNonFinite(x []float32) int {
	const exponent = 0x7f800000 // all ones in infinities and NaNs only
	for i, v := range x {
		if math.Float32bits(v)&exponent == exponent {
			return i
		}
	}
	return -1
}

// CheckFinite gives an error that names the first element of x that is infinite or not a number: its value, and its place in
// an array of this shape. name says what x is.
func CheckFinite(name string, x []float32, shape []int) error {
	i := FirstNonFinite(x)
	if i < 0 {
		return nil
	}
	place := make([]string, len(shape))
	rest := i
	for k := len(shape) - 1; k >= 0; k-- {
		if shape[k] > 0 {
			place[k], rest = fmt.Sprint(rest%shape[k]), rest/shape[k]
		}
	}
	return fmt.Errorf("npy: %s: element [%s] is %v, want finite numbers", name, strings.Join(place, ","), x[i])
}
