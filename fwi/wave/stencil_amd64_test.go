//go:build !purego

package wave

// implementations returns every way to advance a strip that this processor has.
func implementations() map[string]func(*strip[float32]) {
	all := map[string]func(*strip[float32]){"generic": stencilGeneric[float32]}
	if hasAVX2 {
		all["avx2"] = stencilAVX2
	}
	if hasAVX512 {
		all["avx512"] = stencilAVX512
	}
	return all
}

func correlators() map[string]func(sum, q, wave []float32, quiet float32) {
	all := map[string]func(sum, q, wave []float32, quiet float32){"generic": correlateGeneric[float32]}
	if hasAVX2 {
		all["avx2"] = correlateRowAVX2
	}
	if hasAVX512 {
		all["avx512"] = correlateRowAVX512
	}
	return all
}
