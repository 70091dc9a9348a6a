package main

import "fmt"

// The AVX-512 kernels: tiles of 1 to 14 rows by 32 columns (28 accumulators, two registers for a row of B, two for
// elements of A), a twin with masked columns, and one with a single masked vector for tails of up to 16.
func avx512(w *asm) {
	tiles512(w, "gemmAVX512", "gemm512", func(b, a, acc int) { w.op("VFMADD231PS Z%d, Z%d, Z%d", b, a, acc) })
}

// bf16 are the same kernels on pairs of bfloat16, and what packs them.
func bf16(w *asm) {
	tiles512(w, "gemmBF16", "gemmPair", func(b, a, acc int) { w.evex("VDPBF16PS", prefixF3, 0x52, b, a, acc) })
	pairRow(w)
	pairPieces(w)
}

// tiles512 writes the kernels, of which mul adds the product of registers b and a to acc, and function name, which calls them.
func tiles512(w *asm, function, name string, mul func(b, a, acc int)) {
	const rows = 14
	w.raw("\n// func %s(t *tile)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", function, function)
	w.op("MOVQ t+0(FP), DI")
	w.label("tile")
	w.op("MOVQ %d(DI), R13", offKind)
	w.op("LEAQ %stable<>(SB), R12", name)
	w.op("MOVQ (R12)(R13*8), R13")
	x86Load(w)
	w.op("KMOVW %d(DI), K1", offMask)
	w.op("KMOVW %d(DI), K2", offMask+4)
	w.op("LEAQ (R8)(R8*4), R12")
	w.op("LEAQ (R12)(R8*2), DX")
	w.op("ADDQ AX, DX // row 7")
	w.op("CALL R13")
	w.op("DECQ %d(DI)", offMore)
	w.op("JLT done")
	for _, step := range [][2]int{{offB, offBNext}, {offC, offCNext}, {offInit, offInitNext}} {
		w.op("MOVQ %d(DI), AX", step[1])
		w.op("ADDQ AX, %d(DI)", step[0])
	}
	w.op("JMP tile")
	w.label("done")
	w.op("RET")
	kind := 0
	table := ""
	for _, v := range []struct {
		vectors int
		masked  bool
	}{{2, false}, {2, true}, {1, true}} {
		for r := 1; r <= rows; r++ {
			tile := fmt.Sprintf("%sx%dx%d", name, r, v.vectors)
			if v.masked {
				tile += "m"
			}
			tile512(w, tile, r, v.vectors, v.masked, mul)
			table += fmt.Sprintf("DATA %stable<>+%d(SB)/8, $%s<>(SB)\n", name, 8*kind, tile)
			kind++
		}
	}
	w.raw("\n%sGLOBL %stable<>(SB), RODATA|NOPTR, $%d\n", table, name, 8*kind)
}

// x86Load reads the tile: AX a, BX b, SI next, R8 row of A, R9 step of A, R10 step of B, R11 three rows of A, CX k.
func x86Load(w *asm) {
	for _, l := range []struct {
		off int
		reg string
	}{{offA, "AX"}, {offB, "BX"}, {offNext, "SI"}, {offARow, "R8"}, {offAStep, "R9"}, {offBStep, "R10"}, {offK, "CX"}} {
		w.op("MOVQ %d(DI), %s", l.off, l.reg)
	}
	w.op("LEAQ (R8)(R8*2), R11")
}

func tile512(w *asm, name string, rows, vectors int, masked bool, mul func(b, a, acc int)) {
	acc := func(i, v int) string { return fmt.Sprintf("Z%d", i*vectors+v) }
	w.raw("\nTEXT %s<>(SB), NOSPLIT|NOFRAME, $0-0\n", name)
	w.op("MOVQ %d(DI), R13", offInit)
	w.op("CMPQ %d(DI), $%d", offMode, modeLoad)
	w.op("JEQ load")
	// C is written without being read: fetch its lines for the stores at the end.
	w.op("MOVQ %d(DI), R14", offC)
	w.op("MOVQ %d(DI), R15", offCRow)
	for i := range rows {
		for v := range vectors {
			w.op("PREFETCHT0 %d(R14)", 64*v)
		}
		if i+1 < rows {
			w.op("ADDQ R15, R14")
		}
	}
	w.op("CMPQ %d(DI), $%d", offMode, modeRow)
	w.op("JEQ bias")
	for i := range rows {
		for v := range vectors {
			w.op("VPXORD %s, %s, %s", acc(i, v), acc(i, v), acc(i, v))
		}
	}
	w.op("JMP start")
	w.label("bias")
	for i := range rows {
		for v := range vectors {
			w.op("VBROADCASTSS %d(R13), %s", 4*i, acc(i, v))
		}
	}
	w.op("JMP start")
	w.label("load")
	w.op("MOVQ %d(DI), R15", offInitRow)
	for i := range rows {
		for v := range vectors {
			if masked {
				w.op("VMOVUPS.Z %d(R13), K%d, %s", 64*v, v+1, acc(i, v))
			} else {
				w.op("VMOVUPS %d(R13), %s", 64*v, acc(i, v))
			}
		}
		if i+1 < rows {
			w.op("ADDQ R15, R13")
		}
	}
	w.label("start")
	w.op("MOVQ %d(DI), R14", offAhead)
	w.op("LEAQ (R12)(R8*2), R15")
	w.op("ADDQ SI, R15")
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
		w.op("PREFETCHT0 %s", rowAddr("SI", "R15", i))
	}
	w.op("ADDQ $64, SI")
	w.op("ADDQ $64, R15")
	w.raw("\tPCALIGN $64\n")
	w.label("step")
	for v := range vectors {
		if masked {
			w.op("VMOVUPS.Z %d(BX), K%d, Z%d", 64*v, v+1, 28+v)
		} else {
			w.op("VMOVUPS %d(BX), Z%d", 64*v, 28+v)
			w.op("PREFETCHT0 %d(BX)(R14*1)", 64*v)
		}
	}
	w.op("ADDQ R10, BX")
	for i := range rows {
		w.op("VBROADCASTSS %s, Z%d", rowAddr("AX", "DX", i), 30+i%2)
		for v := range vectors {
			mul(28+v, 30+i%2, i*vectors+v)
		}
	}
	w.op("ADDQ R9, AX")
	w.op("ADDQ R9, DX")
	w.op("DECQ R13")
	w.op("JNE step")
	w.op("JMP group")
	w.label("store")
	w.op("MOVQ %d(DI), R14", offC)
	w.op("MOVQ %d(DI), R15", offCRow)
	for i := range rows {
		for v := range vectors {
			if masked {
				w.op("VMOVUPS %s, K%d, %d(R14)", acc(i, v), v+1, 64*v)
			} else {
				w.op("VMOVUPS %s, %d(R14)", acc(i, v), 64*v)
			}
		}
		if i+1 < rows {
			w.op("ADDQ R15, R14")
		}
	}
	w.op("VZEROUPPER")
	w.op("RET")
}

// rowAddr is the address of row i of A, 0 to 13: rows 0 to 6 from base, 7 to 13 from high.
func rowAddr(base, high string, i int) string {
	if i >= 7 {
		base, i = high, i-7
	}
	return fmt.Sprintf("(%s)", base) + []string{"", "(R8*1)", "(R8*2)", "(R11*1)", "(R8*4)", "(R12*1)", "(R11*2)"}[i]
}
