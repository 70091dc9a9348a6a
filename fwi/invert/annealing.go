package invert

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// annealing finds which candidates x_i, 0 or 1, to move, so that
//
//	sum f_i x_i + 1/2 sum x_i S_ij x_j + price (cells that move) + price (sides of cells between two regions)
//
// is small, by simulated annealing (Kirkpatrick, Gelatt and Vecchi, Science 220, 1983).
type annealing struct {
	nx               int
	all              []candidate
	from, label      []int     // the region of every cell at first, and now
	moved            []int     // the candidate that a cell moved as; -1: none
	s                []float64 // S
	half             []float64 // S_ii/2
	field            []float64 // f + S x
	x                []bool
	perCell, perSide float64
}

func newAnnealing(label []int, nx int, all []candidate, g, s []float64, perCell, perSide float64) *annealing {
	a := &annealing{nx: nx, all: all, from: label, label: slices.Clone(label), moved: make([]int, len(label)), s: s,
		half: make([]float64, len(all)), field: make([]float64, len(all)), x: make([]bool, len(all)), perCell: perCell, perSide: perSide}
	for i, c := range all {
		a.half[i], a.field[i] = s[i*len(all)+i]/2, c.d*g[c.cell]
	}
	for i := range a.moved {
		a.moved[i] = -1
	}
	return a
}

// change returns what flipping x_i adds, but for sides: a cell that is elsewhere comes from there.
func (a *annealing) change(i int) float64 {
	if a.x[i] {
		return a.half[i] - a.field[i] - a.perCell
	}
	adds := a.half[i] + a.field[i] + a.perCell
	if j := a.moved[a.all[i].cell]; j >= 0 {
		adds += a.half[j] - a.field[j] - a.perCell - a.s[i*len(a.all)+j]
	}
	return adds
}

// region returns the one that the cell of a candidate belongs to once x_i is flipped.
func (a *annealing) region(i int) int {
	if a.x[i] {
		return a.from[a.all[i].cell]
	}
	return a.all[i].to
}

// longer returns how many sides between two regions more there are once a cell belongs to another region.
func (a *annealing) longer(cell, to int) (sides int) {
	from := a.label[cell]
	around(cell, a.nx, len(a.label), func(k int) {
		switch a.label[k] {
		case from:
			sides++
		case to:
			sides--
		}
	})
	return sides
}

// flip flips x_i, and takes its cell back from where it is.
func (a *annealing) flip(i int) {
	cell := a.all[i].cell
	if j := a.moved[cell]; j >= 0 && j != i {
		a.flip(j)
	}
	a.label[cell] = a.region(i)
	a.x[i] = !a.x[i]
	k, sign := len(a.all), 1.0
	if a.moved[cell] = i; !a.x[i] {
		sign, a.moved[cell] = -1, -1
	}
	floats.AddScaled(a.field, sign, a.s[i*k:][:k])
}

// run returns the best x that it finds. Differences of less than precision are none.
func (a *annealing) run(precision float64) []bool {
	k := len(a.all)
	single := make([]float64, k) // what flips of one cell add by themselves
	for i := range single {
		single[i] = max(a.half[i], math.Abs(a.field[i]))
	}
	slices.Sort(single)
	random := rand.New(rand.NewPCG(1, 2))
	best := make([]bool, k)
	value, lowest, sweeps := 0.0, 0.0, min(mostSweeps, mostTrials/max(1, k))
	for _, hot := range hottest { // each from the best x of those before
		hot *= single[k/2]
		cold := min(precision, hot/10)
		frozen := 0 // sweeps in which nothing moved
		for sweep := 0; sweep < sweeps && frozen < frozenSweeps; sweep++ {
			frozen++
			t := hot * math.Pow(cold/hot, float64(sweep)/float64(sweeps))
			for i := range a.all {
				adds := a.change(i)
				if adds > 4*a.perSide+20*t {
					continue
				}
				adds += a.perSide * float64(a.longer(a.all[i].cell, a.region(i)))
				if adds > 0 && random.Float64() > math.Exp(-adds/t) {
					continue
				}
				a.flip(i)
				frozen = 0
				if value += adds; value < lowest-precision {
					lowest = value
					copy(best, a.x)
				}
			}
		}
		for _, moves := range []bool{false, true} {
			for i := range a.all {
				if best[i] == moves && a.x[i] != moves {
					a.flip(i)
				}
			}
		}
		value = lowest
	}
	return best
}

// hottest are temperatures to begin with, as fractions of the median of what flips of one cell add by themselves: cells that change places add much
// less together than each alone, so that the way there leads up. The hottest find what is far, the coolest keep what is good already.
var hottest = []float64{0.3, 0.05, 0.01}

const (
	mostSweeps   = 10000
	mostTrials   = 5e6 // of flips
	frozenSweeps = 300
)
