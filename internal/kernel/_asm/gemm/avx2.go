package main

import "fmt"

// The AVX2 kernels: tiles of 1 to 6 rows by 16 columns (12 accumulators, two registers for a row of B, two for elements
// of A).
func avx2(w *asm) {
	const rows = 6
	w.Raw("\n// func gemmAVX2(t *tile)\nTEXT ·gemmAVX2(SB), NOSPLIT, $0-8\n")
	w.Op("MOVQ t+0(FP), DI")
	w.Op("MOVQ %d(DI), R13", offKind)
	w.Op("LEAQ gemm256table<>(SB), R12")
	w.Op("MOVQ (R12)(R13*8), R13")
	x86Load(w)
	w.Op("LEAQ (R8)(R8*4), R12")
	w.Op("JMP R13")
	table := ""
	for r := 1; r <= rows; r++ {
		name := fmt.Sprintf("gemm256x%d", r)
		tile256(w, name, r)
		table += fmt.Sprintf("DATA gemm256table<>+%d(SB)/8, $%s<>(SB)\n", 8*(r-1), name)
	}
	transpose8(w)
	copyPieces(w)
	w.Raw("\n%sGLOBL gemm256table<>(SB), RODATA|NOPTR, $%d\n", table, 8*rows)
}

func tile256(w *asm, name string, rows int) {
	acc := func(i, v int) string { return fmt.Sprintf("Y%d", i*2+v) }
	w.Raw("\nTEXT %s<>(SB), NOSPLIT|NOFRAME, $0-0\n", name)
	w.Op("MOVQ %d(DI), R13", offInit)
	w.Op("CMPQ %d(DI), $%d", offMode, modeLoad)
	w.Op("JEQ load")
	w.Op("MOVQ %d(DI), R14", offC)
	w.Op("MOVQ %d(DI), R15", offCRow)
	for i := range rows {
		w.Op("PREFETCHT0 (R14)")
		w.Op("PREFETCHT0 60(R14)")
		if i+1 < rows {
			w.Op("ADDQ R15, R14")
		}
	}
	w.Op("CMPQ %d(DI), $%d", offMode, modeRow)
	w.Op("JEQ bias")
	for i := range rows {
		for v := range 2 {
			w.Op("VXORPS %s, %s, %s", acc(i, v), acc(i, v), acc(i, v))
		}
	}
	w.Op("JMP start")
	w.Label("bias")
	for i := range rows {
		for v := range 2 {
			w.Op("VBROADCASTSS %d(R13), %s", 4*i, acc(i, v))
		}
	}
	w.Op("JMP start")
	w.Label("load")
	w.Op("MOVQ %d(DI), R15", offInitRow)
	for i := range rows {
		for v := range 2 {
			w.Op("VMOVUPS %d(R13), %s", 32*v, acc(i, v))
		}
		if i+1 < rows {
			w.Op("ADDQ R15, R13")
		}
	}
	w.Label("start")
	w.Op("MOVQ %d(DI), R14", offAhead)
	w.Label("group")
	w.Op("MOVQ $%d, R13", prefetchEvery)
	w.Op("CMPQ CX, R13")
	w.Op("CMOVQLT CX, R13")
	w.Op("SUBQ R13, CX")
	w.Op("TESTQ R13, R13")
	w.Op("JEQ store")
	w.Op("TESTQ SI, SI")
	w.Op("JEQ step")
	for i := range rows {
		w.Op("PREFETCHT0 %s", rowAddr("SI", "", i))
	}
	w.Op("ADDQ $64, SI")
	w.Raw("\tPCALIGN $32\n")
	w.Label("step")
	w.Op("VMOVUPS (BX), Y12")
	w.Op("VMOVUPS 32(BX), Y13")
	w.Op("PREFETCHT0 (BX)(R14*1)")
	w.Op("ADDQ R10, BX")
	for i := range rows {
		w.Op("VBROADCASTSS %s, Y%d", rowAddr("AX", "", i), 14+i%2)
		for v := range 2 {
			w.Op("VFMADD231PS Y%d, Y%d, %s", 12+v, 14+i%2, acc(i, v))
		}
	}
	w.Op("ADDQ R9, AX")
	w.Op("DECQ R13")
	w.Op("JNE step")
	w.Op("JMP group")
	w.Label("store")
	w.Op("MOVQ %d(DI), R14", offC)
	w.Op("MOVQ %d(DI), R15", offCRow)
	for i := range rows {
		for v := range 2 {
			w.Op("VMOVUPS %s, %d(R14)", acc(i, v), 32*v)
		}
		if i+1 < rows {
			w.Op("ADDQ R15, R14")
		}
	}
	w.Op("VZEROUPPER")
	w.Op("RET")
}

// transpose8 writes the transpose of 8 rows of 4*n elements: each step loads four elements of every row, two rows to a
// register, and transposes four by four in both halves.
func transpose8(w *asm) {
	w.Raw("\n// func transpose8AVX2(dst, src unsafe.Pointer, dstRow, srcRow uintptr, n int)\nTEXT ·transpose8AVX2(SB), NOSPLIT, $0-40\n")
	w.Op("MOVQ dst+0(FP), DI")
	w.Op("MOVQ src+8(FP), SI")
	w.Op("MOVQ dstRow+16(FP), R8")
	w.Op("MOVQ srcRow+24(FP), R9")
	w.Op("MOVQ n+32(FP), CX")
	w.Op("LEAQ (R9)(R9*2), R10")
	w.Op("LEAQ (SI)(R9*4), DX")
	w.Op("LEAQ (R8)(R8*2), R11")
	w.Raw("\tPCALIGN $32\n")
	w.Label("step")
	for i, row := range []string{"", "(R9*1)", "(R9*2)", "(R10*1)"} {
		w.Op("VMOVUPS (SI)%s, X%d", row, i)
		w.Op("VINSERTF128 $1, (DX)%s, Y%d, Y%d", row, i, i)
	}
	w.Op("VUNPCKLPS Y1, Y0, Y4")
	w.Op("VUNPCKHPS Y1, Y0, Y5")
	w.Op("VUNPCKLPS Y3, Y2, Y6")
	w.Op("VUNPCKHPS Y3, Y2, Y7")
	w.Op("VUNPCKLPD Y6, Y4, Y0")
	w.Op("VUNPCKHPD Y6, Y4, Y1")
	w.Op("VUNPCKLPD Y7, Y5, Y2")
	w.Op("VUNPCKHPD Y7, Y5, Y3")
	for i, row := range []string{"", "(R8*1)", "(R8*2)", "(R11*1)"} {
		w.Op("VMOVUPS Y%d, (DI)%s", i, row)
	}
	w.Op("ADDQ $16, SI")
	w.Op("ADDQ $16, DX")
	w.Op("LEAQ (DI)(R8*4), DI")
	w.Op("DECQ CX")
	w.Op("JNE step")
	w.Op("VZEROUPPER")
	w.Op("RET")
}

// copyPieces copies rows of pieces: piece i of row p goes from src + rowAt[p] + at[i].src to dst + p*dstRow + at[i].dst,
// for i < n and p < rows, both at least 1. A piece has 64 bytes, or 128. What lies four rows ahead is fetched.
func copyPieces(w *asm) {
	w.Raw("\n// func copyPiecesAVX2(p *pieces)\nTEXT ·copyPiecesAVX2(SB), NOSPLIT, $0-8\n")
	w.Op("MOVQ p+0(FP), AX")
	for i, reg := range []string{"DI", "SI", "R8", "R9", "CX", "DX", "BX"} { // dst, src, dstRow, rowAt, rows, n, wide
		w.Op("MOVQ %d(AX), %s", 8*i, reg)
	}
	w.Op("ADDQ $56, AX // at")
	w.Op("TESTQ BX, BX")
	w.Op("JNE wide")
	for _, v := range []struct {
		label string
		parts int
	}{{"narrow", 2}, {"wide", 4}} {
		w.Label("%s", v.label)
		w.Op("MOVQ (R9), R10")
		w.Op("MOVQ 32(R9), R11")
		w.Op("ADDQ SI, R10")
		w.Op("ADDQ SI, R11")
		w.Op("MOVQ AX, R12")
		w.Op("MOVQ DX, R15")
		w.Label("%sPiece", v.label)
		w.Op("MOVQ (R12), R13")
		w.Op("MOVQ 8(R12), R14")
		w.Op("ADDQ $16, R12")
		for i := 0; i < v.parts; i += 2 {
			w.Op("PREFETCHT0 %d(R11)(R14*1)", 32*i)
		}
		for i := range v.parts {
			w.Op("VMOVUPS %d(R10)(R14*1), Y%d", 32*i, i)
		}
		for i := range v.parts {
			w.Op("VMOVUPS Y%d, %d(DI)(R13*1)", i, 32*i)
		}
		w.Op("DECQ R15")
		w.Op("JNE %sPiece", v.label)
		w.Op("ADDQ R8, DI")
		w.Op("ADDQ $8, R9")
		w.Op("DECQ CX")
		w.Op("JNE %s", v.label)
		w.Op("VZEROUPPER")
		w.Op("RET")
	}
}
