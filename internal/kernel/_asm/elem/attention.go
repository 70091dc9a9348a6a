package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var exp2Held = append([]float64{1, -126}, exp2Poly...)

// exp2 is 2^x for x <= 1, and 2^-126 where that is larger.
func (w *width) exp2(x reg.VecVirtual) reg.VecVirtual {
	c := w.max(w.kr(-126), x)
	n := w.round(c)
	return w.exp2Of(n, w.sub(c, n), false)
}

func attention(w *width) {
	// dst = 2^(x-m), and the sum of dst in float32, of which every lane has its own.
	w.text("exp2Sum", "(dst, x []float32, m float32) float32")
	l := w.newLoop("dst", "x")
	m := w.broadcast("m")
	w.hold(exp2Held...)
	acc := [2]reg.VecVirtual{w.zero(), w.zero()}
	l.run(2, func(p position) {
		e := w.exp2(w.sub(p.get("x"), m))
		p.put("dst", e)
		a := acc[p.disp/w.bytes()]
		switch {
		case p.tail == nil:
			VADDPS(e, a, a)
		case w.wide():
			VADDPS(e, a, p.tail.k, a)
		default:
			VADDPS(w.and(e, p.tail.mask), a, a)
		}
	})
	VADDPS(acc[1], acc[0], acc[0])
	w.foldTo1(acc[0], func(a, b, r Op) { VADDPS(a, b, r) })
	Store(acc[0].AsX(), ReturnIndex(0))
	w.ret()

	// p = 2^(p-m), g = p (g-d)
	w.text("exp2Grad", "(p, g []float32, m, d float32)")
	l = w.newLoop("p", "g")
	m = w.broadcast("m")
	d := w.broadcast("d")
	w.hold(exp2Held...)
	l.run(2, func(p position) {
		e := w.exp2(w.sub(p.get("p"), m))
		p.put("p", e)
		p.put("g", w.mul(w.sub(p.get("g"), d), e))
	})
	w.ret()

	w.rotate()
}

// rotate turns the points whose coordinates are the halves of rows of 2 half elements: y1 = c x1 - s x2, y2 = c x2 + s x1 with
// c = a cos and s = b sin. Rows of x and y are xRow and yRow elements apart, those of sin and cos half.
func (w *width) rotate() {
	w.text("rotate", "(y, x, sin, cos []float32, yRow, xRow, half, rows int, a, b float32)")
	base := map[string]reg.GPVirtual{}
	for _, name := range []string{"y", "x", "sin", "cos"} {
		base[name] = GP64()
		Load(Param(name).Base(), base[name])
	}
	l := &loop{w: w, n: GP64(), ptr: map[string]reg.GPVirtual{}}
	for _, name := range []string{"y1", "y2", "x1", "x2", "sin", "cos"} {
		l.ptr[name] = GP64()
	}
	rows := GP64()
	Load(Param("rows"), rows)
	a, b := w.broadcast("a"), w.broadcast("b")
	Label("row")
	DECQ(rows)
	JLT(LabelRef("end"))
	Load(Param("half"), l.n)
	for _, name := range []string{"y", "x"} {
		MOVQ(base[name], l.ptr[name+"1"])
		LEAQ(Mem{Base: base[name], Index: l.n, Scale: 4}, l.ptr[name+"2"])
		step := GP64()
		Load(Param(name+"Row"), step)
		LEAQ(Mem{Base: base[name], Index: step, Scale: 4}, base[name])
	}
	for _, name := range []string{"sin", "cos"} {
		MOVQ(base[name], l.ptr[name])
		LEAQ(Mem{Base: base[name], Index: l.n, Scale: 4}, base[name])
	}
	l.run(1, func(p position) {
		s, c := w.mul(p.get("sin"), b), w.mul(p.get("cos"), a)
		x1, x2 := p.get("x1"), p.get("x2")
		p.put("y1", w.fnma(x2, s, w.mul(x1, c)))
		p.put("y2", w.fma(x1, s, w.mul(x2, c)))
	})
	JMP(LabelRef("row"))
	Label("end")
	w.ret()
}
