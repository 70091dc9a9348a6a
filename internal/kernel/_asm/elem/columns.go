package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// byColumns adds up columns of matrices of rows x n into sums of doubles: blocks of several vectors of columns, then single
// vectors, then single columns, each over all rows with the sums in registers. row prepares what all columns of a row need; step
// handles one vector of one row, with at(matrix) its place and acc its sums.
func (w *width) byColumns(block int, matrices, sums []string, rewind func(), row func(), step func(d doubles, at func(m string) Mem, acc []reg.VecVirtual)) {
	start, p := map[string]reg.GPVirtual{}, map[string]reg.GPVirtual{}
	for _, m := range append(append([]string{}, matrices...), sums...) {
		start[m], p[m] = GP64(), GP64()
		Load(Param(m).Base(), start[m])
	}
	rows, n, stride, r := GP64(), GP64(), GP64(), GP64()
	Load(Param("rows"), rows)
	Load(Param("n"), n)
	MOVQ(n, stride)
	SHLQ(U8(2), stride)
	TESTQ(rows, rows)
	JEQ(LabelRef("end"))
	for i, b := range []struct {
		d       doubles
		vectors int
	}{{doubles{w: w}, block}, {doubles{w: w}, 1}, {doubles{w: w, single: true}, 1}} {
		name := func(s string) string { return fmt.Sprintf("%s%d", s, i) }
		Label(name("block"))
		columns := b.vectors * b.d.lanes()
		CMPQ(n, I32(columns))
		if i < 2 {
			JLT(LabelRef(fmt.Sprintf("block%d", i+1)))
		} else {
			JLT(LabelRef("end"))
		}
		acc := make([][]reg.VecVirtual, b.vectors)
		place := func(s string, v int) Mem { return Mem{Base: start[s], Disp: 8 * v * b.d.lanes()} }
		for v := range acc {
			for _, s := range sums {
				acc[v] = append(acc[v], b.d.load(place(s, v)))
			}
		}
		for _, m := range matrices {
			MOVQ(start[m], p[m])
		}
		rewind()
		MOVQ(rows, r)
		Label(name("row"))
		row()
		for v := range acc {
			step(b.d, func(m string) Mem { return Mem{Base: p[m], Disp: 4 * v * b.d.lanes()} }, acc[v])
		}
		for _, m := range matrices {
			ADDQ(stride, p[m])
		}
		DECQ(r)
		JNE(LabelRef(name("row")))
		for v := range acc {
			for k, s := range sums {
				b.d.store(acc[v][k], place(s, v))
			}
		}
		for _, m := range matrices {
			ADDQ(I32(4*columns), start[m])
		}
		for _, s := range sums {
			ADDQ(I32(8*columns), start[s])
		}
		SUBQ(I32(columns), n)
		JMP(LabelRef(name("block")))
	}
	Label("end")
	w.ret()
}

func columns(w *width) {
	type vs = []reg.VecVirtual
	nothing := func() {}
	block := 8
	if w.wide() {
		block = 16
	}
	w.text("colSum", "(sum []float64, x []float32, rows, n int)")
	w.byColumns(block, []string{"x"}, []string{"sum"}, nothing, nothing, func(d doubles, at func(string) Mem, acc vs) {
		d.add(acc[0], d.convert(at("x")))
	})

	w.text("colDot", "(sum []float64, x, y []float32, rows, n int)")
	w.byColumns(block, []string{"x", "y"}, []string{"sum"}, nothing, nothing, func(d doubles, at func(string) Mem, acc vs) {
		d.fma(d.convert(at("x")), d.convert(at("y")), acc[0])
	})

	// normParam adds gy (x - mean) rstd to sw, gy to sb.
	w.text("normParam", "(sw, sb []float64, gy, x, mean, rstd []float32, rows, n int)")
	d := doubles{w: w}
	from := map[string]reg.GPVirtual{"mean": GP64(), "rstd": GP64()}
	mean, rstd := d.vec(), d.vec()
	w.byColumns(block/2, []string{"gy", "x"}, []string{"sw", "sb"}, func() {
		for _, name := range []string{"mean", "rstd"} {
			Load(Param(name).Base(), from[name])
		}
	}, func() {
		for i, name := range []string{"mean", "rstd"} {
			x := XMM()
			VXORPD(x, x, x)
			VCVTSS2SD(Mem{Base: from[name]}, x, x)
			VBROADCASTSD(x, [2]reg.VecVirtual{mean, rstd}[i])
			ADDQ(I8(4), from[name])
		}
	}, func(d doubles, at func(string) Mem, acc vs) {
		g, x := d.convert(at("gy")), d.convert(at("x"))
		d.sub(x, d.lane(mean))
		d.mul(x, d.lane(rstd))
		d.add(acc[1], g)
		d.fma(g, x, acc[0])
	})
}
