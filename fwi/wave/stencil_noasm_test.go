//go:build !amd64 || purego

package wave

// implementations returns every way to advance a strip that this processor has.
func implementations() map[string]func(*strip[float32]) {
	return map[string]func(*strip[float32]){"generic": stencilGeneric[float32]}
}

func correlators() map[string]func(sum, q, wave []float32, quiet float32) {
	return map[string]func(sum, q, wave []float32, quiet float32){"generic": correlateGeneric[float32]}
}
