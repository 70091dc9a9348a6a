package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// width is a vector width: eight or sixteen lanes of float32. Its methods emit one operation each; results are new registers
// unless the name says "in place".
type width struct {
	suffix string
	lanes  int
	held   map[uint32]reg.VecVirtual // constants that live in registers (AVX-512 has enough of them)
}

func (w *width) wide() bool { return w.lanes == 16 }

func (w *width) bytes() int { return 4 * w.lanes }

func (w *width) vec() reg.VecVirtual {
	if w.wide() {
		return ZMM()
	}
	return YMM()
}

// text starts a function; NOSPLIT bodies have no frame.
func (w *width) text(name, signature string) {
	w.held = nil
	TEXT(name+w.suffix, NOSPLIT, "func"+signature)
	Pragma("noescape")
}

func (w *width) ret() {
	VZEROUPPER()
	RET()
}

// hold loads constants into registers for the rest of the function, where there are registers for them.
func (w *width) hold(values ...float64) {
	if w.held == nil {
		w.held = map[uint32]reg.VecVirtual{}
	}
	if !w.wide() {
		return
	}
	w.holdBits(signless)
	for _, v := range values {
		w.holdBits(math.Float32bits(float32(v)))
	}
}

func (w *width) holdBits(bits uint32) {
	if _, ok := w.held[bits]; ok || !w.wide() {
		return
	}
	r := w.vec()
	VBROADCASTSS(constants.at(bits), r)
	w.held[bits] = r
}

// k is a constant as an operand: a held register, or 32 bytes of memory.
func (w *width) k(v float64) Op { return w.kBits(math.Float32bits(float32(v))) }

func (w *width) kBits(bits uint32) Op {
	if !w.wide() {
		return constants.at(bits)
	}
	r, ok := w.held[bits]
	if !ok {
		panic(fmt.Sprintf("constant %v is not held", math.Float32frombits(bits)))
	}
	return r
}

// copyOf is a constant in a register that the caller may overwrite.
func (w *width) copyOf(v float64) reg.VecVirtual {
	r := w.vec()
	VMOVUPS(w.k(v), r)
	return r
}

// kr is a constant in a register, for operands that cannot be memory.
func (w *width) kr(v float64) Op {
	if w.wide() {
		return w.k(v)
	}
	return w.copyOf(v)
}

func (w *width) broadcast(arg string) reg.VecVirtual {
	r := w.vec()
	addr, err := Param(arg).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(addr.Addr, r)
	return r
}

func (w *width) add(a, b Op) reg.VecVirtual { r := w.vec(); VADDPS(b, a, r); return r }
func (w *width) sub(a, b Op) reg.VecVirtual { r := w.vec(); VSUBPS(b, a, r); return r }
func (w *width) mul(a, b Op) reg.VecVirtual { r := w.vec(); VMULPS(b, a, r); return r }
func (w *width) div(a, b Op) reg.VecVirtual { r := w.vec(); VDIVPS(b, a, r); return r }

// min and max return b where a or b is NaN.
func (w *width) min(a, b Op) reg.VecVirtual { r := w.vec(); VMINPS(b, a, r); return r }
func (w *width) max(a, b Op) reg.VecVirtual { r := w.vec(); VMAXPS(b, a, r); return r }

func (w *width) and(a, b Op) reg.VecVirtual { r := w.vec(); VANDPS(b, a, r); return r }

// fma is a b + c, fnma -a b + c, into c's register.
func (w *width) fma(a, b Op, c reg.VecVirtual) reg.VecVirtual  { VFMADD231PS(b, a, c); return c }
func (w *width) fnma(a, b Op, c reg.VecVirtual) reg.VecVirtual { VFNMADD231PS(b, a, c); return c }

// horner turns p into p x + c, in place.
func (w *width) horner(p reg.VecVirtual, x, c Op) { VFMADD213PS(c, x, p) }

// zero is all zeros.
func (w *width) zero() reg.VecVirtual {
	r := w.vec()
	if w.wide() {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
	return r
}

// tail selects the first n lanes, 0 < n < lanes.
type tail struct {
	w    *width
	k    reg.OpmaskVirtual
	mask reg.VecVirtual
}

func (w *width) tail(n reg.GPVirtual) tail {
	t := tail{w: w}
	if w.wide() {
		t.k = K()
		bits, count := GP32(), GP64()
		MOVQ(n, count)
		MOVL(I32(1), bits)
		SHLXL(count.As32(), bits, bits)
		DECL(bits)
		KMOVW(bits, t.k)
		return t
	}
	t.mask = w.vec()
	at := GP64()
	LEAQ(constants.window(), at)
	off := GP64()
	MOVQ(n, off)
	SHLQ(U8(2), off)
	SUBQ(off, at)
	VMOVUPS(Mem{Base: at, Disp: 32}, t.mask)
	return t
}

// load reads the selected lanes, zeros elsewhere.
func (t tail) load(m Mem) reg.VecVirtual {
	r := t.w.vec()
	if t.w.wide() {
		VMOVUPS_Z(m, t.k, r)
	} else {
		VMASKMOVPS(m, t.mask, r)
	}
	return r
}

func (t tail) store(v Op, m Mem) {
	if t.w.wide() {
		VMOVUPS(v, t.k, m)
	} else {
		VMASKMOVPS(v, t.mask, m)
	}
}

func (w *width) load(m Mem) reg.VecVirtual { r := w.vec(); VMOVUPS(m, r); return r }

// pool is the table of constants: each filled to 32 bytes, so that AVX2 uses it as a memory operand.
type pool struct {
	index map[uint32]int
	order []uint32
}

var constants = &pool{index: map[uint32]int{}}

func (p *pool) at(bits uint32) Mem {
	i, ok := p.index[bits]
	if !ok {
		i = len(p.order)
		p.index[bits] = i
		p.order = append(p.order, bits)
	}
	return NewDataAddr(NewStaticSymbol("elemConstants"), 32*i)
}

// window is eight lanes of ones followed by eight of zeros.
func (p *pool) window() Mem { return NewDataAddr(NewStaticSymbol("elemWindow"), 0) }

func (p *pool) emit() {
	GLOBL("elemConstants", RODATA|NOPTR)
	for i, bits := range p.order {
		for j := range 4 {
			DATA(32*i+8*j, U64(uint64(bits)<<32|uint64(bits)))
		}
	}
	GLOBL("elemWindow", RODATA|NOPTR)
	for i := range 8 {
		v := uint64(0)
		if i < 4 {
			v = math.MaxUint64
		}
		DATA(8*i, U64(v))
	}
}
