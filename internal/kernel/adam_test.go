package kernel

import (
	"fmt"
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
		a, untouchedA := guarded[T](n, n%4)
		sample(p, rng.NormFloat64)
		clear(m)
		clear(v)
		copy(a, p)
		wide := func(x []T) []float64 {
			w := make([]float64, len(x))
			for i := range x {
				w[i] = float64(x[i])
			}
			return w
		}
		wp, wm, wv, wa := wide(p), wide(m), wide(v), wide(a)
		for step := 1; step <= 3; step++ {
			sample(g, rng.NormFloat64)
			g0 := slices.Clone(g)
			bias1, bias2 := 1-math.Pow(beta1, float64(step)), 1-math.Pow(beta2, float64(step))
			s := AdamStep{lr, beta1, beta2, eps, decay, bias1, bias2, 1 / float64(step), 0.25}
			if step == 2 {
				AdamW(p, m, v, g, nil, s)
				Blend(a, p, T(s.Blend))
			} else {
				AdamW(p, m, v, g, a, s)
			}
			require.Equal(t, g0, g)
			for i, gi := range wide(g) {
				gi *= s.Scale
				wp[i] *= 1 - lr*decay
				wm[i] = beta1*wm[i] + (1-beta1)*gi
				wv[i] = beta2*wv[i] + (1-beta2)*gi*gi
				wp[i] -= lr * (wm[i] / bias1) / (math.Sqrt(wv[i]/bias2) + eps)
				wa[i] += s.Blend * (wp[i] - wa[i])
			}
		}
		untouchedP(t)
		untouchedM(t)
		untouchedV(t)
		untouchedA(t)
		closeTo(t, func(i int) float64 { return wp[i] }, p, 8, 1, "p of %d", n)
		closeTo(t, func(i int) float64 { return wm[i] }, m, 8, 1, "m of %d", n)
		closeTo(t, func(i int) float64 { return wv[i] }, v, 8, 0, "v of %d", n)
		closeTo(t, func(i int) float64 { return wa[i] }, a, 8, 1, "a of %d", n)
	}
}

func TestAdamW(t *testing.T) {
	eachBody(t, testAdamW[float32])
	t.Run("float64", testAdamW[float64])
	x := make([]float32, 3)
	require.PanicsWithValue(t, "kernel: AdamW: lengths differ: p 3, m 3, v 3, g 2, a 0", func() { AdamW(x, x, x, x[:2], nil, AdamStep{}) })
}

// In spans of a long slice the average gets the same bits as in a pass of its own.
func TestAdamWSpans(t *testing.T) {
	rng := rand.New(rand.NewPCG(29, 30))
	const n = 3*elemGrain + 1001
	p, g, m, v := normals[float32](rng, n), normals[float32](rng, n), make([]float32, n), make([]float32, n)
	a, s := normals[float32](rng, n), AdamStep{1e-2, 0.9, 0.999, 1e-8, 0.1, 0.1, 0.001, 0.5, 0.01}
	p2, m2, v2, a2 := slices.Clone(p), slices.Clone(m), slices.Clone(v), slices.Clone(a)
	AdamW(p, m, v, g, a, s)
	AdamW(p2, m2, v2, g, nil, s)
	Blend(a2, p2, 0.01)
	require.Equal(t, [][]float32{p2, m2, v2, a2}, [][]float32{p, m, v, a})
}

// BenchmarkAdamW steps the parameters of one spectral convolution, with and without their average.
func BenchmarkAdamW(b *testing.B) {
	rng := rand.New(rand.NewPCG(29, 30))
	const n = 4_700_000
	p, g := normals[float32](rng, n), normals[float32](rng, n)
	m, v := make([]float32, n), make([]float32, n)
	s := AdamStep{1e-9, 0.9, 0.999, 1e-8, 1e-4, 0.1, 0.001, 0.5, 0.01}
	for _, a := range [][]float32{nil, make([]float32, n)} {
		b.Run(fmt.Sprintf("average=%v", a != nil), func(b *testing.B) {
			AdamW(p, m, v, g, a, s)
			for b.Loop() {
				AdamW(p, m, v, g, a, s)
			}
			passes := 7
			if a != nil {
				passes = 9
			}
			gbps(b, passes*4*n)
		})
	}
}
