package main

import (
	"fmt"
	"strings"
)

// The NEON kernels: tiles of 1 to 6 rows by 16 columns (24 accumulators, four registers for a row of B, four for
// elements of A). Every row of A has a pointer of its own.
func neon(w *asm) {
	const rows = 6
	w.Raw("\n// func gemmNEON(t *tile)\nTEXT ·gemmNEON(SB), NOSPLIT, $0-8\n")
	w.Op("MOVD t+0(FP), R0")
	for _, l := range []struct {
		off int
		reg string
	}{{offA, "R1"}, {offB, "R2"}, {offARow, "R8"}, {offAStep, "R9"}, {offBStep, "R10"}, {offK, "R11"}, {offKind, "R12"},
		{offC, "R13"}, {offCRow, "R14"}, {offInit, "R15"}, {offInitRow, "R16"}, {offMode, "R17"}} {
		w.Op("MOVD %d(R0), %s", l.off, l.reg)
	}
	for i := 1; i < rows; i++ {
		w.Op("ADD R8, R%d, R%d", neonRow(i-1), neonRow(i))
	}
	for r := 1; r < rows; r++ {
		w.Op("CMP $%d, R12", r-1)
		w.Op("BEQ rows%d", r)
	}
	for r := rows; r >= 1; r-- {
		tileNEON(w, r)
	}
}

// neonRow is the register that points to row i of A.
func neonRow(i int) int { return []int{1, 3, 4, 5, 6, 7}[i] }

func tileNEON(w *asm, rows int) {
	four := func(first int) string {
		var s []string
		for v := range 4 {
			s = append(s, fmt.Sprintf("V%d.S4", first+v))
		}
		return "[" + strings.Join(s, ", ") + "]"
	}
	w.Label("rows%d", rows)
	w.Op("CMP $%d, R17", modeLoad)
	w.Op("BEQ load%d", rows)
	w.Op("CMP $%d, R17", modeRow)
	w.Op("BEQ bias%d", rows)
	for i := range 4 * rows {
		w.Op("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	w.Op("B start%d", rows)
	w.Label("bias%d", rows)
	for i := range rows {
		w.Op("VLD1R (R15), [V%d.S4]", 4*i)
		for v := 1; v < 4; v++ {
			w.Op("VMOV V%d.B16, V%d.B16", 4*i, 4*i+v)
		}
		w.Op("ADD $4, R15")
	}
	w.Op("B start%d", rows)
	w.Label("load%d", rows)
	for i := range rows {
		w.Op("VLD1 (R15), %s", four(4*i))
		w.Op("ADD R16, R15")
	}
	w.Label("start%d", rows)
	w.Op("CBZ R11, store%d", rows)
	w.Raw("\tPCALIGN $16\n")
	w.Label("step%d", rows)
	w.Op("VLD1 (R2), %s", four(24))
	w.Op("ADD R10, R2")
	for i := range rows {
		w.Op("VLD1R (R%d), [V%d.S4]", neonRow(i), 28+i%4)
		w.Op("ADD R9, R%d", neonRow(i))
		for v := range 4 {
			w.Op("VFMLA V%d.S4, V%d.S4, V%d.S4", 24+v, 28+i%4, 4*i+v)
		}
	}
	w.Op("SUBS $1, R11")
	w.Op("BNE step%d", rows)
	w.Label("store%d", rows)
	for i := range rows {
		w.Op("VST1 %s, (R13)", four(4*i))
		w.Op("ADD R14, R13")
	}
	w.Op("RET")
}
