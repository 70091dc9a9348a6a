//go:build !purego

#include "textflag.h"

// func fetchLines(p unsafe.Pointer, n uintptr)
TEXT ·fetchLines(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), AX
	MOVQ n+8(FP), CX
	ADDQ AX, CX
	ANDQ $-64, AX

line:
	CMPQ AX, CX
	JAE  end
	PREFETCHT0 (AX)
	ADDQ $64, AX
	JMP  line

end:
	RET
