package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose moves blocks of 8 x 8 float32 in AVX registers: r rows of src, c rows of dst, both multiples of 8. Distances between
// rows are in elements.
func transpose() {
	TEXT("transposeBlocksAVX2", NOSPLIT, "func(dst []float32, ldd int, src []float32, lds, r, c int)")
	Pragma("noescape")
	dst := Load(Param("dst").Base(), GP64())
	src := Load(Param("src").Base(), GP64())
	ldd := Load(Param("ldd"), GP64())
	lds := Load(Param("lds"), GP64())
	r := Load(Param("r"), GP64())
	c := Load(Param("c"), GP64())
	SHLQ(U8(2), ldd)
	SHLQ(U8(2), lds)
	ldd3, lds3 := GP64(), GP64()
	LEAQ(Mem{Base: ldd, Index: ldd, Scale: 2}, ldd3)
	LEAQ(Mem{Base: lds, Index: lds, Scale: 2}, lds3)
	s, d, left := GP64(), GP64(), GP64()

	Label("rows")
	TESTQ(r, r)
	JEQ(LabelRef("end"))
	MOVQ(src, s)
	MOVQ(dst, d)
	MOVQ(c, left)
	Label("columns")
	half := GP64()
	at := func(base, ld, ld3, half reg.Register, i int) Mem {
		if i >= 4 {
			base = half
		}
		switch i % 4 {
		case 1:
			return Mem{Base: base, Index: ld, Scale: 1}
		case 2:
			return Mem{Base: base, Index: ld, Scale: 2}
		case 3:
			return Mem{Base: base, Index: ld3, Scale: 1}
		}
		return Mem{Base: base}
	}
	LEAQ(Mem{Base: s, Index: lds, Scale: 4}, half)
	var a, b [8]reg.VecVirtual
	// Rows i and i+4 side by side, in halves of four columns: then all that is left is 4 x 4 blocks within 128-bit lanes.
	for i := range 4 {
		for h := range 2 {
			v := YMM()
			lo, hi := at(s, lds, lds3, half, i), at(s, lds, lds3, half, i+4)
			lo.Disp, hi.Disp = 16*h, 16*h
			VMOVUPS(lo, v.AsX())
			VINSERTF128(U8(1), hi, v, v)
			a[4*h+i] = v
		}
	}
	for h := 0; h < 8; h += 4 {
		for i := range 2 {
			b[h+2*i], b[h+2*i+1] = YMM(), YMM()
			VUNPCKLPS(a[h+2*i+1], a[h+2*i], b[h+2*i])
			VUNPCKHPS(a[h+2*i+1], a[h+2*i], b[h+2*i+1])
		}
		// b: (0,1 low), (0,1 high), (2,3 low), (2,3 high)
		for i := range 2 {
			for k := range 2 {
				v := YMM()
				if k == 0 {
					VUNPCKLPD(b[h+2+i], b[h+i], v)
				} else {
					VUNPCKHPD(b[h+2+i], b[h+i], v)
				}
				a[h+2*i+k] = v
			}
		}
	}
	LEAQ(Mem{Base: d, Index: ldd, Scale: 4}, half)
	for i, v := range a {
		VMOVUPS(v, at(d, ldd, ldd3, half, i))
	}
	ADDQ(I8(32), s)
	LEAQ(Mem{Base: d, Index: ldd, Scale: 8}, d)
	SUBQ(I8(8), left)
	JNE(LabelRef("columns"))
	LEAQ(Mem{Base: src, Index: lds, Scale: 8}, src)
	ADDQ(I8(32), dst)
	SUBQ(I8(8), r)
	JMP(LabelRef("rows"))
	Label("end")
	VZEROUPPER()
	RET()
}
