//go:build !amd64 || purego

package wave

// rows returns every rowFunc that this processor can run.
func rows() map[string]rowFunc[float32] {
	return map[string]rowFunc[float32]{"generic": rowGeneric[float32]}
}
