package spectral

import (
	"fmt"
	"math"
)

// signed returns the integer frequency of bin i of a transform of n points, from -n/2 to (n-1)/2.
func signed(i, n int) int {
	if i >= (n+1)/2 {
		return i - n
	}
	return i
}

// Frequencies returns the integer frequencies of the bins of a transform of n points: 0, 1, .., -n/2, .., -1.
func Frequencies(n int) []int {
	if n < 0 {
		panic(fmt.Sprintf("spectral: Frequencies: %d points; want 0 or more", n))
	}
	f := make([]int, n)
	for i := range f {
		f[i] = signed(i, n)
	}
	return f
}

// Radius returns, for every bin of the transform over a grid n (row-major, not shifted), |k| over the largest |k|: 0 at the constant
// mode and 1 in the corner. k holds the integer frequencies over their Nyquist values, so that axes of different length count alike.
func Radius(n ...int) []float64 { return radius(n, false) }

// RadiusHalf is Radius for a half spectrum: the last axis has n/2+1 bins.
func RadiusHalf(n ...int) []float64 { return radius(n, true) }

func radius(n []int, half bool) []float64 {
	sum := []float64{0}
	for a, size := range n {
		bins := size
		if half && a == len(n)-1 {
			bins = size/2 + 1
		}
		next := make([]float64, 0, len(sum)*bins)
		for _, s := range sum {
			for i := range bins {
				k := 2 * float64(signed(i, size)) / float64(size)
				next = append(next, s+k*k)
			}
		}
		sum = next
	}
	// The largest |k| of an axis is 1, or 1 - 1/n where n is odd.
	largest := 0.0
	for _, size := range n {
		k := 2 * float64(size/2) / float64(size)
		largest += k * k
	}
	for i, s := range sum {
		if largest > 0 {
			sum[i] = math.Sqrt(s / largest)
		}
	}
	return sum
}
