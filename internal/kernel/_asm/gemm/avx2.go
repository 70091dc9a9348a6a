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
