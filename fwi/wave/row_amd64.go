//go:build !purego

package wave

import "golang.org/x/sys/cpu"

var (
	hasAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasFMA
	hasAVX512 = hasAVX2 && cpu.X86.HasAVX512F
)

// fastRow returns the best rowFunc of this processor, or nil. It works on whole vectors: rows have room for a multiple of lane
// cells, of which those past the last become mid where accel and keep are zero, and mid may be read one vector further.
func fastRow() rowFunc[float32] {
	switch {
	case hasAVX512:
		return rowAVX512
	case hasAVX2:
		return rowAVX2
	}
	return nil
}

func rowAVX512(prev, mid, n1, n2, s1, s2, accel, keep []float32) {
	lap4AVX512(&prev[0], &mid[halo], &n1[0], &n2[0], &s1[0], &s2[0], &accel[0], &keep[0], (len(prev)+lane-1)/lane)
}

func rowAVX2(prev, mid, n1, n2, s1, s2, accel, keep []float32) {
	lap4AVX2(&prev[0], &mid[halo], &n1[0], &n2[0], &s1[0], &s2[0], &accel[0], &keep[0], (len(prev)+lane-1)/lane)
}

// Both advance blocks times lane cells from the given addresses on.
//
//go:noescape
func lap4AVX512(prev, mid, n1, n2, s1, s2, accel, keep *float32, blocks int)

//go:noescape
func lap4AVX2(prev, mid, n1, n2, s1, s2, accel, keep *float32, blocks int)
