package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// table approximates a function of a >= 0 that vanishes beyond some point by 31 polynomials of degree 4 in u = a/h - i, |u| <= 1/2,
// centred on a = i h, and 0 from there on. In AVX-512 a coefficient of all intervals fills two registers, from which one
// permutation picks.
type table struct {
	name string
	h    float64
	f    func(a float64) float64
}

const (
	tableDegree = 4
	tableSize   = 32
	// tableMagic plus a small number is that number rounded to an integer, held in the lowest bits.
	tableMagic = 1 << 23
)

// Where the last intervals end the functions are 1.1e-8 and -2.0e-8; the errors before that are below 5e-9 and 4e-8.
var (
	geluTable     = table{"geluTable", 5.6 / (tableSize - 1.5), func(a float64) float64 { return math.Erfc(a/math.Sqrt2) / 2 }}
	geluGradTable = table{"geluGradTable", 6.1 / (tableSize - 1.5), func(a float64) float64 {
		return math.Erfc(a/math.Sqrt2)/2 - a*math.Exp(-a*a/2)*invRoot
	}}
)

// coefficients interpolates f at the Chebyshev nodes of interval i: ascending powers of u.
func (t table) coefficients(i int) [tableDegree + 1]float64 {
	const n = tableDegree + 1
	var c [n]float64
	if i == tableSize-1 {
		return c
	}
	// Lagrange's basis polynomials, multiplied out.
	var node [n]float64
	for k := range node {
		node[k] = math.Cos(math.Pi*(2*float64(k)+1)/(2*n)) / 2
	}
	for k, x := range node {
		basis, scale := [n]float64{1}, t.f((float64(i)+x)*t.h)
		degree := 0
		for j, y := range node {
			if j == k {
				continue
			}
			degree++
			for d := degree; d > 0; d-- {
				basis[d] = basis[d-1] - y*basis[d]
			}
			basis[0] *= -y
			scale /= x - y
		}
		for d := range c {
			c[d] += scale * basis[d]
		}
	}
	return c
}

func (t table) emit() {
	GLOBL(t.name, RODATA|NOPTR)
	for d := range tableDegree + 1 {
		for i := range tableSize {
			DATA(4*(d*tableSize+i), F32(t.coefficients(i)[d]))
		}
	}
}

// load reads the table into registers, two for each power.
func (t table) load(w *width) (r [2 * (tableDegree + 1)]reg.VecVirtual) {
	for i := range r {
		r[i] = w.load(NewDataAddr(NewStaticSymbol(t.name), 64*i))
	}
	return r
}

// held are the constants that look needs.
func (t table) held() []float64 {
	return []float64{1, 0, (tableSize - 1) * t.h, 1 / t.h, tableMagic}
}

// look returns a = min(|x|, the middle of the last interval) and f(a).
func (t table) look(w *width, r [2 * (tableDegree + 1)]reg.VecVirtual, x reg.VecVirtual) (a, f reg.VecVirtual) {
	a = w.min(w.k((tableSize-1)*t.h), w.and(x, w.kBits(signless)))
	index, u := w.vec(), w.vec()
	VMOVAPS(a, index)
	VFMADD213PS(w.k(tableMagic), w.k(1/t.h), index)
	whole := w.sub(index, w.k(tableMagic))
	VMOVAPS(a, u)
	VFMSUB132PS(w.k(1/t.h), whole, u)
	pick := func(d int) reg.VecVirtual {
		c := w.vec()
		VMOVAPS(index, c)
		VPERMI2PS(r[2*d+1], r[2*d], c)
		return c
	}
	f = pick(tableDegree)
	for d := tableDegree - 1; d >= 0; d-- {
		w.horner(f, u, pick(d))
	}
	return a, f
}
