package main

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// image carries the values at all (n+1) x (n+1) vertices along with a symmetry, exactly.
func (s symmetry) image(v []float64, n int) []float64 {
	m := n + 1
	w := make([]float64, m*m)
	for i := range m {
		for j := range m {
			k, l := i, j
			if s&4 != 0 {
				k, l = l, k
			}
			if s&1 != 0 {
				k = n - k
			}
			if s&2 != 0 {
				l = n - l
			}
			w[i*m+j] = v[k*m+l]
		}
	}
	return w
}

// stored returns what a map keeps of the values at all vertices: without the last lines.
func stored(v []float64, n int) []float32 {
	var w []float32
	for i := range n {
		for j := range n {
			w = append(w, float32(v[i*(n+1)+j]))
		}
	}
	return w
}

// The images of a sample are samples of Darcy's equation: exactly so where the coefficient does not change between the lines n-1
// and n, the second of which is not stored.
func TestSymmetriesOfTheEquation(t *testing.T) {
	const n = 16
	const m = n + 1
	a, one := randomCoefficient(n, 11), onVertices(n, constant(1))
	for i := range m {
		a[i*m+n] = a[i*m+n-1]
	}
	copy(a[n*m:], a[(n-1)*m:n*m])
	u := mustSolve(t, n, a, one)
	x, y := make([]float32, n*n), make([]float32, n*n)
	seen := map[string]bool{}
	for s := range symmetry(symmetries) {
		s.input(x, stored(a, n), n)
		s.solution(y, stored(u, n), n)
		imageOfA := s.image(a, n)
		require.Equal(t, stored(imageOfA, n), x, "symmetry %d", s)
		require.InDeltaSlice(t, stored(mustSolve(t, n, imageOfA, one), n), y, 1e-7, "symmetry %d", s)
		key := make([]byte, len(x))
		for i, v := range x {
			key[i] = byte(v)
		}
		seen[string(key)] = true
	}
	require.Len(t, seen, symmetries, "they differ from each other")
}

// The mean over the symmetries makes any operator equivariant. Media that do not change between the lines 0 and 1 have exact images.
func TestPredictionIsEquivariant(t *testing.T) {
	const n = 16
	data := newPairs(1, n)
	mask := medium(n, rand.New(rand.NewPCG(3, 0)))
	for i := range n {
		for j := range n {
			data.x[i*n+j] = mask[max(i, 1)*(n+1)+max(j, 1)]
			data.y[i*n+j] = float32(i * j)
		}
	}
	o, err := newOperator(data, rand.New(rand.NewPCG(1, 0)))
	require.NoError(t, err)
	u := o.predict(data.x, n, symmetries)
	require.NotEqual(t, u, o.predict(data.x, n, 1), "the network alone has no symmetry")
	for s := range symmetry(symmetries) {
		x := make([]float32, n*n)
		s.input(x, data.x, n)
		got := o.predict(x, n, symmetries)
		for i := 1; i < n; i++ {
			for j := 1; j < n; j++ {
				k, l, known := s.source(n, i, j)
				require.True(t, known)
				require.InDelta(t, u[k*n+l], got[i*n+j], 1e-3, "symmetry %d at %d, %d", s, i, j) // of solutions up to 225
			}
		}
	}
}
