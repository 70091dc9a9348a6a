package main

import (
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/fno"
)

// operator maps the logarithm of a coefficient to approximate solutions of A v = s for the sources s, up to factors.
type operator struct{ net *fno.Model }

// outputScale is the size of a function of unit energy on the unit square: the mean square of u is at most its energy over 2 pi^2.
const outputScale = 0.2

func newOperator(rng *rand.Rand) (*operator, error) {
	net, err := fno.New(fno.Config{In: 1, Out: side * side, Hidden: 32, Modes: []int{13, 13}}, rng)
	if err != nil {
		return nil, err
	}
	return &operator{net: net}, nil
}

// forward returns nb x side^2 x n x n for the inputs x, nb x n x n, at the points (i/n, j/n), 0 <= i, j < n.
func (o *operator) forward(t *autograd.Tape, x []float32, n int) *autograd.Value {
	in := t.Const(autograd.FromSlice(x, len(x)/(n*n), 1, n, n))
	return autograd.Scale(o.net.Forward(in), outputScale)
}

// input sets x, n x n, to what the operator sees of a problem.
func (p *problem) input(x []float32) {
	for i := range p.N {
		for j := range p.N {
			x[i*p.N+j] = float32(p.log[i*(p.N+1)+j] / spread)
		}
	}
}

// basis returns the operator's vectors for a problem, on the problem's own grid and zero on the boundary.
func (o *operator) basis(p *problem) [][]float64 {
	n, m := p.N, p.N+1
	x := make([]float32, n*n)
	p.input(x)
	y := o.forward(&autograd.Tape{NoGrad: true}, x, n).Data
	vs := make([][]float64, side*side)
	for k := range vs {
		vs[k] = make([]float64, m*m)
		for i := 1; i < n; i++ {
			for j := 1; j < n; j++ {
				vs[k][i*m+j] = float64(y[(k*n+i)*n+j])
			}
		}
	}
	return vs
}
