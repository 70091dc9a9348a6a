package moe

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
)

// largest returns the places of the k largest elements of every row of x, rows x n, in falling order; of equal ones the first.
func largest(x []float32, n, k int) [][]int {
	out, places := make([][]int, len(x)/n), make([]int, len(x))
	for i := range out {
		row, order := x[i*n:][:n], places[i*n:][:n]
		for j := range order {
			order[j] = j
		}
		slices.SortStableFunc(order, func(a, b int) int {
			switch {
			case row[a] > row[b]:
				return -1
			case row[a] < row[b]:
				return 1
			}
			return 0
		})
		out[i] = order[:k:k]
	}
	return out
}

// perturb writes the gates times e^(deviation z) with z normal: in the order of their noisy logarithms.
func perturb(dst, gates []float32, deviation float64, rng *rand.Rand) {
	for i, g := range gates {
		dst[i] = g * float32(math.Exp(deviation*rng.NormFloat64()))
	}
}

// draw returns k of n places for each row, by chance.
func draw(rows, n, k int, rng *rand.Rand) [][]int {
	out := make([][]int, rows)
	for i := range out {
		out[i] = rng.Perm(n)[:k:k]
	}
	return out
}

// first returns the first k places for each row.
func first(rows, k int) [][]int {
	out, places := make([][]int, rows), make([]int, rows*k)
	for i := range out {
		out[i] = places[i*k:][:k:k]
		for j := range out[i] {
			out[i][j] = j
		}
	}
	return out
}

// smallest is the least sum of chosen gates that is divided by.
const smallest = 1e-12

// renormalise returns w[i, j] = gates[i, index[i][j]] / the sum of those over j: rows x k.
func renormalise(gates *autograd.Value, index [][]int) *autograd.Value {
	rows, n, k := len(index), gates.Shape[1], len(index[0])
	t := gates.Tape()
	out, sums := t.Alloc(rows, k), t.Scratch(rows)
	for i, chosen := range index {
		sums[i] = 0
		for _, e := range chosen {
			sums[i] += gates.Data[i*n+e]
		}
		sums[i] = max(sums[i], smallest)
		for j, e := range chosen {
			out.Data[i*k+j] = gates.Data[i*n+e] / sums[i]
		}
	}
	return autograd.Record("moe.renormalise", out, []*autograd.Value{gates}, renormalising{gates, index, out.Data, sums})
}

type renormalising struct {
	gates         *autograd.Value
	index         [][]int
	weights, sums []float32
}

func (o *renormalising) Backward(g *autograd.Grads, gy []float32) {
	gx := g.Zeroed(o.gates)
	n, k := o.gates.Shape[1], len(o.index[0])
	for i, chosen := range o.index {
		mean := float32(0)
		if o.sums[i] > smallest {
			for j := range chosen {
				mean += gy[i*k+j] * o.weights[i*k+j]
			}
		}
		for j, e := range chosen {
			gx[i*n+e] += (gy[i*k+j] - mean) / o.sums[i]
		}
	}
}

// frequency returns how often an expert was chosen, over all choices.
func frequency(index [][]int, expert int) float64 {
	f := 0.0
	for _, chosen := range index {
		for _, e := range chosen {
			if e == expert {
				f += 1 / float64(len(index)*len(chosen))
			}
		}
	}
	return f
}

// balance returns the load-balancing loss for gates, nb x ne, and what was chosen by them. With P the mean gates and f the
// frequencies of the choices, which have no gradient, it is factor ne sum(f P), or factor mean((P - f)^2) if toSelection.
func balance(gates *autograd.Value, index [][]int, factor float64, toSelection bool) *autograd.Value {
	t := gates.Tape()
	nb, ne := gates.Shape[0], gates.Shape[1]
	slope := t.Scratch(ne) // of the loss by an element of gates
	sum := 0.0
	for e := range ne {
		mean, f := 0.0, frequency(index, e)
		for b := range nb {
			mean += float64(gates.Data[b*ne+e])
		}
		mean /= float64(nb)
		if toSelection {
			sum += factor * (mean - f) * (mean - f) / float64(ne)
			slope[e] = float32(factor * 2 * (mean - f) / float64(ne*nb))
		} else {
			sum += factor * float64(ne) * f * mean
			slope[e] = float32(factor * float64(ne) * f / float64(nb))
		}
	}
	out := t.Alloc()
	out.Data[0] = float32(sum)
	return autograd.Record("moe.balance", out, []*autograd.Value{gates}, balancing{gates, slope})
}

type balancing struct {
	gates *autograd.Value
	slope []float32
}

func (o *balancing) Backward(g *autograd.Grads, gy []float32) {
	gx := g.Zeroed(o.gates)
	for i := range gx {
		gx[i] += gy[0] * o.slope[i%len(o.slope)]
	}
}
