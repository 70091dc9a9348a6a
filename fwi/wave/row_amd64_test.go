//go:build !purego

package wave

// rows returns every rowFunc that this processor can run.
func rows() map[string]rowFunc[float32] {
	all := map[string]rowFunc[float32]{"generic": rowGeneric[float32]}
	if hasAVX2 {
		all["avx2"] = rowAVX2
	}
	if hasAVX512 {
		all["avx512"] = rowAVX512
	}
	return all
}
