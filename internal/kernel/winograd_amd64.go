//go:build !purego

package kernel

//go:generate go run -C _asm ./winograd -out ..

//go:noescape
func winogradInputAVX512(dst, src *float32, stride, pitch, n uintptr)

//go:noescape
func winogradOutputAVX512(dst, src *float32, stride, pitch, n uintptr, bias float32)

// fastWinograd says that the transforms have assembly.
var fastWinograd = hasAVX512

func winogradInputFast(dst, src *float32, stride, pitch, n uintptr) {
	winogradInputAVX512(dst, src, 4*stride, 4*pitch, n)
}

func winogradOutputFast(dst, src *float32, stride, pitch, n uintptr, bias float32) {
	winogradOutputAVX512(dst, src, 4*stride, 4*pitch, n, bias)
}
