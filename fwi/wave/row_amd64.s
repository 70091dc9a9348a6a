//go:build !purego

#include "textflag.h"

// prev = (c + keep (c - prev)) + accel lap, lap = (near - 4c) - (far - 4c)/16, with near = (w1 + e1) + (n1 + s1) and
// far = (w2 + e2) + (n2 + s2): the operations of rowGeneric in its order. The fused products, by 4 and 1/16, are exact.

DATA four<>+0(SB)/4, $4.0
GLOBL four<>(SB), RODATA|NOPTR, $4
DATA sixteenth<>+0(SB)/4, $0.0625
GLOBL sixteenth<>(SB), RODATA|NOPTR, $4

// func lap4AVX512(prev, mid, n1, n2, s1, s2, accel, keep *float32, blocks int)
TEXT ·lap4AVX512(SB), NOSPLIT, $0-72
	MOVQ prev+0(FP), DI
	MOVQ mid+8(FP), SI
	MOVQ n1+16(FP), R8
	MOVQ n2+24(FP), R9
	MOVQ s1+32(FP), R10
	MOVQ s2+40(FP), R11
	MOVQ accel+48(FP), R12
	MOVQ keep+56(FP), R13
	MOVQ blocks+64(FP), CX
	VBROADCASTSS four<>(SB), Z30
	VBROADCASTSS sixteenth<>(SB), Z31
	XORQ BX, BX
	VMOVUPS -64(SI), Z0 // the vector to the west
	VMOVUPS (SI), Z1    // c
	TESTQ CX, CX
	JZ   done512

loop512:
	VMOVUPS 64(SI)(BX*1), Z2 // the vector to the east
	VALIGND $15, Z0, Z1, Z3
	VALIGND $1, Z1, Z2, Z4
	VADDPS  Z4, Z3, Z3
	VMOVUPS (R8)(BX*1), Z5
	VADDPS  (R10)(BX*1), Z5, Z5
	VADDPS  Z5, Z3, Z3
	VALIGND $14, Z0, Z1, Z6
	VALIGND $2, Z1, Z2, Z7
	VADDPS  Z7, Z6, Z6
	VMOVUPS (R9)(BX*1), Z8
	VADDPS  (R11)(BX*1), Z8, Z8
	VADDPS  Z8, Z6, Z6
	VFNMADD231PS Z30, Z1, Z3
	VFNMADD231PS Z30, Z1, Z6
	VFNMADD231PS Z31, Z6, Z3
	VSUBPS  (DI)(BX*1), Z1, Z9
	VMULPS  (R13)(BX*1), Z9, Z9
	VADDPS  Z1, Z9, Z9
	VMULPS  (R12)(BX*1), Z3, Z3
	VADDPS  Z3, Z9, Z9
	VMOVUPS Z9, (DI)(BX*1)
	VMOVAPS Z1, Z0
	VMOVAPS Z2, Z1
	ADDQ $64, BX
	DECQ CX
	JNZ  loop512

done512:
	VZEROUPPER
	RET

// func lap4AVX2(prev, mid, n1, n2, s1, s2, accel, keep *float32, blocks int)
TEXT ·lap4AVX2(SB), NOSPLIT, $0-72
	MOVQ prev+0(FP), DI
	MOVQ mid+8(FP), SI
	MOVQ n1+16(FP), R8
	MOVQ n2+24(FP), R9
	MOVQ s1+32(FP), R10
	MOVQ s2+40(FP), R11
	MOVQ accel+48(FP), R12
	MOVQ keep+56(FP), R13
	MOVQ blocks+64(FP), CX
	VBROADCASTSS four<>(SB), Y14
	VBROADCASTSS sixteenth<>(SB), Y13
	XORQ BX, BX
	SHLQ $1, CX
	JZ   done2

loop2:
	VMOVUPS (SI)(BX*1), Y1
	VMOVUPS -4(SI)(BX*1), Y3
	VADDPS  4(SI)(BX*1), Y3, Y3
	VMOVUPS (R8)(BX*1), Y5
	VADDPS  (R10)(BX*1), Y5, Y5
	VADDPS  Y5, Y3, Y3
	VMOVUPS -8(SI)(BX*1), Y6
	VADDPS  8(SI)(BX*1), Y6, Y6
	VMOVUPS (R9)(BX*1), Y8
	VADDPS  (R11)(BX*1), Y8, Y8
	VADDPS  Y8, Y6, Y6
	VFNMADD231PS Y14, Y1, Y3
	VFNMADD231PS Y14, Y1, Y6
	VFNMADD231PS Y13, Y6, Y3
	VSUBPS  (DI)(BX*1), Y1, Y9
	VMULPS  (R13)(BX*1), Y9, Y9
	VADDPS  Y1, Y9, Y9
	VMULPS  (R12)(BX*1), Y3, Y3
	VADDPS  Y3, Y9, Y9
	VMOVUPS Y9, (DI)(BX*1)
	ADDQ $32, BX
	DECQ CX
	JNZ  loop2

done2:
	VZEROUPPER
	RET
