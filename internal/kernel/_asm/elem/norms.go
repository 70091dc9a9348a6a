package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func norms(w *width) {
	// dst = (x - m) s w + b
	w.text("normAffine", "(dst, x, w, b []float32, m, s float32)")
	l := w.newLoop("dst", "x", "w", "b")
	m, s := w.broadcast("m"), w.broadcast("s")
	l.run(2, func(p position) {
		h := w.mul(w.sub(p.get("x"), m), s)
		p.put("dst", w.fma(h, p.get("w"), p.get("b")))
	})
	w.ret()

	// The sums of v = g w and of v (x - m).
	w.text("normSums", "(g, x, w []float32, m float64) (sum, dot float64)")
	md := doubles{w: w}.broadcast("m")
	w.finish(w.sums(2, []string{"g", "x", "w"}, func(d doubles, acc []reg.VecVirtual, at func(string) Mem) {
		v, x := d.convert(at("g")), d.convert(at("x"))
		d.mul(v, d.convert(at("w")))
		d.sub(x, d.lane(md))
		d.add(acc[0], v)
		d.fma(v, x, acc[1])
	}))

	// gx = s g w + c (x - m) + e, or added.
	w.text("normGrad", "(gx, g, x, w []float32, m, s, c, e float32, acc bool)")
	l = w.newLoop("gx", "g", "x", "w")
	m, s = w.broadcast("m"), w.broadcast("s")
	c, e := w.broadcast("c"), w.broadcast("e")
	body := func(p position) reg.VecVirtual {
		r := w.mul(w.sub(p.get("x"), m), c)
		return w.fma(w.mul(p.get("g"), p.get("w")), s, w.add(r, e))
	}
	w.ifAcc(func() {
		l.run(2, func(p position) { p.put("gx", w.add(body(p), p.get("gx"))) })
	}, func() {
		l.run(2, func(p position) { p.put("gx", body(p)) })
	})
}

// adam is one step of AdamW, see the Go body.
func adam(w *width) {
	w.text("adam", "(p, m, v, g []float32, keep, beta1, c1, beta2, c2, step, root, eps float32)")
	l := w.newLoop("p", "m", "v", "g")
	k := map[string]reg.VecVirtual{}
	for _, name := range []string{"keep", "beta1", "c1", "beta2", "c2", "step", "root", "eps"} {
		k[name] = w.broadcast(name)
	}
	l.run(1, func(p position) {
		g := p.get("g")
		m := w.fma(g, k["c1"], w.mul(p.get("m"), k["beta1"]))
		v := w.fma(w.mul(g, g), k["c2"], w.mul(p.get("v"), k["beta2"]))
		p.put("m", m)
		p.put("v", v)
		d := w.vec()
		VSQRTPS(v, d)
		VFMADD213PS(k["eps"], k["root"], d)
		q := w.div(w.mul(m, k["step"]), d)
		p.put("p", w.sub(w.mul(p.get("p"), k["keep"]), q))
	})
	w.ret()
}
