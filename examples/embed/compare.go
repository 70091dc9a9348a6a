package main

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/floats"
)

// method is one way to solve a problem.
type method struct {
	*result
	setup, solve time.Duration // before the iteration, and in it
	residual     float64       // ||b - A u|| / ||b|| of the answer, from u itself
	miss         float64       // ||u - d|| / ||d||, d from the direct solver
}

// The ways to solve a problem: without a coarse space, and with that of the operator, of the sources themselves, of more sines than the
// operator has vectors, and of the operator and the sources together.
const (
	without = iota
	with
	few
	many
	both
	ways
)

// manySines is the number of sines along each axis in the larger space of sines.
const manySines = 6

var names = [ways]string{"without", "operator", fmt.Sprintf("%d sines", side*side), fmt.Sprintf("%d sines", manySines*manySines),
	fmt.Sprintf("operator and %d sines", side*side)}

// comparison is one problem solved in all ways.
type comparison struct {
	by        [ways]*method
	surrogate float64 // relative energy error of the best answer in the operator's space, where the iteration starts
}

// ratio is the number of iterations with the operator over that without.
func (c *comparison) ratio() float64 {
	return float64(c.by[with].iterations()) / float64(c.by[without].iterations())
}

// compare solves p in all ways, with the same incomplete factorisation, tolerance and code.
func compare(p *problem, o *operator) (*comparison, error) {
	exact, err := direct(p.Scheme, [][]float64{p.b})
	if err != nil {
		return nil, err
	}
	var vs [][]float64
	spaces := [ways]func() [][]float64{
		with: func() [][]float64 { vs = o.basis(p); return vs },
		few:  func() [][]float64 { return sources(p.N) },
		many: func() [][]float64 { return sines(p.N, manySines) },
		both: func() [][]float64 { return append(o.basis(p), sources(p.N)...) },
	}
	c := &comparison{}
	for k, space := range spaces {
		if c.by[k], err = run(p, space, exact[0]); err != nil {
			return nil, fmt.Errorf("%s: %w", names[k], err)
		}
	}

	two := newTwoLevel(p.Scheme, newIncomplete(p.Scheme), vs)
	u, rest := make([]float64, len(p.b)), make([]float64, len(p.b))
	two.correct(u, p.b)
	// The energy of the error e of u: e' A e = e' (A u - b).
	p.Apply(rest, u)
	floats.Sub(rest, p.b)
	floats.Sub(u, exact[0])
	c.surrogate = math.Sqrt(math.Abs(floats.Dot(u, rest)) / floats.Dot(exact[0], p.b))
	return c, nil
}

// run solves p with a coarse space, nil for none, and compares the answer with the exact one.
func run(p *problem, space func() [][]float64, exact []float64) (*method, error) {
	begin := time.Now()
	var m preconditioner = newIncomplete(p.Scheme)
	start := make([]float64, len(p.b))
	if space != nil {
		two := newTwoLevel(p.Scheme, m, space())
		two.correct(start, p.b)
		m = two
	}
	ready := time.Now()
	r, err := solve(p.Scheme, m, p.b, start)
	if err != nil {
		return nil, err
	}
	out := &method{result: r, setup: ready.Sub(begin), solve: time.Since(ready)}
	rest := make([]float64, len(p.b))
	p.Apply(rest, r.u)
	out.residual = floats.Distance(p.b, rest, 2) / norm(p.b)
	out.miss = floats.Distance(r.u, exact, 2) / norm(exact)
	return out, nil
}
