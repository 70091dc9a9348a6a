package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func testTransposeBlock[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 3))
	for rows := 1; rows <= 40; rows += 1 + rows/9 {
		for cols := 1; cols <= 40; cols += 1 + cols/7 {
			ldx, ldd := cols+rows%4, rows+cols%5
			x, dst := randomFFT[T](rng, rows*ldx), randomFFT[T](rng, cols*ldd)
			want := append([]T{}, dst...)
			for i := range rows {
				for j := range cols {
					want[j*ldd+i] = x[i*ldx+j]
				}
			}
			TransposeBlock(dst, ldd, x, ldx, rows, cols)
			require.Equal(t, want, dst) // and nothing between the rows has changed
		}
	}
}

func TestTransposeBlock(t *testing.T) {
	eachBody(t, testTransposeBlock[float32])
	t.Run("float64", testTransposeBlock[float64])
	require.PanicsWithValue(t, "kernel: TransposeBlock: 3 x 4 from rows 3 apart in 12 elements to rows 3 apart in 12", func() {
		TransposeBlock(make([]float32, 12), 3, make([]float32, 12), 3, 3, 4)
	})
}
