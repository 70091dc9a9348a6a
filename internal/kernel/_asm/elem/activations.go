package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// exp2Poly approximates (2^f - 1)/f for |f| <= 1/2, ascending; 1 + f exp2Poly(f) has a relative error below 2.0e-9 (minimax fit).
var exp2Poly = []float64{0.693147202852, 0.240226479079, 0.0555033247789, 0.00961843795072, 0.00133988719607, 0.000153532182613}

// millsPoly approximates P(-a) exp(a^2/2), with P the normal distribution, as a polynomial in t = 1/(1 + millsScale a), ascending,
// for 0 <= a <= 13. The error, times exp(-a^2/2) + 0.003, is below 1.2e-8 (minimax fit).
var millsPoly = []float64{-0.000615248315466, 0.121278144464, 0.0523082101763, 0.294552013653, -0.261148551068, 0.401917972369, -0.108292552964}

const (
	millsScale = 0.28
	// millsEnd is where the tail stops falling: 13 P(-13) = 8e-38 is the last product that float32 holds as a normal number.
	millsEnd = 13
	// float32 rounds 1/ln 2; log2eLow is what it drops.
	log2e    = math.Log2E
	expFirst = -104       // exp is 0 in float32 from here down
	expLast  = 89         // and +Inf from here up
	signless = 0x7FFFFFFF // all bits but the sign
)

var (
	log2eLow = math.Log2E - float64(float32(math.Log2E))
	invRoot  = 1 / math.Sqrt(2*math.Pi)
)

// exp2Of returns 2^(n+f), n integral, |f| <= 1/2. The narrow form needs -126 <= n <= 127 unless full.
func (w *width) exp2Of(n, f reg.VecVirtual, full bool) reg.VecVirtual {
	p := w.copyOf(exp2Poly[len(exp2Poly)-1])
	for i := len(exp2Poly) - 2; i >= 0; i-- {
		w.horner(p, f, w.k(exp2Poly[i]))
	}
	w.horner(p, f, w.k(1))
	if w.wide() {
		r := w.vec()
		VSCALEFPS(n, p, r)
		return r
	}
	e := w.vec()
	VCVTPS2DQ(n, e)
	if !full {
		VPSLLD(U8(23), e, e)
		VPADDD(p, e, e)
		return e
	}
	// In two factors, since 2^n alone may leave the range that p 2^n reaches: n = h + (n - h).
	h := w.vec()
	VPSRAD(U8(1), e, h)
	VPSUBD(h, e, e)
	for _, part := range []reg.VecVirtual{h, e} {
		VPSLLD(U8(23), part, part)
		VPADDD(w.k(1), part, part)
		p = w.mul(p, part)
	}
	return p
}

func (w *width) round(x Op) reg.VecVirtual {
	r := w.vec()
	const nearestQuiet = 8
	if w.wide() {
		VRNDSCALEPS(U8(nearestQuiet), x, r)
	} else {
		VROUNDPS(U8(nearestQuiet), x, r)
	}
	return r
}

var expHeld = append([]float64{1, log2e, log2eLow, expFirst, expLast}, exp2Poly...)

// exp is exp(x), correct at both ends; NaN stays.
func (w *width) exp(x reg.VecVirtual) reg.VecVirtual {
	c := w.max(w.kr(expFirst), w.min(w.kr(expLast), x))
	n := w.round(w.mul(c, w.k(log2e)))
	// f = c log2(e) - n in two parts: the first product is exact under the subtraction.
	f := w.vec()
	VMOVAPS(c, f)
	VFMSUB132PS(w.k(log2e), n, f)
	return w.exp2Of(n, w.fma(c, w.k(log2eLow), f), true)
}

// normalTail, for AVX2, returns a = min(|x|, millsEnd), e = exp(-a^2/2) and r with e r = P(-a).
func (w *width) normalTail(x reg.VecVirtual) (a, e, r reg.VecVirtual) {
	a = w.min(w.kr(millsEnd), w.and(x, w.kBits(signless)))
	v := w.mul(w.mul(a, a), w.k(-log2e/2))
	n := w.round(v)
	e = w.exp2Of(n, w.sub(v, n), false)
	d := w.copyOf(millsScale)
	w.horner(d, a, w.k(1))
	t := w.div(w.kr(1), d)
	r = w.copyOf(millsPoly[len(millsPoly)-1])
	for i := len(millsPoly) - 2; i >= 0; i-- {
		w.horner(r, t, w.k(millsPoly[i]))
	}
	return a, e, r
}

const (
	geluTanhA = 0.79788456080286535588
	geluTanhB = 0.044715
)

var geluTanhHeld = append([]float64{-2 * geluTanhA * log2e, -2 * geluTanhA * geluTanhB * log2e, 127, -126, -millsEnd, millsEnd, 1, 2 * geluTanhA, 6 * geluTanhA * geluTanhB}, exp2Poly...)

// gate returns c = max(x, -13) and s = (1 + tanh u)/2 = 1/(1 + exp(-2u)).
func (w *width) gate(x reg.VecVirtual) (c, s reg.VecVirtual) {
	c = w.max(w.kr(-millsEnd), x)
	g := w.copyOf(-2 * geluTanhA * geluTanhB * log2e)
	w.horner(g, w.mul(c, c), w.k(-2*geluTanhA*log2e))
	v := w.max(w.kr(-126), w.min(w.kr(127), w.mul(c, g)))
	n := w.round(v)
	e := w.exp2Of(n, w.sub(v, n), false)
	return c, w.div(w.kr(1), w.add(e, w.k(1)))
}

func activations(w *width) {
	w.elementwise(op{name: "exp", reads: "x", unroll: 2, hold: expHeld, body: func(v operands) reg.VecVirtual { return w.exp(v.x) }})
	// GELU is x P(x) = max(x, 0) - |x| P(-|x|). Its derivative P(x) + x p(x) is s = P(-a) - a p(a) for negative x, a = |x|, and
	// 1 - s for positive. AVX-512 looks P(-a) and s up, AVX2 computes them.
	gelu := op{name: "gelu", reads: "x", unroll: 2}
	grad := op{name: "geluGrad", reads: "xy", unroll: 2}
	if w.wide() {
		gelu.table, gelu.hold = &geluTable, geluTable.held()
		gelu.body = func(v operands) reg.VecVirtual {
			a, p := geluTable.look(w, v.t, v.x)
			return w.fnma(a, p, w.max(w.k(0), v.x))
		}
		grad.table, grad.hold = &geluGradTable, geluGradTable.held()
		grad.body = func(v operands) reg.VecVirtual {
			_, s := geluGradTable.look(w, v.t, v.y)
			return w.mul(w.bySign(v.y, s, w.sub(w.k(1), s)), v.x)
		}
	} else {
		gelu.body = func(v operands) reg.VecVirtual {
			a, e, r := w.normalTail(v.x)
			return w.fnma(w.mul(a, e), r, w.max(w.kr(0), v.x))
		}
		grad.body = func(v operands) reg.VecVirtual {
			a, e, r := w.normalTail(v.y)
			s := w.mul(w.fnma(a, w.k(invRoot), r), e)
			return w.mul(w.bySign(v.y, s, w.sub(w.kr(1), s)), v.x)
		}
	}
	w.elementwise(gelu)
	w.elementwise(grad)
	w.elementwise(op{name: "geluTanh", reads: "x", unroll: 2, hold: geluTanhHeld, body: func(v operands) reg.VecVirtual {
		c, s := w.gate(v.x)
		return w.mul(c, s)
	}})
	w.elementwise(op{name: "geluTanhGrad", reads: "xy", unroll: 2, hold: geluTanhHeld, body: func(v operands) reg.VecVirtual {
		// s + 2 c s (1-s) du/dx; beyond 13 the second term is nothing.
		c, s := w.gate(w.min(w.kr(millsEnd), v.y))
		g := w.copyOf(6 * geluTanhA * geluTanhB)
		w.horner(g, w.mul(c, c), w.k(2*geluTanhA)) // 2 du/dx
		h := w.mul(w.mul(g, c), s)
		return w.mul(w.fma(h, w.sub(w.kr(1), s), s), v.x)
	}})
}

// bySign is neg where the sign bit of x is set, pos elsewhere, into pos's register.
func (w *width) bySign(x, neg, pos reg.VecVirtual) reg.VecVirtual {
	if w.wide() {
		k := K()
		VPMOVD2M(x, k)
		VMOVAPS(neg, k, pos)
		return pos
	}
	r := w.vec()
	VBLENDVPS(x, neg, pos, r)
	return r
}
