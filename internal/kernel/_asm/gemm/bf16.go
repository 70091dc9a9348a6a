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
	w.op("LONG $0x%02x%02x%02x62; WORD $0x%02x%02x // %s Z%d, Z%d, Z%d", p2, p1, p0, 0xc0|dst&7<<3|b&7, opcode, name, b, a, dst)
}

// pairRow writes (n+1)/2 words that hold two elements each, rounded, the first in the low half; a missing one is 0.
func pairRow(w *asm) {
	w.raw("\n// func pairRowBF16(dst, src unsafe.Pointer, n int)\nTEXT ·pairRowBF16(SB), NOSPLIT, $0-24\n")
	w.op("MOVQ dst+0(FP), DI")
	w.op("MOVQ src+8(FP), SI")
	w.op("MOVQ n+16(FP), CX")
	w.label("step")
	w.op("CMPQ CX, $32")
	w.op("JLT tail")
	w.op("VMOVUPS (SI), Z0")
	w.op("VMOVUPS 64(SI), Z1")
	w.evex("VCVTNE2PS2BF16", prefixF2, 0x72, 0, 1, 2)
	w.op("VMOVUPS Z2, (DI)")
	w.op("ADDQ $128, SI")
	w.op("ADDQ $64, DI")
	w.op("SUBQ $32, CX")
	w.op("JMP step")
	w.label("tail")
	w.op("TESTQ CX, CX")
	w.op("JEQ done")
	w.op("MOVL $1, AX")
	w.op("SHLXQ CX, AX, AX")
	w.op("DECQ AX")
	w.op("KMOVW AX, K1")
	w.op("SHRQ $16, AX")
	w.op("KMOVW AX, K2")
	w.op("INCQ CX")
	w.op("SHRQ $1, CX")
	w.op("MOVL $1, AX")
	w.op("SHLXQ CX, AX, AX")
	w.op("DECQ AX")
	w.op("KMOVW AX, K3")
	w.op("VMOVUPS.Z (SI), K1, Z0")
	w.op("VMOVUPS.Z 64(SI), K2, Z1")
	w.evex("VCVTNE2PS2BF16", prefixF2, 0x72, 0, 1, 2)
	w.op("VMOVUPS Z2, K3, (DI)")
	w.label("done")
	w.op("VZEROUPPER")
	w.op("RET")
}

// pairPieces rounds and interleaves rows two by two: word j of piece i of pair p, at dst + p*dstRow + at[i].dst, holds element j
// of rows 2p and 2p+1, the first in the low half. A piece has 16 words, or 32 if wide is 1; the last reads and writes only those
// of the masks. What lies four pairs ahead is fetched.
func pairPieces(w *asm) {
	w.raw("\n")
	for i := range 8 {
		w.raw("DATA pairOrder<>+%d(SB)/8, $0x%04x%04x%04x%04x\n", 8*i, 2*i+17, 2*i+1, 2*i+16, 2*i)
	}
	w.raw("GLOBL pairOrder<>(SB), RODATA|NOPTR, $64\n")
	w.raw("\n// func pairPiecesBF16(p *pairPieces)\nTEXT ·pairPiecesBF16(SB), NOSPLIT, $0-8\n")
	w.op("MOVQ p+0(FP), AX")
	for i, reg := range []string{"DI", "SI", "R8", "R9", "CX", "DX", "BX"} { // dst, src, dstRow, srcRow, rows, n, wide
		w.op("MOVQ %d(AX), %s", 8*i, reg)
	}
	w.op("KMOVW 56(AX), K1")
	w.op("KMOVW 60(AX), K2")
	w.op("ADDQ $64, AX // at")
	w.op("VMOVUPS pairOrder<>(SB), Z31")
	w.op("LEAQ (R9)(R9*1), R10")
	w.op("LEAQ (SI)(R10*4), R11")
	w.op("DECQ DX")
	w.op("TESTQ BX, BX")
	w.op("JNE wide")
	half := func(disp int, masked string) {
		for r, at := range []string{"(SI)(R14*1)", "(R15)(R14*1)"} {
			if masked != "" {
				w.op("VMOVUPS.Z %d%s, %s, Z%d", disp, at, masked, r)
			} else {
				w.op("VMOVUPS %d%s, Z%d", disp, at, r)
			}
		}
		w.evex("VCVTNE2PS2BF16", prefixF2, 0x72, 0, 1, 2)
		w.op("VPERMW Z2, Z31, Z2")
		if masked != "" {
			w.op("VMOVUPS Z2, %s, %d(DI)(R13*1)", masked, disp)
		} else {
			w.op("VMOVUPS Z2, %d(DI)(R13*1)", disp)
		}
	}
	for _, label := range []string{"narrow", "wide"} {
		w.label("%s", label)
		w.op("LEAQ (SI)(R9*1), R15")
		w.op("MOVQ AX, R12")
		w.op("MOVQ DX, BX")
		next := func() {
			w.op("MOVQ (R12), R13")
			w.op("MOVQ 8(R12), R14")
			w.op("ADDQ $16, R12")
			w.op("PREFETCHT0 (R11)(R14*1)")
			if label == "wide" {
				w.op("PREFETCHT0 64(R11)(R14*1)")
			}
		}
		w.op("TESTQ BX, BX")
		w.op("JEQ %sLast", label)
		w.label("%sPiece", label)
		next()
		half(0, "")
		if label == "wide" {
			half(64, "")
		}
		w.op("DECQ BX")
		w.op("JNE %sPiece", label)
		w.label("%sLast", label)
		next()
		half(0, "K1")
		if label == "wide" {
			half(64, "K2")
		}
		w.op("ADDQ R10, SI")
		w.op("ADDQ R10, R11")
		w.op("ADDQ R8, DI")
		w.op("DECQ CX")
		w.op("JNE %s", label)
		w.op("VZEROUPPER")
		w.op("RET")
	}
}
