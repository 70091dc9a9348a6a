package main

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/internal/picture"
)

// shown is how many samples of each grid the picture shows.
const shown = 2

// draw writes a picture of the first samples of each test set: input, solution, prediction and their difference. Coarser grids are
// drawn with larger cells, as points of the finest one.
func draw(path string, sets []*pairs, predictions [][]float32) error {
	fine := 0
	for _, p := range sets {
		fine = max(fine, p.n)
	}
	m := picture.Mapping{Input: "Coefficient, high or low"}
	m.Frame = picture.Frame{NZ: fine, NX: fine, DX: 1 / float64(fine), XLabel: "y", ZLabel: "x", Quantity: "Solution u"}
	for k, p := range sets {
		for i := range min(shown, p.count) {
			x, y := p.sample(i)
			m.Inputs = append(m.Inputs, enlarge(x, p.n, fine))
			m.Samples = append(m.Samples, picture.Sample{
				Label:      fmt.Sprintf("%d x %d", p.n, p.n),
				Truth:      enlarge(y, p.n, fine),
				Prediction: enlarge(predictions[k][i*len(y):(i+1)*len(y)], p.n, fine),
			})
		}
	}
	return picture.Save(path, m)
}

// enlarge draws a map of n x n on a grid of fine x fine, a multiple.
func enlarge(x []float32, n, fine int) []float32 {
	if n == fine {
		return slices.Clone(x)
	}
	y := make([]float32, fine*fine)
	for i := range fine {
		for j := range fine {
			y[i*fine+j] = x[i*n/fine*n+j*n/fine]
		}
	}
	return y
}
