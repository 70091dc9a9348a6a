package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// doubles is a vector of float64 with half the lanes of w, or a single float64 in the low lane.
type doubles struct {
	w      *width
	single bool
}

func (d doubles) lanes() int {
	if d.single {
		return 1
	}
	return d.w.lanes / 2
}

func (d doubles) vec() reg.VecVirtual {
	if d.single {
		return XMM()
	}
	return d.w.vec()
}

func (d doubles) zero() reg.VecVirtual {
	r := d.vec()
	VXORPD(r, r, r)
	return r
}

// convert reads float32 at m.
func (d doubles) convert(m Op) reg.VecVirtual {
	r := d.vec()
	if d.single {
		VXORPD(r, r, r)
		VCVTSS2SD(m, r, r)
	} else {
		VCVTPS2PD(m, r)
	}
	return r
}

func (d doubles) load(m Mem) reg.VecVirtual {
	r := d.vec()
	if d.single {
		VMOVSD(m, r)
	} else {
		VMOVUPD(m, r)
	}
	return r
}

func (d doubles) store(v reg.VecVirtual, m Mem) {
	if d.single {
		VMOVSD(v, m)
	} else {
		VMOVUPD(v, m)
	}
}

// add is a + b into a's register, sub a - b and mul a b likewise; fma is a b + c into c's.
func (d doubles) add(a, b reg.VecVirtual) {
	if d.single {
		VADDSD(b, a, a)
	} else {
		VADDPD(b, a, a)
	}
}

func (d doubles) sub(a reg.VecVirtual, b Op) {
	if d.single {
		VSUBSD(b, a, a)
	} else {
		VSUBPD(b, a, a)
	}
}

func (d doubles) mul(a reg.VecVirtual, b Op) {
	if d.single {
		VMULSD(b, a, a)
	} else {
		VMULPD(b, a, a)
	}
}

func (d doubles) fma(a, b, c reg.VecVirtual) {
	if d.single {
		VFMADD231SD(b, a, c)
	} else {
		VFMADD231PD(b, a, c)
	}
}

// lane is v, or its first lane for single elements.
func (d doubles) lane(v reg.VecVirtual) Op {
	if d.single {
		return v.AsX()
	}
	return v
}

// broadcast fills a vector with a float64 argument.
func (d doubles) broadcast(arg string) reg.VecVirtual {
	addr, err := Param(arg).Resolve()
	if err != nil {
		panic(err)
	}
	r := d.vec()
	VBROADCASTSD(addr.Addr, r)
	return r
}

// horizontal returns the sum of the lanes.
func (d doubles) horizontal(v reg.VecVirtual) reg.VecVirtual {
	if d.w.wide() {
		h := YMM()
		VEXTRACTF64X4(U8(1), v, h)
		VADDPD(v.AsY(), h, h)
		v = h
	}
	x, s := XMM(), XMM()
	VEXTRACTF128(U8(1), v.AsY(), x)
	VADDPD(v.AsX(), x, x)
	VPERMILPD(U8(1), x, s)
	VADDSD(s, x, x)
	return x
}

// sums emits a loop over slices of float32 that adds into count sums: four vectors of doubles at a time, each with its own
// accumulators, then single vectors, then single elements. It returns the totals.
func (w *width) sums(count int, names []string, body func(d doubles, acc []reg.VecVirtual, at func(name string) Mem)) []reg.VecVirtual {
	const ways = 4
	l := w.newLoop(names...)
	d, one := doubles{w: w}, doubles{w: w, single: true}
	var acc [ways][]reg.VecVirtual
	for i := range acc {
		for range count {
			acc[i] = append(acc[i], d.zero())
		}
	}
	at := func(disp int) func(string) Mem {
		return func(name string) Mem { return Mem{Base: l.ptr[name], Disp: disp} }
	}
	advance := func(elements int) {
		for _, name := range names {
			ADDQ(I32(4*elements), l.ptr[name])
		}
		SUBQ(I32(elements), l.n)
	}
	section := func(name, next string, elements int, step func()) {
		Label(name)
		CMPQ(l.n, I32(elements))
		JLT(LabelRef(next))
		step()
		advance(elements)
		JMP(LabelRef(name))
	}
	section("round", "single", ways*d.lanes(), func() {
		for i := range ways {
			body(d, acc[i], at(4*i*d.lanes()))
		}
	})
	section("single", "fold", d.lanes(), func() { body(d, acc[0], at(0)) })
	Label("fold")
	var total []reg.VecVirtual
	for k := range count {
		d.add(acc[0][k], acc[1][k])
		d.add(acc[2][k], acc[3][k])
		d.add(acc[0][k], acc[2][k])
		total = append(total, d.horizontal(acc[0][k]))
	}
	section("element", "end", 1, func() { body(one, total, at(0)) })
	Label("end")
	return total
}

func (w *width) finish(total []reg.VecVirtual) {
	for i, t := range total {
		Store(t, ReturnIndex(i))
	}
	w.ret()
}

func reductions(w *width) {
	type vs = []reg.VecVirtual
	w.text("sum", "(x, y []float32) float64")
	w.finish(w.sums(1, []string{"x"}, func(d doubles, acc vs, at func(string) Mem) { d.add(acc[0], d.convert(at("x"))) }))

	w.text("dot", "(x, y []float32) float64")
	w.finish(w.sums(1, []string{"x", "y"}, func(d doubles, acc vs, at func(string) Mem) {
		d.fma(d.convert(at("x")), d.convert(at("y")), acc[0])
	}))

	// squares is the sum of (x - m)^2.
	w.text("squares", "(x []float32, m float64) float64")
	m := doubles{w: w}.broadcast("m")
	w.finish(w.sums(1, []string{"x"}, func(d doubles, acc vs, at func(string) Mem) {
		v := d.convert(at("x"))
		d.sub(v, d.lane(m))
		d.fma(v, v, acc[0])
	}))
	w.maxAbs()
	w.rowMax()
	w.expSum()
}

// maxAbs compares the bits of |x| as integers, which order like the values, with NaN above +Inf.
func (w *width) maxAbs() {
	w.text("maxAbs", "(x, y []float32) float64")
	l := w.newLoop("x")
	w.hold()
	const ways = 4
	var acc [ways]reg.VecVirtual
	for i := range acc {
		acc[i] = w.zero()
	}
	l.run(ways, func(p position) {
		a := acc[p.disp/w.bytes()]
		VPMAXUD(w.and(p.get("x"), w.kBits(signless)), a, a)
	})
	VPMAXUD(acc[1], acc[0], acc[0])
	VPMAXUD(acc[3], acc[2], acc[2])
	VPMAXUD(acc[2], acc[0], acc[0])
	w.foldTo1(acc[0], func(a, b, r Op) { VPMAXUD(a, b, r) })
	r := acc[0].AsX()
	VCVTSS2SD(r, r, r)
	Store(r, ReturnIndex(0))
	w.ret()
}

// foldTo1 combines the lanes of v into its first.
func (w *width) foldTo1(v reg.VecVirtual, combine func(a, b, r Op)) {
	if w.wide() {
		h := YMM()
		VEXTRACTF64X4(U8(1), v, h)
		combine(v.AsY(), h, v.AsY())
	}
	x := XMM()
	VEXTRACTF128(U8(1), v.AsY(), x)
	combine(v.AsX(), x, v.AsX())
	for _, shuffle := range []uint64{0b1110, 0b01} {
		VPERMILPS(U8(shuffle), v.AsX(), x)
		combine(v.AsX(), x, v.AsX())
	}
}

// rowMax is the largest element, -Inf for none. Where there is NaN, the result is one of the elements.
func (w *width) rowMax() {
	w.text("rowMax", "(x []float32) float32")
	l := w.newLoop("x")
	const ways = 4
	var acc [ways]reg.VecVirtual
	for i := range acc {
		acc[i] = w.vec()
		VBROADCASTSS(constants.at(math.Float32bits(float32(math.Inf(-1)))), acc[i])
	}
	l.run(ways, func(p position) {
		a, x := acc[p.disp/w.bytes()], p.get("x")
		switch {
		case p.tail != nil && w.wide():
			VMAXPS(x, a, p.tail.k, a)
		case p.tail != nil:
			VBLENDVPS(p.tail.mask, x, a, x)
			VMAXPS(x, a, a)
		default:
			VMAXPS(x, a, a)
		}
	})
	VMAXPS(acc[1], acc[0], acc[0])
	VMAXPS(acc[3], acc[2], acc[2])
	VMAXPS(acc[2], acc[0], acc[0])
	w.foldTo1(acc[0], func(a, b, r Op) { VMAXPS(a, b, r) })
	Store(acc[0].AsX(), ReturnIndex(0))
	w.ret()
}

// expSum computes dst = exp(x - m) and returns the sum of dst.
func (w *width) expSum() {
	w.text("expSum", "(dst, x []float32, m float32) float64")
	l := w.newLoop("dst", "x")
	m := w.broadcast("m")
	w.hold(expHeld...)
	d := doubles{w: w}
	acc := [2]reg.VecVirtual{d.zero(), d.zero()}
	l.run(2, func(p position) {
		e := w.exp(w.sub(p.get("x"), m))
		p.put("dst", e)
		switch {
		case p.tail != nil && w.wide():
			z := w.vec()
			VMOVAPS_Z(e, p.tail.k, z)
			e = z
		case p.tail != nil:
			e = w.and(e, p.tail.mask)
		}
		if w.wide() {
			h := YMM()
			VEXTRACTF64X4(U8(1), e, h)
			d.add(acc[0], d.convert(e.AsY()))
			d.add(acc[1], d.convert(h))
		} else {
			h := XMM()
			VEXTRACTF128(U8(1), e, h)
			d.add(acc[0], d.convert(e.AsX()))
			d.add(acc[1], d.convert(h))
		}
	})
	d.add(acc[0], acc[1])
	w.finish([]reg.VecVirtual{d.horizontal(acc[0])})
}
