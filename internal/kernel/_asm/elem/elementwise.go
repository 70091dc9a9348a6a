package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// loop walks over slices of one length: rounds of unroll vectors, then single ones, then a masked tail.
type loop struct {
	w      *width
	n      reg.GPVirtual
	ptr    map[string]reg.GPVirtual
	labels int
}

// newLoop loads the pointers of the named arguments and the length of the first.
func (w *width) newLoop(slices ...string) *loop {
	l := &loop{w: w, n: GP64(), ptr: map[string]reg.GPVirtual{}}
	Load(Param(slices[0]).Len(), l.n)
	for _, s := range slices {
		l.ptr[s] = GP64()
		Load(Param(s).Base(), l.ptr[s])
	}
	return l
}

// position is where a loop's body stands: it reads and writes the vectors of the slices there.
type position struct {
	l    *loop
	disp int
	tail *tail
}

func (p position) at(name string) Mem { return Mem{Base: p.l.ptr[name], Disp: p.disp} }

func (p position) get(name string) reg.VecVirtual {
	if p.tail != nil {
		return p.tail.load(p.at(name))
	}
	return p.l.w.load(p.at(name))
}

func (p position) put(name string, v Op) {
	if p.tail != nil {
		p.tail.store(v, p.at(name))
		return
	}
	VMOVUPS(v, p.at(name))
}

// run emits the loop over body, and falls through at its end. It may be called for several branches of a function.
func (l *loop) run(unroll int, body func(p position)) {
	w := l.w
	l.labels++
	label := func(s string) string { return s + strconv.Itoa(l.labels) }
	advance := func(vectors int) {
		for _, name := range slices.Sorted(maps.Keys(l.ptr)) {
			ADDQ(I32(vectors*w.bytes()), l.ptr[name])
		}
		SUBQ(I32(vectors*w.lanes), l.n)
	}
	Label(label("round"))
	CMPQ(l.n, I32(unroll*w.lanes))
	JLT(LabelRef(label("single")))
	for i := range unroll {
		body(position{l: l, disp: i * w.bytes()})
	}
	advance(unroll)
	JMP(LabelRef(label("round")))
	Label(label("single"))
	CMPQ(l.n, I32(w.lanes))
	JLT(LabelRef(label("tail")))
	body(position{l: l})
	advance(1)
	JMP(LabelRef(label("single")))
	Label(label("tail"))
	TESTQ(l.n, l.n)
	JEQ(LabelRef(label("done")))
	t := w.tail(l.n)
	body(position{l: l, tail: &t})
	Label(label("done"))
}

// op describes an element-wise kernel: which operands it reads ("xyab"), how many vectors a round handles, the constants it
// holds, and the vector of results.
type op struct {
	name   string
	reads  string
	unroll int
	hold   []float64
	body   func(v operands) reg.VecVirtual
	table  *table // what body looks up, in v.t
}

type operands struct {
	x, y, a, b reg.VecVirtual
	t          [2 * (tableDegree + 1)]reg.VecVirtual
}

// elementwise emits the kernel of o: one loop that stores, and one that adds to dst.
func (w *width) elementwise(o op) {
	w.text(o.name, "(dst, x, y []float32, a, b float32, acc bool)")
	has := func(s string) bool { return strings.Contains(o.reads, s) }
	names := []string{"dst", "x"}
	if has("y") {
		names = append(names, "y")
	}
	l := w.newLoop(names...)
	var v operands
	if has("a") {
		v.a = w.broadcast("a")
	}
	if has("b") {
		v.b = w.broadcast("b")
	}
	w.hold(o.hold...)
	if o.table != nil {
		v.t = o.table.load(w)
	}
	body := func(p position) reg.VecVirtual {
		u := v
		u.x = p.get("x")
		if has("y") {
			u.y = p.get("y")
		}
		return o.body(u)
	}
	w.ifAcc(func() {
		l.run(o.unroll, func(p position) { p.put("dst", w.add(body(p), p.get("dst"))) })
	}, func() {
		l.run(o.unroll, func(p position) { p.put("dst", body(p)) })
	})
}

// ifAcc emits both branches of the argument acc, each up to its return.
func (w *width) ifAcc(yes, no func()) {
	acc := GP8()
	Load(Param("acc"), acc)
	TESTB(acc, acc)
	JNE(LabelRef("acc"))
	no()
	w.ret()
	Label("acc")
	yes()
	w.ret()
}

func arithmetic(w *width) {
	for _, o := range []op{
		{name: "add", reads: "xy", unroll: 4, body: func(v operands) reg.VecVirtual { return w.add(v.x, v.y) }},
		{name: "sub", reads: "xy", unroll: 4, body: func(v operands) reg.VecVirtual { return w.sub(v.x, v.y) }},
		{name: "mul", reads: "xy", unroll: 4, body: func(v operands) reg.VecVirtual { return w.mul(v.x, v.y) }},
		{name: "div", reads: "xy", unroll: 2, body: func(v operands) reg.VecVirtual { return w.div(v.x, v.y) }},
		{name: "sqrt", reads: "x", unroll: 2, body: func(v operands) reg.VecVirtual { r := w.vec(); VSQRTPS(v.x, r); return r }},
		{name: "scale", reads: "xa", unroll: 4, body: func(v operands) reg.VecVirtual { return w.mul(v.x, v.a) }},
		{name: "addScaled", reads: "xyab", unroll: 4, body: func(v operands) reg.VecVirtual { return w.fma(v.y, v.b, w.mul(v.x, v.a)) }},
		{name: "scaleShift", reads: "xab", unroll: 4, body: func(v operands) reg.VecVirtual { return w.add(w.mul(v.x, v.a), v.b) }},
		// y (x - a), the last step of a softmax's gradient.
		{name: "mulShifted", reads: "xya", unroll: 4, body: func(v operands) reg.VecVirtual { return w.mul(w.sub(v.x, v.a), v.y) }},
		{name: "leaky", reads: "xa", unroll: 4, hold: []float64{0}, body: func(v operands) reg.VecVirtual { return w.positive(v.x, v.x, w.mul(v.x, v.a)) }},
		{name: "leakyGrad", reads: "xya", unroll: 4, hold: []float64{0}, body: func(v operands) reg.VecVirtual { return w.positive(v.y, v.x, w.mul(v.x, v.a)) }},
	} {
		w.elementwise(o)
	}
}

// positive is yes where s > 0, no elsewhere, into no's register.
func (w *width) positive(s, yes, no reg.VecVirtual) reg.VecVirtual {
	const greaterOrderedQuiet = 30
	if w.wide() {
		k := K()
		VCMPPS(U8(greaterOrderedQuiet), w.k(0), s, k)
		VMOVAPS(yes, k, no)
		return no
	}
	m := w.vec()
	VCMPPS(U8(greaterOrderedQuiet), w.k(0), s, m)
	r := w.vec()
	VBLENDVPS(m, yes, no, r)
	return r
}
