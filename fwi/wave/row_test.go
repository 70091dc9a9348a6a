package wave

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// lap4Loop is the definition in float64.
func lap4Loop(prev, mid, n1, n2, s1, s2, accel, keep []float32) []float64 {
	out := make([]float64, len(prev))
	for i := range prev {
		f := func(x []float32, i int) float64 { return float64(x[i]) }
		c := f(mid, i+2)
		near := f(mid, i+1) + f(mid, i+3) + f(n1, i) + f(s1, i)
		far := f(mid, i) + f(mid, i+4) + f(n2, i) + f(s2, i)
		out[i] = c + f(keep, i)*(c-f(prev, i)) + f(accel, i)*(near-4*c-(far-4*c)/16)
	}
	return out
}

// Every implementation computes the same bits, whatever the width, and leaves what lies beyond its vectors alone.
func TestRowsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	impl := rows()
	for n := 1; n <= 100; n++ {
		size := lead + (n+halo+lane-1)/lane*lane + lane
		draw := func(cells int) []float32 {
			x := make([]float32, size)
			for i := range cells {
				x[lead+i] = rng.Float32() - 0.5
			}
			return x
		}
		mid, n1, n2, s1, s2 := draw(n+2), draw(n), draw(n), draw(n), draw(n)
		mid[lead-1], mid[lead-2] = 0.25, -0.5
		accel, keep, before := draw(n), draw(n), draw(n)
		before[len(before)-1] = 77
		cells := func(x []float32) []float32 { return x[lead:][:n] }
		run := func(row rowFunc[float32]) []float32 {
			prev := append([]float32(nil), before...)
			row(cells(prev), mid[lead-halo:][:n+2*halo], cells(n1), cells(n2), cells(s1), cells(s2), cells(accel), cells(keep))
			require.Equal(t, before[:lead], prev[:lead])
			require.Equal(t, float32(77), prev[len(prev)-1])
			return cells(prev)
		}
		want := run(rowGeneric[float32])
		exact := lap4Loop(cells(before), mid[lead-halo:][:n+2*halo], cells(n1), cells(n2), cells(s1), cells(s2), cells(accel), cells(keep))
		require.Less(t, relative(want, exact), 1e-6)
		for name, row := range impl {
			require.Equal(t, want, run(row), "%s, %d cells", name, n)
		}
	}
}

func BenchmarkRow(b *testing.B) {
	const n = 310
	buf := make([][]float32, 8)
	for k := range buf {
		buf[k] = make([]float32, 352)
		for i := range buf[k] {
			buf[k][i] = 1e-3 * float32(i*(k+1)%17)
		}
	}
	for i := range n { // a stable step
		buf[6][lead+i], buf[7][lead+i] = 0.1, 0.99
	}
	c := func(k int) []float32 { return buf[k][lead:][:n] }
	for name, row := range rows() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				row(c(0), buf[1][lead-halo:][:n+2*halo], c(2), c(3), c(4), c(5), c(6), c(7))
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gpts/s")
		})
	}
}
