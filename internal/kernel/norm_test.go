package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func testSoftmax[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	for _, s := range rowSizes {
		rows, n := s[0], s[1]
		x, _ := guarded[T](rows*n, n%7)
		y, untouchedY := guarded[T](rows*n, n%3)
		g, gx := normals[T](rng, rows*n), normals[T](rng, rows*n)
		sample(x, func() float64 { return 5 * rng.NormFloat64() })
		want, wantG, g0 := make([]float64, rows*n), make([]float64, rows*n), slices.Clone(gx)
		for i := range rows {
			var sum, dot float64
			m := float64(slices.Max(x[i*n : (i+1)*n]))
			for j := i * n; j < (i+1)*n; j++ {
				want[j] = math.Exp(float64(x[j]) - m)
				sum += want[j]
			}
			for j := i * n; j < (i+1)*n; j++ {
				want[j] /= sum
				dot += want[j] * float64(g[j])
			}
			for j := i * n; j < (i+1)*n; j++ {
				wantG[j] = want[j] * (float64(g[j]) - dot)
			}
		}
		Softmax(y, x, rows, n)
		untouchedY(t)
		// The difference from the maximum, up to 40, may round by a unit of its own, which the exponential makes relative.
		closeTo(t, func(i int) float64 { return want[i] }, y, 50, 1e-30, "Softmax %d x %d", rows, n)
		SoftmaxGrad(gx, g, y, rows, n, false)
		closeTo(t, func(i int) float64 { return wantG[i] }, gx, 60, 1e-1, "SoftmaxGrad %d x %d", rows, n)
		copy(gx, g0)
		SoftmaxGrad(gx, g, y, rows, n, true)
		closeTo(t, func(i int) float64 { return float64(g0[i]) + wantG[i] }, gx, 60, 1, "SoftmaxGrad acc %d x %d", rows, n)
		SoftmaxGrad(g, g, y, rows, n, false)
		closeTo(t, func(i int) float64 { return wantG[i] }, g, 60, 1e-1, "SoftmaxGrad in place %d x %d", rows, n)
		Softmax(x, x, rows, n)
		require.Equal(t, y, x)
	}
}

func TestSoftmax(t *testing.T) {
	eachBody(t, testSoftmax[float32])
	t.Run("float64", testSoftmax[float64])
	eachBody(t, func(t *testing.T) {
		inf, nan := float32(math.Inf(1)), float32(math.NaN())
		for _, n := range []int{3, 16, 19, 40} {
			for at := range n {
				x, y := make([]float32, n), make([]float32, n)
				x[at] = nan
				Softmax(y, x, 1, n)
				for _, v := range y {
					require.True(t, v != v, "NaN at %d of %d: %v", at, n, y)
				}
				x[at] = -inf
				Softmax(y, x, 1, n)
				for i, v := range y {
					want := 1 / float64(n-1)
					if i == at {
						want = 0
					}
					require.InDelta(t, want, v, 1e-6)
				}
				x[at] = 1000
				Softmax(y, x, 1, n)
				require.Equal(t, float32(1), y[at])
			}
		}
	})
}

func testLayerNorm[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	const eps = 1e-5
	for _, s := range rowSizes {
		rows, n := s[0], s[1]
		if n < 2 {
			continue
		}
		x, _ := guarded[T](rows*n, n%7)
		y, untouchedY := guarded[T](rows*n, n%3)
		sample(x, func() float64 { return 2*rng.NormFloat64() + 1 })
		g, w, b := normals[T](rng, rows*n), normals[T](rng, n), normals[T](rng, n)
		mean, rstd := make([]T, rows), make([]T, rows)
		for _, affine := range []bool{true, false} {
			ws, bs := w, b
			weight, bias := func(j int) float64 { return float64(w[j]) }, func(j int) float64 { return float64(b[j]) }
			if !affine {
				ws, bs = nil, nil
				weight, bias = func(int) float64 { return 1 }, func(int) float64 { return 0 }
			}
			h, gx := make([]float64, rows*n), make([]float64, rows*n)
			gw, gb := make([]float64, n), make([]float64, n)
			for i := range rows {
				var m, v float64
				for j := range n {
					m += float64(x[i*n+j]) / float64(n)
				}
				for j := range n {
					v += (float64(x[i*n+j]) - m) * (float64(x[i*n+j]) - m) / float64(n)
				}
				s := 1 / math.Sqrt(v+eps)
				var a, c float64
				for j := range n {
					k := i*n + j
					h[k] = (float64(x[k]) - m) * s
					gw[j] += float64(g[k]) * h[k]
					gb[j] += float64(g[k])
					a += float64(g[k]) * weight(j) / float64(n)
					c += float64(g[k]) * weight(j) * h[k] / float64(n)
				}
				for j := range n {
					k := i*n + j
					gx[k] = s * (float64(g[k])*weight(j) - a - h[k]*c)
				}
			}
			LayerNorm(y, mean, rstd, x, ws, bs, rows, n, eps)
			untouchedY(t)
			// The float64 sums of the moments round too.
			sums := float64(n) / 500 * 0x1p-53 / unit[T]()
			closeTo(t, func(k int) float64 { return h[k]*weight(k%n) + bias(k%n) }, y, 8+sums, 4, "LayerNorm %d x %d", rows, n)
			// A row of two has a variance as small as chance makes it: the gradient's scale is rstd.
			size := 1.0
			for _, s := range rstd {
				size = max(size, float64(s)*float64(s))
			}
			dx, dw, db := normals[T](rng, rows*n), normals[T](rng, n), normals[T](rng, n)
			dx0, dw0, db0 := slices.Clone(dx), slices.Clone(dw), slices.Clone(db)
			LayerNormGrad(dx, dw, db, g, x, ws, mean, rstd, rows, n, true, true)
			many := math.Sqrt(float64(rows))
			closeTo(t, func(k int) float64 { return float64(dx0[k]) + gx[k] }, dx, 16+sums, 8*size, "gx acc %d x %d", rows, n)
			closeTo(t, func(j int) float64 { return float64(dw0[j]) + gw[j] }, dw, 16+sums, 8*size+8*many, "gw acc %d x %d", rows, n)
			closeTo(t, func(j int) float64 { return float64(db0[j]) + gb[j] }, db, 16, 4*many, "gb acc %d x %d", rows, n)
			LayerNormGrad(nil, dw, db, g, x, ws, mean, rstd, rows, n, false, false)
			closeTo(t, func(j int) float64 { return gw[j] }, dw, 16+sums, 8*size+8*many, "gw %d x %d", rows, n)
			closeTo(t, func(j int) float64 { return gb[j] }, db, 16, 4*many, "gb %d x %d", rows, n)
			in := slices.Clone(g)
			LayerNormGrad(in, nil, nil, in, x, ws, mean, rstd, rows, n, false, false)
			closeTo(t, func(k int) float64 { return gx[k] }, in, 16+sums, 8*size, "gx in place %d x %d", rows, n)
			in = slices.Clone(x)
			LayerNorm(in, mean, rstd, in, ws, bs, rows, n, eps)
			require.Equal(t, y, in)
		}
	}
}

func TestLayerNorm(t *testing.T) {
	eachBody(t, testLayerNorm[float32])
	t.Run("float64", testLayerNorm[float64])
	eachBody(t, func(t *testing.T) {
		const n = 37
		for at := range n {
			x, y := make([]float32, n), make([]float32, n)
			x[at] = float32(math.NaN())
			LayerNorm(y, y[:1], y[1:2], x, nil, nil, 1, n, 1e-5)
			for _, v := range y {
				require.True(t, v != v)
			}
		}
	})
}

// TestChannelNorm checks group, instance and batch normalisation against their formula, and the gradients against central
// differences of it in float64.
func TestChannelNorm(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 20))
	const nb, nc, ns, eps = 3, 6, 35, 1e-5
	for _, c := range []struct {
		groups int
		batch  bool
	}{{1, false}, {2, false}, {nc, false}, {1, true}} {
		t.Run(fmt.Sprintf("groups=%d,batch=%v", c.groups, c.batch), func(t *testing.T) {
			x, w, b, g := normals[float64](rng, nb*nc*ns), normals[float64](rng, nc), normals[float64](rng, nc), normals[float64](rng, nb*nc*ns)
			sets := nb * c.groups
			if c.batch {
				sets = nc
			}
			mean, rstd := make([]float64, sets), make([]float64, sets)
			forward := func() []float64 {
				if c.batch {
					ChannelMoments(mean, rstd, x, nb, nc, ns)
				} else {
					Moments(mean, rstd, x, sets, nb*nc*ns/sets)
				}
				for i, v := range rstd {
					rstd[i] = 1 / math.Sqrt(v+eps)
				}
				y := make([]float64, len(x))
				ChannelNorm(y, x, mean, rstd, w, b, nb, nc, ns, c.groups, c.batch)
				return y
			}
			// The plain formula: collect each set's values.
			member := func(i int) int {
				bi, ci := i/ns/nc, i/ns%nc
				if c.batch {
					return ci
				}
				return bi*c.groups + ci/(nc/c.groups)
			}
			var sum, squares, count [nb * nc]float64
			for i, v := range x {
				sum[member(i)] += v
				squares[member(i)] += v * v
				count[member(i)]++
			}
			y := forward()
			for i, v := range x {
				k := member(i)
				m := sum[k] / count[k]
				want := (v-m)/math.Sqrt(squares[k]/count[k]-m*m+eps)*w[i/ns%nc] + b[i/ns%nc]
				require.InDelta(t, want, y[i], 1e-12)
			}
			gx, gw, gb := make([]float64, len(x)), make([]float64, nc), make([]float64, nc)
			ChannelNormGrad(gx, gw, gb, g, x, mean, rstd, w, nb, nc, ns, c.groups, c.batch, false, false)
			const h = 1e-5
			for _, p := range []struct{ v, grad []float64 }{{x, gx}, {w, gw}, {b, gb}} {
				for range 12 {
					i := rng.IntN(len(p.v))
					old := p.v[i]
					p.v[i] = old + h
					up := dotGeneric(forward(), g)
					p.v[i] = old - h
					down := dotGeneric(forward(), g)
					p.v[i] = old
					require.InDelta(t, (up-down)/(2*h), p.grad[i], 1e-7)
				}
			}
			forward()
			twice := [][]float64{slices.Clone(gx), slices.Clone(gw), slices.Clone(gb)}
			ChannelNormGrad(twice[0], twice[1], twice[2], g, x, mean, rstd, w, nb, nc, ns, c.groups, c.batch, true, true)
			for k, want := range [][]float64{gx, gw, gb} {
				for i := range want {
					require.InDelta(t, 2*want[i], twice[k][i], 1e-12)
				}
			}
			ChannelNormGrad(nil, gw, nil, g, x, mean, rstd, nil, nb, nc, ns, c.groups, c.batch, false, false)
		})
	}
}

func TestChannelAffine(t *testing.T) {
	x := []float32{1, 2, 3, 4, 5, 6, 7, 8}
	y := make([]float32, 8)
	ChannelAffine(y, x, []float32{2, 3}, []float32{1, -1}, 2, 2, 2)
	require.Equal(t, []float32{3, 5, 8, 11, 11, 13, 20, 23}, y)
	ChannelAffine(y, x, nil, []float32{1, -1}, 2, 2, 2)
	require.Equal(t, []float32{2, 3, 2, 3, 6, 7, 6, 7}, y)
}

func TestNormPanicsOnSizes(t *testing.T) {
	x := make([]float32, 6)
	require.PanicsWithValue(t, "kernel: LayerNorm: w has 2 elements, not 3", func() { LayerNorm(x, x[:2], x[:2], x, x[:2], nil, 2, 3, 0) })
	require.PanicsWithValue(t, "kernel: ChannelNorm: 3 channels do not form 2 groups", func() { ChannelNorm(x, x, x[:2], x[:2], nil, nil, 1, 3, 2, 2, false) })
}

// BenchmarkNorm runs on the tokens of the encoder at batch 1, and on its attention's rows.
func BenchmarkNorm(b *testing.B) {
	rng := rand.New(rand.NewPCG(21, 22))
	const rows, n, att = 1386, 384, 1391
	x, g, w := normals[float32](rng, rows*n), normals[float32](rng, rows*n), normals[float32](rng, n)
	y, mean, rstd, gw, gb := make([]float32, rows*n), make([]float32, rows), make([]float32, rows), make([]float32, n), make([]float32, n)
	a, p, ga := normals[float32](rng, 6*att*att), make([]float32, 6*att*att), normals[float32](rng, 6*att*att)
	Softmax(p, a, 6*att, att)
	LayerNorm(y, mean, rstd, x, w, w, rows, n, 1e-5)
	for _, c := range []struct {
		name         string
		words, count int
		run          func()
	}{
		{"LayerNorm", 2, rows * n, func() { LayerNorm(y, mean, rstd, x, w, w, rows, n, 1e-5) }},
		{"LayerNormGrad", 5, rows * n, func() { LayerNormGrad(y, gw, gb, g, x, w, mean, rstd, rows, n, false, false) }},
		{"Softmax", 2, len(a), func() { Softmax(ga, a, 6*att, att) }},
		{"SoftmaxGrad", 3, len(a), func() { SoftmaxGrad(ga, a, p, 6*att, att, false) }},
	} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", c.name, threads), func(b *testing.B) {
				SetThreads(threads)
				defer SetThreads(0)
				for b.Loop() {
					c.run()
				}
				gbps(b, 4*c.words*c.count)
			})
		}
	}
}
