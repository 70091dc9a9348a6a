package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func testTranspose[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 24))
	sizes := [][3]int{{2, 333, 257}, {1, 100, 1000}, {3, 1, 9}, {3, 9, 1}, {0, 4, 4}, {1, 64, 64}, {2, 1100, 140}, {1, 520, 8}, {2, 48, 80}}
	for r := 1; r <= 40; r++ {
		for c := 1; c <= 40; c += 1 + r%3 {
			sizes = append(sizes, [3]int{1 + r%2, r, c})
		}
	}
	for _, s := range sizes {
		batch, rows, cols := s[0], s[1], s[2]
		x, _ := guarded[T](batch*rows*cols, rows%5)
		dst, untouched := guarded[T](batch*rows*cols, cols%7)
		sample(x, rng.NormFloat64)
		Transpose(dst, x, batch, rows, cols)
		untouched(t)
		for k := range batch {
			for i := range rows {
				for j := range cols {
					if got, want := dst[(k*cols+j)*rows+i], x[(k*rows+i)*cols+j]; got != want {
						require.Failf(t, "wrong", "%v: [%d,%d,%d] is %v, want %v", s, k, j, i, got, want)
					}
				}
			}
		}
	}
}

func TestTranspose(t *testing.T) {
	eachBody(t, testTranspose[float32])
	t.Run("float64", testTranspose[float64])
	x := make([]float32, 6)
	require.PanicsWithValue(t, "kernel: Transpose: slices of 6 and 6 elements are not 1 x 2 x 4", func() { Transpose(x, x, 1, 2, 4) })
}

// BenchmarkTranspose turns activations from channels last to channels first and back.
func BenchmarkTranspose(b *testing.B) {
	rng := rand.New(rand.NewPCG(25, 26))
	for _, s := range [][3]int{{8, 4900, 128}, {8, 128, 4900}, {1, 39200, 128}} {
		n := s[0] * s[1] * s[2]
		x, d := normals[float32](rng, n), normals[float32](rng, n)
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%dx%dx%d/threads=%d", s[0], s[1], s[2], threads), func(b *testing.B) {
				SetThreads(threads)
				defer SetThreads(0)
				for b.Loop() {
					Transpose(d, x, s[0], s[1], s[2])
				}
				gbps(b, 8*n)
			})
		}
	}
}
