//go:build purego || !amd64

package kernel

// fastWinograd is false: convolutions are products of patches.
var fastWinograd = false

func winogradInputFast(dst, src *float32, stride, pitch, n uintptr) {}

func winogradOutputFast(dst, src *float32, stride, pitch, n uintptr, bias float32) {}
