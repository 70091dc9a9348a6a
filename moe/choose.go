package moe

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
)

// largest returns the places of the k largest elements of every row of x, rows x n, in falling order; of equal ones the first.
func largest(x []float32, n, k int) [][]int {
	out := make([][]int, len(x)/n)
	for i := range out {
		row := x[i*n:][:n]
		order := make([]int, n)
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

// perturbed returns the gates times e^(deviation z) with z normal: in the order of their noisy logarithms.
func perturbed(gates []float32, deviation float64, rng *rand.Rand) []float32 {
	out := make([]float32, len(gates))
	for i, g := range gates {
		out[i] = g * float32(math.Exp(deviation*rng.NormFloat64()))
	}
	return out
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
	out := make([][]int, rows)
	for i := range out {
		for j := range k {
			out[i] = append(out[i], j)
		}
	}
	return out
}

// smallest is the least sum of chosen gates that is divided by.
const smallest = 1e-12

// renormalise returns w[i, j] = gates[i, index[i][j]] / the sum of those over j: rows x k.
func renormalise(gates *autograd.Value, index [][]int) *autograd.Value {
	rows, n, k := len(index), gates.Shape[1], len(index[0])
	out := gates.Tape().Alloc(rows, k)
	sums := make([]float32, rows)
	for i, chosen := range index {
		for _, e := range chosen {
			sums[i] += gates.Data[i*n+e]
		}
		sums[i] = max(sums[i], smallest)
		for j, e := range chosen {
			out.Data[i*k+j] = gates.Data[i*n+e] / sums[i]
		}
	}
	return autograd.Record("moe.renormalise", out, []*autograd.Value{gates}, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		gx := g.Zeroed(gates)
		for i, chosen := range index {
			mean := float32(0)
			if sums[i] > smallest {
				for j := range chosen {
					mean += gy[i*k+j] * out.Data[i*k+j]
				}
			}
			for j, e := range chosen {
				gx[i*n+e] += (gy[i*k+j] - mean) / sums[i]
			}
		}
	}))
}

// frequencies returns how often each of n experts was chosen, over all choices.
func frequencies(index [][]int, n int) []float64 {
	f := make([]float64, n)
	for _, chosen := range index {
		for _, e := range chosen {
			f[e] += 1 / float64(len(index)*len(chosen))
		}
	}
	return f
}

// balance returns the load-balancing loss for gates, nb x ne, and what was chosen by them. With P the mean gates and f the
// frequencies of the choices, which have no gradient, it is factor ne sum(f P), or factor mean((P - f)^2) if toSelection.
func balance(gates *autograd.Value, index [][]int, factor float64, toSelection bool) *autograd.Value {
	nb, ne := gates.Shape[0], gates.Shape[1]
	f := frequencies(index, ne)
	slope := make([]float32, ne) // of the loss by an element of gates
	sum := 0.0
	for e := range ne {
		mean := 0.0
		for b := range nb {
			mean += float64(gates.Data[b*ne+e])
		}
		mean /= float64(nb)
		if toSelection {
			sum += factor * (mean - f[e]) * (mean - f[e]) / float64(ne)
			slope[e] = float32(factor * 2 * (mean - f[e]) / float64(ne*nb))
		} else {
			sum += factor * float64(ne) * f[e] * mean
			slope[e] = float32(factor * float64(ne) * f[e] / float64(nb))
		}
	}
	out := gates.Tape().Alloc()
	out.Data[0] = float32(sum)
	return autograd.Record("moe.balance", out, []*autograd.Value{gates}, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		gx := g.Zeroed(gates)
		for i := range gx {
			gx[i] += gy[0] * slope[i%ne]
		}
	}))
}
