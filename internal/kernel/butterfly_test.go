package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func testButterfly[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for _, rows := range []int{1, 2, 5} {
		for n := 1; n <= 40; n++ {
			for _, acc := range []bool{false, true} {
				a, b := randomFFT[T](rng, rows*n+3), randomFFT[T](rng, rows*(n+2)+n)
				sum, diff := randomFFT[T](rng, rows*(n+5)+n), randomFFT[T](rng, rows*n+1)
				s0, d0 := append([]T{}, sum...), append([]T{}, diff...)
				back := Rows[T]{b, (rows - 1) * (n + 2), -(n + 2)}
				Butterfly(rows, n, Rows[T]{sum, 2, n + 5}, Rows[T]{diff, (rows - 1) * n, -n}, Rows[T]{a, 3, n}, back, acc)
				for i := range rows {
					for j := range n {
						x, y := a[3+i*n+j], b[(rows-1-i)*(n+2)+j]
						at, dt := 2+i*(n+5)+j, (rows-1-i)*n+j
						if acc {
							s0[at] += x + y
							d0[dt] += x - y
						} else {
							s0[at], d0[dt] = x+y, x-y
						}
					}
				}
				require.Equal(t, s0, sum, fmt.Sprint(rows, n, acc)) // and nothing beside the rows has changed
				require.Equal(t, d0, diff, fmt.Sprint(rows, n, acc))
			}
		}
	}
	x := randomFFT[T](rng, 32) // in place
	want := append([]T{}, x...)
	Butterfly(1, 16, Rows[T]{x, 0, 0}, Rows[T]{x, 16, 0}, Rows[T]{x, 0, 0}, Rows[T]{x, 16, 0}, false)
	for j := range 16 {
		require.Equal(t, want[j]+want[16+j], x[j])
		require.Equal(t, want[j]-want[16+j], x[16+j])
	}
}

func TestButterfly(t *testing.T) {
	t.Run("float32", testButterfly[float32])
	t.Run("float64", testButterfly[float64])
	x := make([]float32, 20)
	require.PanicsWithValue(t, "kernel: Butterfly: 3 rows of 8 elements from 8 on, -8 apart, in a slice of 20: b", func() {
		Butterfly(3, 8, Rows[float32]{x, 0, 0}, Rows[float32]{x, 0, 0}, Rows[float32]{x, 0, 0}, Rows[float32]{x, 8, -8}, false)
	})
}

// Folding one image row of 70 points and 128 channels.
func BenchmarkButterfly(b *testing.B) {
	rng := rand.New(rand.NewPCG(2, 3))
	const n, nc = 70, 128
	x, y := randomFFT[float32](rng, n*nc), make([]float32, n*nc)
	for b.Loop() {
		Butterfly(n/2-1, nc, Rows[float32]{y, nc, nc}, Rows[float32]{y, n / 2 * nc, nc}, Rows[float32]{x, nc, nc}, Rows[float32]{x, (n - 1) * nc, -nc}, false)
	}
	b.ReportMetric(4*2*2*float64(n/2-1)*nc*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
}
