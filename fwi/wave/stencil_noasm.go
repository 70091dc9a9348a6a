//go:build !amd64 || purego

package wave

// fastStencil returns the best implementation of this processor: there is none but the plain one.
func fastStencil() func(*strip[float32]) { return nil }

func fastCorrelate() func(sum, q, wave []float32, quiet float32) { return nil }
