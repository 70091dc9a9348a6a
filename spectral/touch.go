package spectral

// touch reads one element of every cache line of x, in order, so that the hardware's prefetchers fetch the whole at the speed of a
// stream before code with strided or backward accesses, or scattered stores, gets to it. The caller stores the result where it
// does no harm, or the loop would be dead.
func touch(x []float32) float32 {
	const line = 16
	var a, b, c, d float32
	for ; len(x) >= 4*line; x = x[4*line:] {
		a += x[0]
		b += x[line]
		c += x[2*line]
		d += x[3*line]
	}
	for i := 0; i < len(x); i += line {
		a += x[i]
	}
	return a + b + c + d
}
