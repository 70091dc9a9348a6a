package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/spamoe/spamoe/internal/half"
)

// DType is the type of a tensor's elements, by its name in the file.
type DType string

// The types that are read and written.
const (
	F16  DType = "F16"
	BF16 DType = "BF16"
	F32  DType = "F32"
	F64  DType = "F64"
	I8   DType = "I8"
	I16  DType = "I16"
	I32  DType = "I32"
	I64  DType = "I64"
	U8   DType = "U8"
	Bool DType = "BOOL"
	C64  DType = "C64" // complex numbers of two float32
)

// Size is the number of bytes of one element, 0 for a type that is not known here.
func (d DType) Size() int {
	switch d {
	case F64, I64, C64:
		return 8
	case F32, I32:
		return 4
	case F16, BF16, I16:
		return 2
	case I8, U8, Bool:
		return 1
	}
	return 0
}

// IsFloat reports whether the elements are real floating-point numbers.
func (d DType) IsFloat() bool { return d == F16 || d == BF16 || d == F32 || d == F64 }

// IsInteger reports whether the elements are integers or truth values.
func (d DType) IsInteger() bool {
	switch d {
	case I8, I16, I32, I64, U8, Bool:
		return true
	}
	return false
}

type number interface{ float32 | float64 | int64 }

// decode converts the elements in b; a C64 element gives two.
func decode[T number](dst []T, d DType, b []byte) {
	le := binary.LittleEndian
	switch d {
	case F16:
		for i := range dst {
			dst[i] = T(half.ToFloat32(le.Uint16(b[2*i:])))
		}
	case BF16:
		for i := range dst {
			dst[i] = T(half.BrainToFloat32(le.Uint16(b[2*i:])))
		}
	case F32, C64:
		for i := range dst {
			dst[i] = T(math.Float32frombits(le.Uint32(b[4*i:])))
		}
	case F64:
		for i := range dst {
			dst[i] = T(math.Float64frombits(le.Uint64(b[8*i:])))
		}
	case I8:
		for i := range dst {
			dst[i] = T(int8(b[i]))
		}
	case I16:
		for i := range dst {
			dst[i] = T(int16(le.Uint16(b[2*i:])))
		}
	case I32:
		for i := range dst {
			dst[i] = T(int32(le.Uint32(b[4*i:])))
		}
	case I64:
		for i := range dst {
			dst[i] = T(int64(le.Uint64(b[8*i:])))
		}
	case U8:
		for i := range dst {
			dst[i] = T(b[i])
		}
	case Bool:
		for i := range dst {
			dst[i] = 0
			if b[i] != 0 {
				dst[i] = 1
			}
		}
	default:
		panic(fmt.Sprintf("checkpoint: decode: unknown dtype %q", d))
	}
}
