package segy

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Format is the code of a sample's representation.
type Format int

// The formats that are read; the first five are also written.
const (
	IBM     Format = 1 // IBM System/360 floating point, 4 bytes
	Int32   Format = 2
	Int16   Format = 3
	Float32 Format = 5 // IEEE 754
	Int8    Format = 8
	Float64 Format = 6
	Uint32  Format = 10
	Uint16  Format = 11
	Uint8   Format = 16
)

// size is the number of bytes of a sample, zero for a format that is not read.
func (f Format) size() int {
	switch f {
	case Int8, Uint8:
		return 1
	case Int16, Uint16:
		return 2
	case IBM, Int32, Float32, Uint32:
		return 4
	case Float64:
		return 8
	}
	return 0
}

// String names the format.
func (f Format) String() string {
	switch f {
	case IBM:
		return "IBM float"
	case Int32:
		return "int32"
	case Int16:
		return "int16"
	case Float32:
		return "float32"
	case Int8:
		return "int8"
	case Float64:
		return "float64"
	case Uint32:
		return "uint32"
	case Uint16:
		return "uint16"
	case Uint8:
		return "uint8"
	}
	return fmt.Sprintf("format %d", int(f))
}

// decode converts raw samples to dst.
func (f Format) decode(dst []float32, raw []byte, order binary.ByteOrder) {
	for i := range dst {
		switch f {
		case IBM:
			dst[i] = float32(fromIBM(order.Uint32(raw[4*i:])))
		case Int32:
			dst[i] = float32(int32(order.Uint32(raw[4*i:])))
		case Int16:
			dst[i] = float32(int16(order.Uint16(raw[2*i:])))
		case Float32:
			dst[i] = math.Float32frombits(order.Uint32(raw[4*i:]))
		case Int8:
			dst[i] = float32(int8(raw[i]))
		case Float64:
			dst[i] = float32(math.Float64frombits(order.Uint64(raw[8*i:])))
		case Uint32:
			dst[i] = float32(order.Uint32(raw[4*i:]))
		case Uint16:
			dst[i] = float32(order.Uint16(raw[2*i:]))
		case Uint8:
			dst[i] = float32(raw[i])
		}
	}
}

// encode converts samples to big-endian raw ones. Integers are rounded, halves to even, and cut off at their range.
func (f Format) encode(raw []byte, src []float32) {
	whole := func(v float32, most float64) float64 {
		return min(max(math.RoundToEven(float64(v)), -most-1), most)
	}
	for i, v := range src {
		switch f {
		case IBM:
			binary.BigEndian.PutUint32(raw[4*i:], toIBM(v))
		case Int32:
			binary.BigEndian.PutUint32(raw[4*i:], uint32(int32(whole(v, math.MaxInt32))))
		case Int16:
			binary.BigEndian.PutUint16(raw[2*i:], uint16(int16(whole(v, math.MaxInt16))))
		case Float32:
			binary.BigEndian.PutUint32(raw[4*i:], math.Float32bits(v))
		case Int8:
			raw[i] = byte(int8(whole(v, math.MaxInt8)))
		}
	}
}

// fromIBM returns the value of an IBM floating-point number.
func fromIBM(bits uint32) float64 {
	v := math.Ldexp(float64(bits&0xffffff), 4*(int(bits>>24&0x7f)-64)-24)
	if bits>>31 != 0 {
		return -v
	}
	return v
}

// toIBM returns the IBM floating-point number nearest to v, which has up to three bits less precision. The range is larger than
// that of v.
func toIBM(v float32) uint32 {
	if v == 0 {
		return 0
	}
	fraction, exponent := math.Frexp(math.Abs(float64(v)))
	e := (exponent + 3) >> 2 // 16^e holds the magnitude
	f := math.RoundToEven(math.Ldexp(fraction, exponent-4*e+24))
	if f == 1<<24 {
		f /= 16
		e++
	}
	bits := uint32(e+64)<<24 | uint32(f)
	if v < 0 {
		bits |= 1 << 31
	}
	return bits
}
