package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// attentionCase is an attention with its operands in rows of width numbers: queries, keys and values side by side, with a gap.
type attentionCase struct {
	Attention
	q, k, v, y, gy []float32
}

func newAttentionCase(r *rand.Rand, batch, heads, n, m, d, e, first int) *attentionCase {
	row, out := heads*(2*d+e)+3, heads*e+2
	a := &attentionCase{Attention: Attention{Batch: batch, Heads: heads, Queries: n, Keys: m, Dim: d, Out: e,
		Q: Span{n * row, d, row}, K: Span{m * row, d, row}, V: Span{m * row, e, row}, Y: Span{n * out, e, out}}}
	a.q, a.k, a.v = random[float32](r, batch*n*row), random[float32](r, batch*m*row+heads*d)[heads*d:], random[float32](r, batch*m*row)
	a.y, a.gy = make([]float32, batch*n*out), random[float32](r, batch*n*out)
	if first >= 0 {
		a.Rotation = &Rotation{First: first}
		for range (max(n, m) - first) * d / 2 {
			s, c := math.Sincos(7 * r.Float64())
			a.Rotation.Sin, a.Rotation.Cos = append(a.Rotation.Sin, float32(s)), append(a.Rotation.Cos, float32(c))
		}
	}
	return a
}

// plain computes y and the gradients of q, k and v in float64 by their definitions.
func (a *attentionCase) plain() (y, gq, gk, gv []float64) {
	y, gq, gk, gv = make([]float64, len(a.y)), make([]float64, len(a.q)), make([]float64, len(a.k)), make([]float64, len(a.v))
	turn := func(x []float64, t int, sign float64) {
		if a.Rotation == nil || t < a.Rotation.First {
			return
		}
		h := a.Dim / 2
		for c := range h {
			i := (t-a.Rotation.First)*h + c
			s, o := sign*float64(a.Rotation.Sin[i]), float64(a.Rotation.Cos[i])
			x[c], x[c+h] = x[c]*o-x[c+h]*s, x[c+h]*o+x[c]*s
		}
	}
	vector := func(x []float32, at, n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = float64(x[at+i])
		}
		return v
	}
	dot := func(x, y []float64) (s float64) {
		for i, v := range x {
			s += v * y[i]
		}
		return s
	}
	at := func(s Span, b, h, i int) int { return b*s.Batch + h*s.Head + i*s.Row }
	root := math.Sqrt(float64(a.Dim))
	for b := range a.Batch {
		for h := range a.Heads {
			keys, values := make([][]float64, a.Keys), make([][]float64, a.Keys)
			gkeys := make([][]float64, a.Keys)
			for j := range keys {
				keys[j], values[j], gkeys[j] = vector(a.k, at(a.K, b, h, j), a.Dim), vector(a.v, at(a.V, b, h, j), a.Out), make([]float64, a.Dim)
				turn(keys[j], j, 1)
			}
			for i := range a.Queries {
				q, gy := vector(a.q, at(a.Q, b, h, i), a.Dim), vector(a.gy, at(a.Y, b, h, i), a.Out)
				turn(q, i, 1)
				p, sum := make([]float64, a.Keys), 0.0
				for j := range p {
					p[j] = math.Exp(dot(q, keys[j]) / root)
					sum += p[j]
				}
				out := y[at(a.Y, b, h, i):][:a.Out]
				for j := range p {
					p[j] /= sum
					for c := range out {
						out[c] += p[j] * values[j][c]
					}
				}
				d := dot(gy, out)
				g := make([]float64, a.Dim)
				for j := range p {
					gs := p[j] * (dot(gy, values[j]) - d) / root
					for c := range g {
						g[c] += gs * keys[j][c]
						gkeys[j][c] += gs * q[c]
					}
					for c := range gy {
						gv[at(a.V, b, h, j)+c] += p[j] * gy[c]
					}
				}
				turn(g, i, -1)
				copy(gq[at(a.Q, b, h, i):], g)
			}
			for j := range keys {
				turn(gkeys[j], j, -1)
				copy(gk[at(a.K, b, h, j):], gkeys[j])
			}
		}
	}
	return y, gq, gk, gv
}

// run computes the same with the kernel.
func (a *attentionCase) run() (y, gq, gk, gv []float32) {
	clear(a.y)
	lse := make([]float32, a.Batch*a.Heads*a.Queries)
	gq, gk, gv = make([]float32, len(a.q)), make([]float32, len(a.k)), make([]float32, len(a.v))
	a.Forward(a.y, lse, a.q, a.k, a.v)
	a.Backward(gq, gk, gv, a.gy, a.y, lse, a.q, a.k, a.v)
	return a.y, gq, gk, gv
}

// deviation returns the largest difference of got from want and the root mean square of the differences, both in units of want's
// root mean square; differences below 1e-7 count as none.
func deviation(want []float64, got []float32) (worst, rms float64) {
	square, sum := 0.0, 0.0
	for i, w := range want {
		d := math.Abs(w - float64(got[i]))
		square += w * w
		sum += d * d
		worst = max(worst, d)
	}
	if worst <= 1e-7 {
		return 0, 0
	}
	return worst * math.Sqrt(float64(len(want))/square), math.Sqrt(sum / square)
}

// Some roundings of float32, which the exponential multiplies, at worst; several of bfloat16, 2^-9 each, on average.
const attentionTol, attentionTolBF16 = 5e-5, 1.5e-2

func testAttention(t *testing.T, bf16 bool) {
	r := rand.New(rand.NewPCG(12, 1))
	for _, c := range []struct{ batch, heads, n, m, d, e, first int }{
		{1, 1, 1, 1, 1, 1, -1}, {2, 3, 5, 7, 4, 6, -1}, {1, 2, 13, 13, 8, 8, 3}, {1, 1, 14, 31, 6, 33, -1}, {1, 2, 15, 32, 5, 7, -1}, {2, 1, 33, 33, 64, 64, 5},
		{1, 2, 113, 113, 32, 40, 0}, {1, 1, 225, 401, 16, 12, -1}, {1, 1, 1, 777, 64, 64, -1}, {1, 1, 400, 3, 10, 2, -1}, {1, 1, 20, 3201, 2, 2, -1},
	} {
		if bf16 && c.m == 1 {
			continue // gradients of logits are zero, and what rounding makes of them
		}
		a := newAttentionCase(r, c.batch, c.heads, c.n, c.m, c.d, c.e, c.first)
		a.BF16 = bf16
		wy, wq, wk, wv := a.plain()
		y, gq, gk, gv := a.run()
		name := fmt.Sprintf("%+v", c)
		for i, want := range [][]float64{wy, wq, wk, wv} {
			worst, rms := deviation(want, [][]float32{y, gq, gk, gv}[i])
			if bf16 {
				require.LessOrEqual(t, rms, attentionTolBF16, "%s: %s", name, []string{"y", "gq", "gk", "gv"}[i])
			} else {
				require.LessOrEqual(t, worst, attentionTol, "%s: %s", name, []string{"y", "gq", "gk", "gv"}[i])
			}
		}
	}
}

func TestAttention(t *testing.T) {
	eachBody(t, func(t *testing.T) {
		eachGemm(t, func(t *testing.T) { testAttention(t, false) })
	})
}

func TestAttentionBF16(t *testing.T) {
	eachBF16(t, func(t *testing.T) { testAttention(t, true) })
}

// The rounded products of an engine without bfloat16 are those of one with it.
func TestAttentionBF16Rounding(t *testing.T) {
	if bf16Engine == nil {
		t.Skip("this CPU has no bfloat16 of its own")
	}
	a := newAttentionCase(rand.New(rand.NewPCG(12, 2)), 1, 2, 70, 70, 16, 16, 4)
	a.BF16 = true
	var results [2][][]float32
	best := bf16Engine
	defer func() { bf16Engine = best }()
	for i := range results {
		y, gq, gk, gv := a.run()
		results[i] = [][]float32{append([]float32{}, y...), gq, gk, gv}
		bf16Engine = nil
	}
	for i, x := range results[0] {
		want := make([]float64, len(x))
		for j, v := range x {
			want[j] = float64(v)
		}
		// An intermediate result that two orders of summation put on either side of a tie differs by 2^-8 of itself: few do.
		_, rms := deviation(want, results[1][i])
		require.LessOrEqual(t, rms, 5e-4, i)
	}
}

func TestAttentionThreads(t *testing.T) {
	for _, bf16 := range []bool{false, true} {
		a := newAttentionCase(rand.New(rand.NewPCG(12, 3)), 2, 3, 300, 500, 16, 24, -1)
		a.BF16 = bf16
		var y, gq, gk, gv []float32
		withThreads(1, func() { y, gq, gk, gv = a.run() })
		y = append([]float32{}, y...)
		withThreads(5, func() {
			y2, gq2, gk2, gv2 := a.run()
			require.Equal(t, [][]float32{y, gq, gk, gv}, [][]float32{y2, gq2, gk2, gv2})
		})
	}
}

func TestAttentionMisuse(t *testing.T) {
	a := newAttentionCase(rand.New(rand.NewPCG(12, 4)), 1, 2, 3, 4, 2, 2, -1)
	require.Panics(t, func() { a.Forward(a.y, nil, a.q[:len(a.q)/2], a.k, a.v) })
	require.Panics(t, func() { a.Forward(a.y[:3], nil, a.q, a.k, a.v) })
	require.Panics(t, func() { a.Forward(a.y, make([]float32, 3), a.q, a.k, a.v) })
	a.Rotation = &Rotation{First: 1, Sin: make([]float32, 2), Cos: make([]float32, 2)}
	require.Panics(t, func() { a.Forward(a.y, nil, a.q, a.k, a.v) })
	a.Keys = 0
	require.Panics(t, func() { a.Forward(a.y, nil, a.q, a.k, a.v) })
}

// The attention of ViT-S/16 on 1391 tokens.
func BenchmarkAttention(b *testing.B) {
	a := newAttentionCase(rand.New(rand.NewPCG(12, 5)), 1, 6, 1391, 1391, 64, 64, 5)
	lse := make([]float32, 6*1391)
	gq, gk, gv := make([]float32, len(a.q)), make([]float32, len(a.k)), make([]float32, len(a.v))
	const product = 2 * 6 * 1391 * 1391 * 64
	for _, bf16 := range []bool{false, true} {
		a.BF16 = bf16
		b.Run(fmt.Sprintf("forward/bf16=%v", bf16), func(b *testing.B) {
			SetThreads(0) // follow -cpu
			for b.Loop() {
				a.Forward(a.y, lse, a.q, a.k, a.v)
			}
			b.ReportMetric(2*product*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
		b.Run(fmt.Sprintf("backward/bf16=%v", bf16), func(b *testing.B) {
			SetThreads(0) // follow -cpu
			a.Forward(a.y, lse, a.q, a.k, a.v)
			for b.Loop() {
				a.Backward(gq, gk, gv, a.gy, a.y, lse, a.q, a.k, a.v)
			}
			b.ReportMetric(5*product*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
