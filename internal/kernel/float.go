package kernel

// Float is the element type of every kernel. Models compute in float32, which has assembly where it pays; the float64
// instantiation runs the generic bodies and serves gradient checks.
type Float interface{ float32 | float64 }
