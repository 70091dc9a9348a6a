//go:build !purego

#include "textflag.h"

// func butterflyAVX2(p *butterflyArgs)
// Bound by loads and stores, so wider registers would not help.
TEXT ·butterflyAVX2(SB), NOSPLIT, $0-8
	MOVQ    p+0(FP), AX
	MOVQ    (AX), R8      // sum
	MOVQ    8(AX), R9     // diff
	MOVQ    16(AX), R10   // a
	MOVQ    24(AX), R11   // b
	MOVQ    64(AX), CX    // rows
	MOVQ    72(AX), R12   // bytes per row
	MOVBLZX 80(AX), R13   // acc

row:
	XORQ  DX, DX
	TESTL R13, R13
	JNE   add

set:
	VMOVUPS (R10)(DX*1), Y0
	VMOVUPS (R11)(DX*1), Y1
	VADDPS  Y1, Y0, Y2
	VSUBPS  Y1, Y0, Y3
	VMOVUPS Y2, (R8)(DX*1)
	VMOVUPS Y3, (R9)(DX*1)
	ADDQ    $32, DX
	CMPQ    DX, R12
	JLT     set
	JMP     next

add:
	VMOVUPS (R10)(DX*1), Y0
	VMOVUPS (R11)(DX*1), Y1
	VADDPS  Y1, Y0, Y2
	VSUBPS  Y1, Y0, Y3
	VADDPS  (R8)(DX*1), Y2, Y2
	VADDPS  (R9)(DX*1), Y3, Y3
	VMOVUPS Y2, (R8)(DX*1)
	VMOVUPS Y3, (R9)(DX*1)
	ADDQ    $32, DX
	CMPQ    DX, R12
	JLT     add

next:
	ADDQ 32(AX), R8
	ADDQ 40(AX), R9
	ADDQ 48(AX), R10
	ADDQ 56(AX), R11
	DECQ CX
	JNE  row
	VZEROUPPER
	RET
