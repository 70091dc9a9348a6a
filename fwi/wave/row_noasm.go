//go:build !amd64 || purego

package wave

// fastRow returns the best rowFunc of this processor: there is none but the plain one.
func fastRow() rowFunc[float32] { return nil }
