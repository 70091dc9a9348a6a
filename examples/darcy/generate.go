package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/spamoe/spamoe/internal/progress"
)

// fine is the number of cells per side of the grid that the generator solves on. A multiple of all grids that are asked for.
const fine = 96

// generate makes count random media and their solutions for f = 1 on the fine grid, and returns them at each of the given resolutions,
// taking every fine/n-th vertex from the boundary x = 0 and y = 0 on: n x n points (i/n, j/n), 0 <= i, j < n, the layout of
// neuraloperator's data. Medium i is that of seed and first + i, whatever else is generated.
func generate(ctx context.Context, seed uint64, first, count int, sizes []int, bar *progress.Bar) ([]*pairs, error) {
	out := make([]*pairs, len(sizes))
	for i, n := range sizes {
		if n < 1 || fine%n != 0 {
			return nil, fmt.Errorf("the generator's grid of %d cells cannot be thinned to %d", fine, n)
		}
		out[i] = newPairs(count, n)
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	failed := make([]error, workers)
	for w := range workers {
		wait.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= count {
					return
				}
				mask := medium(fine, rand.New(rand.NewPCG(seed, uint64(first+i))))
				one := make([]float64, len(mask))
				for k := range one {
					one[k] = 1
				}
				u, _, err := newDarcy(fine, coefficient(mask)).solve(one)
				if err != nil {
					failed[w] = fmt.Errorf("medium %d of seed %d: %w", first+i, seed, err)
					return
				}
				for _, p := range out {
					p.thin(i, mask, u)
				}
				bar.Add(1)
			}
		})
	}
	wait.Wait()
	for _, err := range append(failed, ctx.Err()) {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// coefficient turns a mask into the coefficient.
func coefficient(mask []float32) []float64 {
	a := make([]float64, len(mask))
	for i, v := range mask {
		a[i] = low + (high-low)*float64(v)
	}
	return a
}

// thin stores sample i from a mask and a solution on the fine grid.
func (p *pairs) thin(i int, mask []float32, u []float64) {
	x, y := p.sample(i)
	for j := range p.n {
		for k := range p.n {
			at := (j*(fine+1) + k) * (fine / p.n)
			x[j*p.n+k], y[j*p.n+k] = mask[at], float32(u[at])
		}
	}
}
