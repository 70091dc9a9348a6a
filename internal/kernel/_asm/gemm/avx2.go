package main

import "fmt"

// The AVX2 kernels: tiles of 1 to 6 rows by 16 columns (12 accumulators, two registers for a row of B, two for elements
// of A).
func avx2(w *asm) {
	const rows = 6
	w.raw("\n// func gemmAVX2(t *tile)\nTEXT ·gemmAVX2(SB), NOSPLIT, $0-8\n")
	w.op("MOVQ t+0(FP), DI")
	w.op("MOVQ %d(DI), R13", offKind)
	w.op("LEAQ gemm256table<>(SB), R12")
	w.op("MOVQ (R12)(R13*8), R13")
	x86Load(w)
	w.op("LEAQ (R8)(R8*4), R12")
	w.op("JMP R13")
	table := ""
	for r := 1; r <= rows; r++ {
		name := fmt.Sprintf("gemm256x%d", r)
		tile256(w, name, r)
		table += fmt.Sprintf("DATA gemm256table<>+%d(SB)/8, $%s<>(SB)\n", 8*(r-1), name)
	}
	transpose8(w)
	copyPieces(w)
	w.raw("\n%sGLOBL gemm256table<>(SB), RODATA|NOPTR, $%d\n", table, 8*rows)
}

func tile256(w *asm, name string, rows int) {
	acc := func(i, v int) string { return fmt.Sprintf("Y%d", i*2+v) }
	w.raw("\nTEXT %s<>(SB), NOSPLIT|NOFRAME, $0-0\n", name)
	w.op("MOVQ %d(DI), R13", offInit)
	w.op("CMPQ %d(DI), $%d", offMode, modeLoad)
	w.op("JEQ load")
	w.op("MOVQ %d(DI), R14", offC)
	w.op("MOVQ %d(DI), R15", offCRow)
	for i := range rows {
		w.op("PREFETCHT0 (R14)")
		w.op("PREFETCHT0 60(R14)")
		if i+1 < rows {
			w.op("ADDQ R15, R14")
		}
	}
	w.op("CMPQ %d(DI), $%d", offMode, modeRow)
	w.op("JEQ bias")
	for i := range rows {
		for v := range 2 {
			w.op("VXORPS %s, %s, %s", acc(i, v), acc(i, v), acc(i, v))
		}
	}
	w.op("JMP start")
	w.label("bias")
	for i := range rows {
		for v := range 2 {
			w.op("VBROADCASTSS %d(R13), %s", 4*i, acc(i, v))
		}
	}
	w.op("JMP start")
	w.label("load")
	w.op("MOVQ %d(DI), R15", offInitRow)
	for i := range rows {
		for v := range 2 {
			w.op("VMOVUPS %d(R13), %s", 32*v, acc(i, v))
		}
		if i+1 < rows {
			w.op("ADDQ R15, R13")
		}
	}
	w.label("start")
	w.op("MOVQ %d(DI), R14", offAhead)
	w.label("group")
	w.op("MOVQ $%d, R13", prefetchEvery)
	w.op("CMPQ CX, R13")
	w.op("CMOVQLT CX, R13")
	w.op("SUBQ R13, CX")
	w.op("TESTQ R13, R13")
	w.op("JEQ store")
	w.op("TESTQ SI, SI")
	w.op("JEQ step")
	for i := range rows {
		w.op("PREFETCHT0 %s", rowAddr("SI", "", i))
	}
	w.op("ADDQ $64, SI")
	w.raw("\tPCALIGN $32\n")
	w.label("step")
	w.op("VMOVUPS (BX), Y12")
	w.op("VMOVUPS 32(BX), Y13")
	w.op("PREFETCHT0 (BX)(R14*1)")
	w.op("ADDQ R10, BX")
	for i := range rows {
		w.op("VBROADCASTSS %s, Y%d", rowAddr("AX", "", i), 14+i%2)
		for v := range 2 {
			w.op("VFMADD231PS Y%d, Y%d, %s", 12+v, 14+i%2, acc(i, v))
		}
	}
	w.op("ADDQ R9, AX")
	w.op("DECQ R13")
	w.op("JNE step")
	w.op("JMP group")
	w.label("store")
	w.op("MOVQ %d(DI), R14", offC)
	w.op("MOVQ %d(DI), R15", offCRow)
	for i := range rows {
		for v := range 2 {
			w.op("VMOVUPS %s, %d(R14)", acc(i, v), 32*v)
		}
		if i+1 < rows {
			w.op("ADDQ R15, R14")
		}
	}
	w.op("VZEROUPPER")
	w.op("RET")
}

// transpose8 writes the transpose of 8 rows of 4*n elements: each step loads four elements of every row, two rows to a
// register, and transposes four by four in both halves.
func transpose8(w *asm) {
	w.raw("\n// func transpose8AVX2(dst, src unsafe.Pointer, dstRow, srcRow uintptr, n int)\nTEXT ·transpose8AVX2(SB), NOSPLIT, $0-40\n")
	w.op("MOVQ dst+0(FP), DI")
	w.op("MOVQ src+8(FP), SI")
	w.op("MOVQ dstRow+16(FP), R8")
	w.op("MOVQ srcRow+24(FP), R9")
	w.op("MOVQ n+32(FP), CX")
	w.op("LEAQ (R9)(R9*2), R10")
	w.op("LEAQ (SI)(R9*4), DX")
	w.op("LEAQ (R8)(R8*2), R11")
	w.raw("\tPCALIGN $32\n")
	w.label("step")
	for i, row := range []string{"", "(R9*1)", "(R9*2)", "(R10*1)"} {
		w.op("VMOVUPS (SI)%s, X%d", row, i)
		w.op("VINSERTF128 $1, (DX)%s, Y%d, Y%d", row, i, i)
	}
	w.op("VUNPCKLPS Y1, Y0, Y4")
	w.op("VUNPCKHPS Y1, Y0, Y5")
	w.op("VUNPCKLPS Y3, Y2, Y6")
	w.op("VUNPCKHPS Y3, Y2, Y7")
	w.op("VUNPCKLPD Y6, Y4, Y0")
	w.op("VUNPCKHPD Y6, Y4, Y1")
	w.op("VUNPCKLPD Y7, Y5, Y2")
	w.op("VUNPCKHPD Y7, Y5, Y3")
	for i, row := range []string{"", "(R8*1)", "(R8*2)", "(R11*1)"} {
		w.op("VMOVUPS Y%d, (DI)%s", i, row)
	}
	w.op("ADDQ $16, SI")
	w.op("ADDQ $16, DX")
	w.op("LEAQ (DI)(R8*4), DI")
	w.op("DECQ CX")
	w.op("JNE step")
	w.op("VZEROUPPER")
	w.op("RET")
}

// copyPieces copies rows of pieces: piece i of row p goes from src + rowAt[p] + at[i].src to dst + p*dstRow + at[i].dst,
// for i < n and p < rows, both at least 1. A piece has 64 bytes, or 128. What lies four rows ahead is fetched.
func copyPieces(w *asm) {
	w.raw("\n// func copyPiecesAVX2(p *pieces)\nTEXT ·copyPiecesAVX2(SB), NOSPLIT, $0-8\n")
	w.op("MOVQ p+0(FP), AX")
	for i, reg := range []string{"DI", "SI", "R8", "R9", "CX", "DX", "BX"} { // dst, src, dstRow, rowAt, rows, n, wide
		w.op("MOVQ %d(AX), %s", 8*i, reg)
	}
	w.op("ADDQ $56, AX // at")
	w.op("TESTQ BX, BX")
	w.op("JNE wide")
	for _, v := range []struct {
		label string
		parts int
	}{{"narrow", 2}, {"wide", 4}} {
		w.label("%s", v.label)
		w.op("MOVQ (R9), R10")
		w.op("MOVQ 32(R9), R11")
		w.op("ADDQ SI, R10")
		w.op("ADDQ SI, R11")
		w.op("MOVQ AX, R12")
		w.op("MOVQ DX, R15")
		w.label("%sPiece", v.label)
		w.op("MOVQ (R12), R13")
		w.op("MOVQ 8(R12), R14")
		w.op("ADDQ $16, R12")
		for i := 0; i < v.parts; i += 2 {
			w.op("PREFETCHT0 %d(R11)(R14*1)", 32*i)
		}
		for i := range v.parts {
			w.op("VMOVUPS %d(R10)(R14*1), Y%d", 32*i, i)
		}
		for i := range v.parts {
			w.op("VMOVUPS Y%d, %d(DI)(R13*1)", i, 32*i)
		}
		w.op("DECQ R15")
		w.op("JNE %sPiece", v.label)
		w.op("ADDQ R8, DI")
		w.op("ADDQ $8, R9")
		w.op("DECQ CX")
		w.op("JNE %s", v.label)
		w.op("VZEROUPPER")
		w.op("RET")
	}
}
