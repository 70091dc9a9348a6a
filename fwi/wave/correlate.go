package wave

// correlateGeneric adds the product of two fields, q without the constant that stands for zero in it, to sum. All have the same
// length, a multiple of lane.
//
//	sum += (q - quiet) wave
func correlateGeneric[T Float](sum, q, wave []T, quiet T) {
	q, wave = q[:len(sum)], wave[:len(sum)]
	for i, x := range q {
		sum[i] += T((x - quiet) * wave[i])
	}
}
