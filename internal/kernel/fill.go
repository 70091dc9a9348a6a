package kernel

// Fill sets every element of dst to a.
func Fill[T Float](dst []T, a T) {
	Parallel(len(dst), elemGrain, func(lo, hi int) { fill(dst[lo:hi], a) })
}
