package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/floats"
)

// samples are what the operator learns from, on n cells per side: its inputs, n x n; the solutions for the sources, each scaled to
// unit energy, at the inner vertices; and the roots of the coefficients k on the faces, (n+1) x n (east) and n x (n+1) (next).
type samples struct {
	count, n               int
	input, target          []float32
	rootOfEast, rootOfNext []float32
}

// generate draws count problems and solves them directly. Problem i is that of seed and first + i.
func generate(ctx context.Context, n, fieldCells int, seed uint64, first, count int) (*samples, error) {
	inner, m, outputs := n-1, n+1, side*side
	out := &samples{count: count, n: n, input: make([]float32, count*n*n), target: make([]float32, count*outputs*inner*inner),
		rootOfEast: make([]float32, count*m*n), rootOfNext: make([]float32, count*m*n)}
	rhs := sources(n)
	var next atomic.Int64
	var wait sync.WaitGroup
	failed := make([]error, runtime.GOMAXPROCS(0))
	for w := range failed {
		wait.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= count {
					return
				}
				p := newProblem(n, fieldCells, rand.New(rand.NewPCG(seed, uint64(first+i))))
				us, err := direct(p.Scheme, rhs)
				if err != nil {
					failed[w] = fmt.Errorf("problem %d of seed %d: %w", first+i, seed, err)
					return
				}
				out.store(i, p, us, rhs)
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

// store puts a problem and its solutions us of A u = rhs into sample i.
func (d *samples) store(i int, p *problem, us, rhs [][]float64) {
	n, m, inner := d.n, d.n+1, d.n-1
	p.input(d.input[i*n*n : (i+1)*n*n])
	for k, u := range us {
		unit := 1 / math.Sqrt(floats.Dot(u, rhs[k])) // u' A u = u' s
		target := d.target[(i*len(us)+k)*inner*inner:]
		for a := range inner {
			for b := range inner {
				target[a*inner+b] = float32(unit * u[(a+1)*m+b+1])
			}
		}
	}
	for a := range m {
		for b := range n {
			d.rootOfEast[i*m*n+a*n+b] = float32(math.Sqrt(p.East[a*m+b]))
			d.rootOfNext[i*m*n+b*m+a] = float32(math.Sqrt(p.Next[b*m+a]))
		}
	}
}
