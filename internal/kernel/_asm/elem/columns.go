package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// byRows walks over matrices of rows x n, group rows at a time and then one by one, and along each group by vectors of doubles
// and then by single elements. prepare loads what a row needs; step handles one vector of one group, with at(matrix, row) its
// place in row r of the group and sum(name) the place of the column's sum.
func (w *width) byRows(group int, matrices, sums []string, prepare func(group int) any, step func(d doubles, group int, held any, at func(m string, r int) Mem, sum func(string) Mem)) {
	ptr := map[string]reg.GPVirtual{}
	for _, m := range append(append([]string{}, matrices...), sums...) {
		ptr[m] = GP64()
		Load(Param(m).Base(), ptr[m])
	}
	rows, n, stride, j, left := GP64(), GP64(), GP64(), GP64(), GP64()
	Load(Param("rows"), rows)
	Load(Param("n"), n)
	MOVQ(n, stride)
	SHLQ(U8(2), stride)
	for _, g := range []int{group, 1} {
		next := map[bool]string{true: "one", false: "end"}[g > 1]
		name := func(s string) string { return fmt.Sprintf("%s%d", s, g) }
		if g == 1 {
			Label("one")
		} else {
			Label("many")
		}
		CMPQ(rows, I32(g))
		JLT(LabelRef(next))
		held := prepare(g)
		row := map[string][]reg.GPVirtual{}
		for _, m := range matrices {
			row[m] = []reg.GPVirtual{ptr[m]}
			for r := 1; r < g; r++ {
				p := GP64()
				LEAQ(Mem{Base: row[m][r-1], Index: stride, Scale: 1}, p)
				row[m] = append(row[m], p)
			}
		}
		XORQ(j, j)
		MOVQ(n, left)
		for _, d := range []doubles{{w: w}, {w: w, single: true}} {
			here, then := name("vector"), name("element")
			if d.single {
				here, then = then, name("next")
			}
			Label(here)
			CMPQ(left, I32(d.lanes()))
			JLT(LabelRef(then))
			step(d, g, held, func(m string, r int) Mem { return Mem{Base: row[m][r], Index: j, Scale: 4} },
				func(s string) Mem { return Mem{Base: ptr[s], Index: j, Scale: 8} })
			ADDQ(I32(d.lanes()), j)
			SUBQ(I32(d.lanes()), left)
			JMP(LabelRef(here))
		}
		Label(name("next"))
		for _, m := range matrices {
			LEAQ(Mem{Base: row[m][g-1], Index: stride, Scale: 1}, ptr[m])
		}
		SUBQ(I32(g), rows)
		if g == 1 {
			JMP(LabelRef("one"))
		} else {
			JMP(LabelRef("many"))
		}
	}
	Label("end")
	w.ret()
}

func columns(w *width) {
	nothing := func(int) any { return nil }
	w.text("colSum", "(sum []float64, x []float32, rows, n int)")
	w.byRows(4, []string{"x"}, []string{"sum"}, nothing, func(d doubles, group int, _ any, at func(string, int) Mem, sum func(string) Mem) {
		s := d.load(sum("sum"))
		for r := range group {
			d.add(s, d.convert(at("x", r)))
		}
		d.store(s, sum("sum"))
	})

	w.text("colDot", "(sum []float64, x, y []float32, rows, n int)")
	w.byRows(2, []string{"x", "y"}, []string{"sum"}, nothing, func(d doubles, group int, _ any, at func(string, int) Mem, sum func(string) Mem) {
		s := d.load(sum("sum"))
		for r := range group {
			d.fma(d.convert(at("x", r)), d.convert(at("y", r)), s)
		}
		d.store(s, sum("sum"))
	})

	// normParam adds gy (x - mean) rstd to sw, gy to sb.
	w.text("normParam", "(sw, sb []float64, gy, x, mean, rstd []float32, rows, n int)")
	mean, rstd := GP64(), GP64()
	Load(Param("mean").Base(), mean)
	Load(Param("rstd").Base(), rstd)
	type moments struct{ mean, rstd []reg.VecVirtual }
	w.byRows(2, []string{"gy", "x"}, []string{"sw", "sb"}, func(group int) any {
		var h moments
		d := doubles{w: w}
		for r := range group {
			for _, v := range []struct {
				from reg.GPVirtual
				to   *[]reg.VecVirtual
			}{{mean, &h.mean}, {rstd, &h.rstd}} {
				x, wide := XMM(), d.vec()
				VXORPD(x, x, x)
				VCVTSS2SD(Mem{Base: v.from, Disp: 4 * r}, x, x)
				VBROADCASTSD(x, wide)
				*v.to = append(*v.to, wide)
			}
		}
		ADDQ(I32(4*group), mean)
		ADDQ(I32(4*group), rstd)
		return h
	}, func(d doubles, group int, held any, at func(string, int) Mem, sum func(string) Mem) {
		h := held.(moments)
		sw, sb := d.load(sum("sw")), d.load(sum("sb"))
		for r := range group {
			g, x := d.convert(at("gy", r)), d.convert(at("x", r))
			d.sub(x, d.lane(h.mean[r]))
			d.mul(x, d.lane(h.rstd[r]))
			d.add(sb, g)
			d.fma(g, x, sw)
		}
		d.store(sw, sum("sw"))
		d.store(sb, sum("sb"))
	})
}
