package main

// Mandatory prefixes of instructions as EVEX encodes them.
const (
	prefixF3 = 2
	prefixF2 = 3
)

// evex writes an instruction that Go's assembler does not know: opcode of map 0F38 with registers b (the last operand in Intel's
// order), a and dst, 512 bits wide.
func (w *asm) evex(name string, prefix, opcode, b, a, dst int) {
	not := func(x, bit int) int { return ^(x >> bit) & 1 }
	p0 := not(dst, 3)<<7 | not(b, 4)<<6 | not(b, 3)<<5 | not(dst, 4)<<4 | 2
	p1 := ^a&15<<3 | 4 | prefix
	p2 := 2<<5 | not(a, 4)<<3
	w.Op("LONG $0x%02x%02x%02x62; WORD $0x%02x%02x // %s Z%d, Z%d, Z%d", p2, p1, p0, 0xc0|dst&7<<3|b&7, opcode, name, b, a, dst)
}

// pairRow writes (n+1)/2 words that hold two elements each, rounded, the first in the low half; a missing one is 0.
func pairRow(w *asm) {
	w.Raw("\n// func pairRowBF16(dst, src unsafe.Pointer, n int)\nTEXT ·pairRowBF16(SB), NOSPLIT, $0-24\n")
	w.Op("MOVQ dst+0(FP), DI")
	w.Op("MOVQ src+8(FP), SI")
	w.Op("MOVQ n+16(FP), CX")
	w.Label("step")
	w.Op("CMPQ CX, $32")
	w.Op("JLT tail")
	w.Op("VMOVUPS (SI), Z0")
	w.Op("VMOVUPS 64(SI), Z1")
	w.evex("VCVTNE2PS2BF16", prefixF2, 0x72, 0, 1, 2)
	w.Op("VMOVUPS Z2, (DI)")
	w.Op("ADDQ $128, SI")
	w.Op("ADDQ $64, DI")
	w.Op("SUBQ $32, CX")
	w.Op("JMP step")
	w.Label("tail")
	w.Op("TESTQ CX, CX")
	w.Op("JEQ done")
	w.Op("MOVL $1, AX")
	w.Op("SHLXQ CX, AX, AX")
	w.Op("DECQ AX")
	w.Op("KMOVW AX, K1")
	w.Op("SHRQ $16, AX")
	w.Op("KMOVW AX, K2")
	w.Op("INCQ CX")
	w.Op("SHRQ $1, CX")
	w.Op("MOVL $1, AX")
	w.Op("SHLXQ CX, AX, AX")
	w.Op("DECQ AX")
	w.Op("KMOVW AX, K3")
	w.Op("VMOVUPS.Z (SI), K1, Z0")
	w.Op("VMOVUPS.Z 64(SI), K2, Z1")
	w.evex("VCVTNE2PS2BF16", prefixF2, 0x72, 0, 1, 2)
	w.Op("VMOVUPS Z2, K3, (DI)")
	w.Label("done")
	w.Op("VZEROUPPER")
	w.Op("RET")
}

// pairPieces rounds and interleaves rows two by two: word j of piece i of pair p, at dst + p*dstRow + at[i].dst, holds element j
// of rows 2p and 2p+1, the first in the low half. A piece has 16 words, or 32 if wide is 1; the last reads and writes only those
// of the masks. What lies four pairs ahead is fetched.
func pairPieces(w *asm) {
	w.Raw("\n")
	for i := range 8 {
		w.Raw("DATA pairOrder<>+%d(SB)/8, $0x%04x%04x%04x%04x\n", 8*i, 2*i+17, 2*i+1, 2*i+16, 2*i)
	}
	w.Raw("GLOBL pairOrder<>(SB), RODATA|NOPTR, $64\n")
	w.Raw("\n// func pairPiecesBF16(p *pairPieces)\nTEXT ·pairPiecesBF16(SB), NOSPLIT, $0-8\n")
	w.Op("MOVQ p+0(FP), AX")
	for i, reg := range []string{"DI", "SI", "R8", "R9", "CX", "DX", "BX"} { // dst, src, dstRow, srcRow, rows, n, wide
		w.Op("MOVQ %d(AX), %s", 8*i, reg)
	}
	w.Op("KMOVW 56(AX), K1")
	w.Op("KMOVW 60(AX), K2")
	w.Op("ADDQ $64, AX // at")
	w.Op("VMOVUPS pairOrder<>(SB), Z31")
	w.Op("LEAQ (R9)(R9*1), R10")
	w.Op("LEAQ (SI)(R10*4), R11")
	w.Op("DECQ DX")
	w.Op("TESTQ BX, BX")
	w.Op("JNE wide")
	half := func(disp int, masked string) {
		for r, at := range []string{"(SI)(R14*1)", "(R15)(R14*1)"} {
			if masked != "" {
				w.Op("VMOVUPS.Z %d%s, %s, Z%d", disp, at, masked, r)
			} else {
				w.Op("VMOVUPS %d%s, Z%d", disp, at, r)
			}
		}
		w.evex("VCVTNE2PS2BF16", prefixF2, 0x72, 0, 1, 2)
		w.Op("VPERMW Z2, Z31, Z2")
		if masked != "" {
			w.Op("VMOVUPS Z2, %s, %d(DI)(R13*1)", masked, disp)
		} else {
			w.Op("VMOVUPS Z2, %d(DI)(R13*1)", disp)
		}
	}
	for _, label := range []string{"narrow", "wide"} {
		w.Label("%s", label)
		w.Op("LEAQ (SI)(R9*1), R15")
		w.Op("MOVQ AX, R12")
		w.Op("MOVQ DX, BX")
		next := func() {
			w.Op("MOVQ (R12), R13")
			w.Op("MOVQ 8(R12), R14")
			w.Op("ADDQ $16, R12")
			w.Op("PREFETCHT0 (R11)(R14*1)")
			if label == "wide" {
				w.Op("PREFETCHT0 64(R11)(R14*1)")
			}
		}
		w.Op("TESTQ BX, BX")
		w.Op("JEQ %sLast", label)
		w.Label("%sPiece", label)
		next()
		half(0, "")
		if label == "wide" {
			half(64, "")
		}
		w.Op("DECQ BX")
		w.Op("JNE %sPiece", label)
		w.Label("%sLast", label)
		next()
		half(0, "K1")
		if label == "wide" {
			half(64, "K2")
		}
		w.Op("ADDQ R10, SI")
		w.Op("ADDQ R10, R11")
		w.Op("ADDQ R8, DI")
		w.Op("DECQ CX")
		w.Op("JNE %s", label)
		w.Op("VZEROUPPER")
		w.Op("RET")
	}
}
