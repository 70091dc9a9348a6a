package wave

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// textbook holds the weights of the second derivative of each order: of the cell itself, and of both neighbours at each distance.
var textbook = map[int][]float64{
	2: {-2, 1},
	4: {-5. / 2, 4. / 3, -1. / 12},
	6: {-49. / 18, 3. / 2, -3. / 20, 1. / 90},
	8: {-205. / 72, 8. / 5, -1. / 5, 8. / 315, -1. / 560},
}

func TestStencilWeights(t *testing.T) {
	for order, weights := range textbook {
		k := stencils[order]
		require.Equal(t, order, 2*k.reach)
		first, centre, peak := k.num/k.den, 0.0, 0.0
		for d := 1; d <= k.reach; d++ {
			w := first * k.ratio[d-1]
			require.InDelta(t, weights[d], w, 1e-15)
			centre -= 2 * w
			if d%2 == 1 {
				peak += 4 * w
			}
		}
		require.InDelta(t, weights[0], centre, 1e-14)
		require.InDelta(t, peak, k.peak, 1e-13)
	}
}

// strips are of every height and width that blocks of four rows and vectors can leave over.
func randomStrip(rng *rand.Rand, reach, rows, vectors int) strip[float32] {
	draw := func(n int, scale float32) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = scale * (rng.Float32() - 0.5)
		}
		return x
	}
	stride := lead + vectors*lane + lane
	size := (rows+2*reach)*stride + lane
	k := stencils[2*reach]
	b := strip[float32]{
		prev: draw(size, 1), now: draw(size, 1), lap: draw(size, 1), at: reach*stride + lead, rows: rows, vectors: vectors, stride: stride,
		accel: draw(size, 1), keep: draw(size, 2), accelAt: 32, accelStep: stride, keepAt: (rows-1)*stride + 48, keepStep: -stride,
		reach: reach, ratio: new([reachMax]float32),
	}
	for d, r := range k.ratio {
		b.ratio[d] = float32(r)
	}
	return b
}

// definition is the strip's formula in float64.
func definition(b *strip[float32]) (prev, lap []float64) {
	f := func(i int) float64 { return float64(b.now[i]) }
	weights := textbook[2*b.reach]
	for r := range b.rows {
		for i := range b.vectors * lane {
			at := b.at + r*b.stride + i
			l := 2 * weights[0] * f(at)
			for d := 1; d <= b.reach; d++ {
				l += weights[d] * (f(at-d) + f(at+d) + f(at-d*b.stride) + f(at+d*b.stride))
			}
			l /= weights[1]
			keep, accel := float64(b.keep[b.keepAt+r*b.keepStep+i]), float64(b.accel[b.accelAt+r*b.accelStep+i])
			prev, lap = append(prev, f(at)+keep*(f(at)-float64(b.prev[at]))+accel*l), append(lap, l)
		}
	}
	return prev, lap
}

func cells(b *strip[float32], x []float32) []float32 {
	var all []float32
	for r := range b.rows {
		all = append(all, x[b.at+r*b.stride:][:b.vectors*lane]...)
	}
	return all
}

// Every implementation computes the same bits, with and without the Laplacian, and leaves all else alone.
func TestStencilsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for reach := 1; reach <= reachMax; reach++ {
		for rows := 1; rows <= 9; rows++ {
			for vectors := 1; vectors <= 3; vectors++ {
				b := randomStrip(rng, reach, rows, vectors)
				if rows%2 == 0 {
					b.accelStep = 0
				}
				prev, lap := definition(&b)
				want := b
				want.prev, want.lap = append([]float32(nil), b.prev...), append([]float32(nil), b.lap...)
				stencilGeneric(&want)
				require.Less(t, relative(cells(&b, want.prev), prev), 1e-6)
				require.Less(t, relative(cells(&b, want.lap), lap), 1e-6)
				for name, run := range implementations() {
					got := b
					got.prev, got.lap = append([]float32(nil), b.prev...), append([]float32(nil), b.lap...)
					run(&got)
					require.Equal(t, want.prev, got.prev, "%s, order %d, %d rows of %d vectors", name, 2*reach, rows, vectors)
					require.Equal(t, want.lap, got.lap)
					got = b
					got.prev, got.lap = append([]float32(nil), b.prev...), nil
					run(&got)
					require.Equal(t, want.prev, got.prev, "%s without Laplacian", name)
				}
			}
		}
	}
}

func BenchmarkStencil(b *testing.B) {
	for _, reach := range []int{1, 2, 3, 4} {
		for name, run := range implementations() {
			for _, lap := range []bool{false, true} {
				b.Run(fmt.Sprintf("order=%d/%s/lap=%v", 2*reach, name, lap), func(b *testing.B) {
					s := randomStrip(rand.New(rand.NewPCG(1, 2)), reach, 4, 20)
					for i := range s.accel {
						s.accel[i], s.keep[i] = 0.05, 0.99 // a stable step
					}
					if !lap {
						s.lap = nil
					}
					for b.Loop() {
						run(&s)
					}
					b.ReportMetric(4*20*lane*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gpts/s")
				})
			}
		}
	}
}
