package main

import "fmt"

// The AVX-512 kernels: tiles of 1 to 14 rows by 32 columns (28 accumulators, two registers for a row of B, two for
// elements of A), a twin with masked columns, and one with a single masked vector for tails of up to 16.
func avx512(w *asm) {
	tiles512(w, "gemmAVX512", "gemm512", func(b, a, acc int) { w.Op("VFMADD231PS Z%d, Z%d, Z%d", b, a, acc) })
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
	w.Raw("\n// func %s(t *tile)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", function, function)
	w.Op("MOVQ t+0(FP), DI")
	w.Label("tile")
	w.Op("MOVQ %d(DI), R13", offKind)
	w.Op("LEAQ %stable<>(SB), R12", name)
	w.Op("MOVQ (R12)(R13*8), R13")
	x86Load(w)
	w.Op("KMOVW %d(DI), K1", offMask)
	w.Op("KMOVW %d(DI), K2", offMask+4)
	w.Op("LEAQ (R8)(R8*4), R12")
	w.Op("LEAQ (R12)(R8*2), DX")
	w.Op("ADDQ AX, DX // row 7")
	w.Op("CALL R13")
	w.Op("DECQ %d(DI)", offMore)
	w.Op("JLT done")
	for _, step := range [][2]int{{offB, offBNext}, {offC, offCNext}, {offInit, offInitNext}} {
		w.Op("MOVQ %d(DI), AX", step[1])
		w.Op("ADDQ AX, %d(DI)", step[0])
	}
	w.Op("JMP tile")
	w.Label("done")
	w.Op("RET")
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
	w.Raw("\n%sGLOBL %stable<>(SB), RODATA|NOPTR, $%d\n", table, name, 8*kind)
}

// x86Load reads the tile: AX a, BX b, SI next, R8 row of A, R9 step of A, R10 step of B, R11 three rows of A, CX k.
func x86Load(w *asm) {
	for _, l := range []struct {
		off int
		reg string
	}{{offA, "AX"}, {offB, "BX"}, {offNext, "SI"}, {offARow, "R8"}, {offAStep, "R9"}, {offBStep, "R10"}, {offK, "CX"}} {
		w.Op("MOVQ %d(DI), %s", l.off, l.reg)
	}
	w.Op("LEAQ (R8)(R8*2), R11")
}

func tile512(w *asm, name string, rows, vectors int, masked bool, mul func(b, a, acc int)) {
	acc := func(i, v int) string { return fmt.Sprintf("Z%d", i*vectors+v) }
	w.Raw("\nTEXT %s<>(SB), NOSPLIT|NOFRAME, $0-0\n", name)
	w.Op("MOVQ %d(DI), R13", offInit)
	w.Op("CMPQ %d(DI), $%d", offMode, modeLoad)
	w.Op("JEQ load")
	// C is written without being read: fetch its lines for the stores at the end.
	w.Op("MOVQ %d(DI), R14", offC)
	w.Op("MOVQ %d(DI), R15", offCRow)
	for i := range rows {
		for v := range vectors {
			w.Op("PREFETCHT0 %d(R14)", 64*v)
		}
		if i+1 < rows {
			w.Op("ADDQ R15, R14")
		}
	}
	w.Op("CMPQ %d(DI), $%d", offMode, modeRow)
	w.Op("JEQ bias")
	for i := range rows {
		for v := range vectors {
			w.Op("VPXORD %s, %s, %s", acc(i, v), acc(i, v), acc(i, v))
		}
	}
	w.Op("JMP start")
	w.Label("bias")
	for i := range rows {
		for v := range vectors {
			w.Op("VBROADCASTSS %d(R13), %s", 4*i, acc(i, v))
		}
	}
	w.Op("JMP start")
	w.Label("load")
	w.Op("MOVQ %d(DI), R15", offInitRow)
	for i := range rows {
		for v := range vectors {
			if masked {
				w.Op("VMOVUPS.Z %d(R13), K%d, %s", 64*v, v+1, acc(i, v))
			} else {
				w.Op("VMOVUPS %d(R13), %s", 64*v, acc(i, v))
			}
		}
		if i+1 < rows {
			w.Op("ADDQ R15, R13")
		}
	}
	w.Label("start")
	w.Op("MOVQ %d(DI), R14", offAhead)
	w.Op("LEAQ (R12)(R8*2), R15")
	w.Op("ADDQ SI, R15")
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
		w.Op("PREFETCHT0 %s", rowAddr("SI", "R15", i))
	}
	w.Op("ADDQ $64, SI")
	w.Op("ADDQ $64, R15")
	w.Raw("\tPCALIGN $64\n")
	w.Label("step")
	for v := range vectors {
		if masked {
			w.Op("VMOVUPS.Z %d(BX), K%d, Z%d", 64*v, v+1, 28+v)
		} else {
			w.Op("VMOVUPS %d(BX), Z%d", 64*v, 28+v)
			w.Op("PREFETCHT0 %d(BX)(R14*1)", 64*v)
		}
	}
	w.Op("ADDQ R10, BX")
	for i := range rows {
		w.Op("VBROADCASTSS %s, Z%d", rowAddr("AX", "DX", i), 30+i%2)
		for v := range vectors {
			mul(28+v, 30+i%2, i*vectors+v)
		}
	}
	w.Op("ADDQ R9, AX")
	w.Op("ADDQ R9, DX")
	w.Op("DECQ R13")
	w.Op("JNE step")
	w.Op("JMP group")
	w.Label("store")
	w.Op("MOVQ %d(DI), R14", offC)
	w.Op("MOVQ %d(DI), R15", offCRow)
	for i := range rows {
		for v := range vectors {
			if masked {
				w.Op("VMOVUPS %s, K%d, %d(R14)", acc(i, v), v+1, 64*v)
			} else {
				w.Op("VMOVUPS %s, %d(R14)", acc(i, v), 64*v)
			}
		}
		if i+1 < rows {
			w.Op("ADDQ R15, R14")
		}
	}
	w.Op("VZEROUPPER")
	w.Op("RET")
}

// rowAddr is the address of row i of A, 0 to 13: rows 0 to 6 from base, 7 to 13 from high.
func rowAddr(base, high string, i int) string {
	if i >= 7 {
		base, i = high, i-7
	}
	return fmt.Sprintf("(%s)", base) + []string{"", "(R8*1)", "(R8*2)", "(R11*1)", "(R8*4)", "(R12*1)", "(R11*2)"}[i]
}
