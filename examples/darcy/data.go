package main

import (
	"fmt"
	"path/filepath"

	"github.com/spamoe/spamoe/internal/npy"
)

// pairs holds count samples on a grid of n x n points: where the coefficient is high (x, 0 or 1), and the solution (y).
type pairs struct {
	count, n int
	x, y     []float32
}

func newPairs(count, n int) *pairs {
	return &pairs{count: count, n: n, x: make([]float32, count*n*n), y: make([]float32, count*n*n)}
}

// sample returns the input and the solution of sample i, n x n each.
func (p *pairs) sample(i int) (x, y []float32) {
	s := p.n * p.n
	return p.x[i*s : (i+1)*s], p.y[i*s : (i+1)*s]
}

// part returns the samples lo .. hi-1.
func (p *pairs) part(lo, hi int) *pairs {
	s := p.n * p.n
	return &pairs{count: hi - lo, n: p.n, x: p.x[lo*s : hi*s], y: p.y[lo*s : hi*s]}
}

// readPairs reads darcy_NAME_x.npy and darcy_NAME_y.npy, both count x n x n, from a folder.
func readPairs(dir, name string) (*pairs, error) {
	var data [2][]float32
	var shape []int
	for i, what := range []string{"x", "y"} {
		path := filepath.Join(dir, "darcy_"+name+"_"+what+".npy")
		a, s, err := npy.Read[float32](path)
		if err != nil {
			return nil, err
		}
		if len(s) != 3 || s[0] < 1 || s[1] < 2 || s[1] != s[2] {
			return nil, fmt.Errorf("%s: shape %s; wanted samples on a square grid, N x n x n", path, npy.FormatShape(s))
		}
		if i == 1 && (s[0] != shape[0] || s[1] != shape[1]) {
			return nil, fmt.Errorf("%s: shape %s; wanted %s as that of the inputs", path, npy.FormatShape(s), npy.FormatShape(shape))
		}
		if err := npy.CheckFinite(path, a, s); err != nil {
			return nil, err
		}
		data[i], shape = a, s
	}
	return &pairs{count: shape[0], n: shape[1], x: data[0], y: data[1]}, nil
}
