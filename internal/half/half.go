// Package half converts the 16-bit floating-point numbers that files hold.
package half

import "math"

// ToFloat32 converts a number of IEEE 754 binary16, which has 1 bit of sign, 5 of exponent e and 10 of fraction f:
//
//	(-1)^s 2^(e-15) (1 + f/1024)   for 0 < e < 31
//	(-1)^s 2^-14 f/1024            for e = 0
//
// e = 31 is an infinity (f = 0) or not a number. Every value is exact in float32.
func ToFloat32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	e, f := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch e {
	case 0:
		return math.Float32frombits(math.Float32bits(float32(f)*0x1p-24) | sign)
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | f<<13)
	}
	return math.Float32frombits(sign | (e+127-15)<<23 | f<<13)
}

// BrainToFloat32 converts a bfloat16 number: the upper half of a float32.
func BrainToFloat32(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
