package npy

import (
	"encoding/binary"
	"unsafe"
)

// bytesOf returns the memory of x, if it holds numbers as a file of type d in that byte order has them.
func bytesOf[T number](x []T, d DType, big bool) ([]byte, bool) {
	if d != typeOf[T]() || big != nativeBig || len(x) == 0 {
		return nil, false
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), len(x)*d.Size()), true
}

// nativeBig is set on machines that store the most significant byte first.
var nativeBig = binary.NativeEndian.Uint16([]byte{1, 0}) != 1
