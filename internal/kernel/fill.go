package kernel

// Fill sets every element of dst to a.
func Fill[T Float](dst []T, a T) {
	if len(dst) <= elemGrain {
		fill(dst, a)
		return
	}
	ParallelWith(len(dst), elemGrain, fillCall[T]{dst, a})
}

type fillCall[T Float] struct {
	dst []T
	a   T
}

func (c *fillCall[T]) Chunk(lo, hi int) { fill(c.dst[lo:hi], c.a) }
