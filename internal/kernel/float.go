package kernel

import "unsafe"

// Float is the element type of every kernel. Models compute in float32, which has assembly where it pays; the float64
// instantiation runs the generic bodies and serves gradient checks.
type Float interface{ float32 | float64 }

// float32s is x where T is float32.
func float32s[T Float](x []T) []float32 { return *(*[]float32)(unsafe.Pointer(&x)) }
