package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// rowSizes are matrices around the widths of vectors, and some that are cut among threads.
var rowSizes = func() [][2]int {
	var s [][2]int
	for n := 1; n <= 100; n++ {
		s = append(s, [2]int{1 + n%4, n})
	}
	return append(s, [2]int{700, 100}, [2]int{3, 40000}, [2]int{2000, 33}, [2]int{0, 5})
}()

func normals[T Float](rng *rand.Rand, n int) []T {
	x := make([]T, n)
	sample(x, rng.NormFloat64)
	return x
}

// closeTo compares with a float64 reference, in rounding units of T relative to scale.
func closeTo[T Float](t *testing.T, want func(i int) float64, got []T, units, scale float64, what string, args ...any) {
	t.Helper()
	for i, v := range got {
		w := want(i)
		if e := math.Abs(float64(v) - w); !(e <= units*unit[T]()*(scale+math.Abs(w))) {
			require.Failf(t, fmt.Sprintf(what, args...), "at %d: got %v, want %v", i, v, w)
		}
	}
}

func testRows[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, s := range rowSizes {
		rows, n := s[0], s[1]
		x, untouchedX := guarded[T](rows*n, n%7)
		sample(x, rng.NormFloat64)
		x0 := slices.Clone(x)
		y, v := normals[T](rng, rows*n), normals[T](rng, n)
		u := normals[T](rng, rows)

		AddRow(x, x, v, rows, n)
		closeTo(t, func(i int) float64 { return float64(x0[i]) + float64(v[i%n]) }, x, 1, 0, "AddRow %d x %d", rows, n)
		copy(x, x0)
		MulRow(x, x, v, rows, n)
		closeTo(t, func(i int) float64 { return float64(x0[i]) * float64(v[i%n]) }, x, 1, 0, "MulRow %d x %d", rows, n)
		copy(x, x0)
		MulAddRow(x, y, v, rows, n)
		closeTo(t, func(i int) float64 { return float64(x0[i]) + float64(y[i])*float64(v[i%n]) }, x, 2, 10, "MulAddRow %d x %d", rows, n)
		copy(x, x0)
		ScaleShiftRows(x, x, u, u, rows, n, false)
		closeTo(t, func(i int) float64 { return (float64(x0[i]) + 1) * float64(u[i/n]) }, x, 3, 10, "ScaleShiftRows %d x %d", rows, n)
		copy(x, x0)
		untouchedX(t)

		sums, dots := make([]float64, n), make([]float64, n)
		rowSums, rowDots := make([]float64, rows), make([]float64, rows)
		for i := range rows {
			for j := range n {
				a, b := float64(x[i*n+j]), float64(y[i*n+j])
				sums[j] += a
				dots[j] += a * b
				rowSums[i] += a
				rowDots[i] += a * b
			}
		}
		// Sums are exact to float64's rounding before they are stored.
		tol := float64(rows+n) * 0x1p-50 / unit[T]()
		for _, acc := range []bool{false, true} {
			base := 0.0
			if acc {
				base = 3
			}
			col, untouched := guarded[T](n, n%5)
			row := make([]T, rows)
			start := func(d []T) {
				for i := range d {
					d[i] = 3
				}
			}
			start(col)
			ColSum(col, x, rows, n, acc)
			closeTo(t, func(j int) float64 { return base + sums[j] }, col, 2+tol, base, "ColSum %d x %d", rows, n)
			start(col)
			ColDot(col, x, y, rows, n, acc)
			closeTo(t, func(j int) float64 { return base + dots[j] }, col, 2+tol, base, "ColDot %d x %d", rows, n)
			untouched(t)
			start(row)
			RowSum(row, x, rows, n, acc)
			closeTo(t, func(i int) float64 { return base + rowSums[i] }, row, 2+tol, base, "RowSum %d x %d", rows, n)
			start(row)
			RowDot(row, x, y, rows, n, acc)
			closeTo(t, func(i int) float64 { return base + rowDots[i] }, row, 2+tol, base, "RowDot %d x %d", rows, n)

			gx := make([]T, rows*n)
			start(gx)
			start(col)
			MulRowGrad(gx, col, y, x, v, rows, n, acc, acc)
			closeTo(t, func(i int) float64 { return base + float64(y[i])*float64(v[i%n]) }, gx, 2, 10, "MulRowGrad gx %d x %d", rows, n)
			closeTo(t, func(j int) float64 { return base + dots[j] }, col, 2+tol, base, "MulRowGrad gv %d x %d", rows, n)
		}
	}
}

func TestRows(t *testing.T) {
	eachBody(t, testRows[float32])
	t.Run("float64", testRows[float64])
}

func TestRowsPanicOnSizes(t *testing.T) {
	x := make([]float32, 6)
	require.PanicsWithValue(t, "kernel: AddRow: slice of 6 elements is not 2 rows of 4", func() { AddRow(x, x, x[:4], 2, 4) })
	require.PanicsWithValue(t, "kernel: MulRow: row of 2 elements for 3 columns", func() { MulRow(x, x, x[:2], 2, 3) })
	require.PanicsWithValue(t, "kernel: ColSum: destination of 2 elements for 3 columns", func() { ColSum(x[:2], x, 2, 3, false) })
}

// BenchmarkRows runs on channels-last activations of a batch of eight, and on the tokens of the encoder.
func BenchmarkRows(b *testing.B) {
	rng := rand.New(rand.NewPCG(9, 10))
	for _, s := range [][2]int{{39200, 128}, {1386, 384}} {
		rows, n := s[0], s[1]
		x, y, v := normals[float32](rng, rows*n), normals[float32](rng, rows*n), normals[float32](rng, n)
		d := normals[float32](rng, rows*n)
		for _, c := range []struct {
			name  string
			words int
			run   func()
		}{
			{"AddRow", 2, func() { AddRow(d, x, v, rows, n) }},
			{"MulAddRow", 3, func() { MulAddRow(d, x, v, rows, n) }},
			{"ColSum", 1, func() { ColSum(v, x, rows, n, false) }},
			{"ColDot", 2, func() { ColDot(v, x, y, rows, n, false) }},
			{"RowSum", 1, func() { RowSum(d[:rows], x, rows, n, false) }},
		} {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%dx%d/threads=%d", c.name, rows, n, threads), func(b *testing.B) {
					SetThreads(threads)
					defer SetThreads(0)
					for b.Loop() {
						c.run()
					}
					gbps(b, 4*rows*n*c.words)
				})
			}
		}
	}
}
