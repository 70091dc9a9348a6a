package npy

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/spamoe/spamoe/internal/half"
)

// DType is the type of an array's elements, by NumPy's name for it.
type DType string

// The types that are read.
const (
	Float16 DType = "float16"
	Float32 DType = "float32"
	Float64 DType = "float64"
	Int8    DType = "int8"
	Int16   DType = "int16"
	Int32   DType = "int32"
	Int64   DType = "int64"
	Uint8   DType = "uint8"
	Uint16  DType = "uint16"
	Uint32  DType = "uint32"
	Uint64  DType = "uint64"
	Bool    DType = "bool"
)

var byCode = map[string]DType{
	"f2": Float16, "f4": Float32, "f8": Float64,
	"i1": Int8, "i2": Int16, "i4": Int32, "i8": Int64,
	"u1": Uint8, "u2": Uint16, "u4": Uint32, "u8": Uint64,
	"b1": Bool, "?": Bool,
}

// Size is the number of bytes of one element.
func (d DType) Size() int {
	switch d {
	case Float64, Int64, Uint64:
		return 8
	case Float32, Int32, Uint32:
		return 4
	case Float16, Int16, Uint16:
		return 2
	}
	return 1
}

// IsFloat reports whether the elements are floating-point numbers.
func (d DType) IsFloat() bool { return d == Float16 || d == Float32 || d == Float64 }

const readable = "float16, float32, float64, int8 to int64, uint8 to uint64 or bool"

// parseDType reads NumPy's notation, such as <f4: byte order (< little, > big, | none, = or nothing: that of this format's
// usual writers, little), kind, bytes.
func parseDType(descr string) (d DType, big bool, err error) {
	code := descr
	if code != "" && strings.ContainsRune("<>|=", rune(code[0])) {
		big = code[0] == '>'
		code = code[1:]
	}
	if d, ok := byCode[code]; ok {
		return d, big, nil
	}
	what := ""
	if code != "" {
		switch code[0] {
		case 'O':
			what = " (Python objects)"
		case 'c':
			what = " (complex numbers)"
		case 'U', 'S', 'a':
			what = " (text)"
		case 'V':
			what = " (raw bytes)"
		case 'M', 'm':
			what = " (dates or times)"
		}
	}
	return "", false, fmt.Errorf("elements have dtype %q%s, want %s", descr, what, readable)
}

// number is what an accessor returns.
type number interface{ float32 | float64 | int64 }

func load16(b []byte, big bool) uint16 {
	if big {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func load32(b []byte, big bool) uint32 {
	if big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func load64(b []byte, big bool) uint64 {
	if big {
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}

// decode converts len(dst) elements of type d, the first at the start of b, the next step bytes further.
func decode[T number](dst []T, b []byte, step int, d DType, big bool) {
	switch d {
	case Float16:
		for i := range dst {
			dst[i] = T(half.ToFloat32(load16(b[i*step:], big)))
		}
	case Float32:
		for i := range dst {
			dst[i] = T(math.Float32frombits(load32(b[i*step:], big)))
		}
	case Float64:
		for i := range dst {
			dst[i] = T(math.Float64frombits(load64(b[i*step:], big)))
		}
	case Int8:
		for i := range dst {
			dst[i] = T(int8(b[i*step]))
		}
	case Int16:
		for i := range dst {
			dst[i] = T(int16(load16(b[i*step:], big)))
		}
	case Int32:
		for i := range dst {
			dst[i] = T(int32(load32(b[i*step:], big)))
		}
	case Int64:
		for i := range dst {
			dst[i] = T(int64(load64(b[i*step:], big)))
		}
	case Uint8:
		for i := range dst {
			dst[i] = T(b[i*step])
		}
	case Uint16:
		for i := range dst {
			dst[i] = T(load16(b[i*step:], big))
		}
	case Uint32:
		for i := range dst {
			dst[i] = T(load32(b[i*step:], big))
		}
	case Uint64:
		for i := range dst {
			dst[i] = T(load64(b[i*step:], big))
		}
	case Bool:
		for i := range dst {
			dst[i] = 0
			if b[i*step] != 0 {
				dst[i] = 1
			}
		}
	}
}
