package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func testAdamW[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(27, 28))
	lr, beta1, beta2, eps, decay := 1e-2, 0.9, 0.999, 1e-8, 0.1
	for n := range 101 {
		p, untouchedP := guarded[T](n, n%7)
		m, untouchedM := guarded[T](n, n%3)
		v, untouchedV := guarded[T](n, n%5)
		g, _ := guarded[T](n, n%11)
		sample(p, rng.NormFloat64)
		clear(m)
		clear(v)
		wide := func(x []T) []float64 {
			w := make([]float64, len(x))
			for i := range x {
				w[i] = float64(x[i])
			}
			return w
		}
		wp, wm, wv := wide(p), wide(m), wide(v)
		for step := 1; step <= 3; step++ {
			sample(g, rng.NormFloat64)
			g0 := slices.Clone(g)
			bias1, bias2 := 1-math.Pow(beta1, float64(step)), 1-math.Pow(beta2, float64(step))
			AdamW(p, m, v, g, lr, beta1, beta2, eps, decay, bias1, bias2)
			require.Equal(t, g0, g)
			for i, gi := range wide(g) {
				wp[i] *= 1 - lr*decay
				wm[i] = beta1*wm[i] + (1-beta1)*gi
				wv[i] = beta2*wv[i] + (1-beta2)*gi*gi
				wp[i] -= lr * (wm[i] / bias1) / (math.Sqrt(wv[i]/bias2) + eps)
			}
		}
		untouchedP(t)
		untouchedM(t)
		untouchedV(t)
		closeTo(t, func(i int) float64 { return wp[i] }, p, 8, 1, "p of %d", n)
		closeTo(t, func(i int) float64 { return wm[i] }, m, 8, 1, "m of %d", n)
		closeTo(t, func(i int) float64 { return wv[i] }, v, 8, 0, "v of %d", n)
	}
}

func TestAdamW(t *testing.T) {
	eachBody(t, testAdamW[float32])
	t.Run("float64", testAdamW[float64])
	x := make([]float32, 3)
	require.PanicsWithValue(t, "kernel: AdamW: lengths differ: p 3, m 3, v 3, g 2", func() { AdamW(x, x, x, x[:2], 1, 0, 0, 0, 0, 1, 1) })
}

// BenchmarkAdamW steps the parameters of one spectral convolution.
func BenchmarkAdamW(b *testing.B) {
	rng := rand.New(rand.NewPCG(29, 30))
	const n = 4_700_000
	p, g := normals[float32](rng, n), normals[float32](rng, n)
	m, v := make([]float32, n), make([]float32, n)
	AdamW(p, m, v, g, 1e-9, 0.9, 0.999, 1e-8, 1e-4, 0.1, 0.001)
	for b.Loop() {
		AdamW(p, m, v, g, 1e-9, 0.9, 0.999, 1e-8, 1e-4, 0.1, 0.001)
	}
	gbps(b, 7*4*n)
}
