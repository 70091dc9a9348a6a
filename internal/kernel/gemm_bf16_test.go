package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// eachBF16 runs the test once per implementation of bfloat16 products that this CPU has.
func eachBF16(t *testing.T, f func(t *testing.T)) {
	best := bf16Engine
	defer func() { bf16Engine = best }()
	for _, e := range bf16Engines() {
		bf16Engine = e
		t.Run(e.name, f)
	}
	bf16Engine = nil
	t.Run("rounded", f)
}

// specialsBF16 puts ties, numbers too small, and such as lose most of their digits, in places of x.
func specialsBF16(r *rand.Rand, x []float32) {
	for i := range x {
		switch r.IntN(8) {
		case 0:
			x[i] = math.Float32frombits(math.Float32bits(x[i])&^0xffff | 0x8000) // halfway between two numbers
		case 1:
			x[i] *= 1e-44
		case 2:
			x[i] = math.Float32frombits(math.Float32bits(x[i])&^0xffff | 0x7fff)
		}
	}
}

func TestRoundBF16(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for x, want := range map[float32]float32{
		1: 1, 1.00390625: 1, 1.01171875: 1.015625, 1.00390637: 1.0078125, -1.01171875: -1.015625, 3.4e38: inf, inf: inf, -inf: -inf,
		1e-39: 0, 0x1p-126: 0x1p-126, 0x1.fffffcp-127: 0,
	} {
		require.Equal(t, want, RoundBF16(x), "%g", x)
	}
	require.True(t, math.Signbit(float64(RoundBF16(-1e-40))))
	require.True(t, math.IsNaN(float64(RoundBF16(nan))))
	require.True(t, math.IsNaN(float64(RoundBF16(math.Float32frombits(0x7f800001)))))
}

func TestGemmBF16(t *testing.T) {
	eachBF16(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 1))
		for s := range 101 {
			for pos := range 3 {
				for form := range 4 {
					d := [3]int{r.IntN(40), r.IntN(70), r.IntN(40)}
					d[pos] = s
					testGemm[float32](t, r, gemmCase{bf16: true,
						transA: form&1 != 0, transB: form&2 != 0, acc: r.IntN(2) == 0, m: d[0], n: d[1], k: d[2],
						padA: r.IntN(3) * 5, padB: r.IntN(3) * 3, padC: r.IntN(3) * 7, offA: r.IntN(4), offB: r.IntN(4), offC: r.IntN(4),
						rowBias: r.IntN(3) == 0, colBias: r.IntN(3) == 0, gelu: r.IntN(3) == 0, pre: r.IntN(3) == 0, add: r.IntN(3) == 0,
					}, tol32)
				}
			}
		}
		// Several blocks of every size, and k cut in parts.
		for _, d := range [][3]int{{150, 600, 1600}, {300, 530, 769}, {24, 40, 9001}, {500, 1100, 100}} {
			for form := range 4 {
				testGemm[float32](t, r, gemmCase{bf16: true, transA: form&1 != 0, transB: form&2 != 0, acc: form == 1, m: d[0], n: d[1], k: d[2], colBias: true}, tol32)
			}
		}
	})
}

// Each result is that of one thread, and NaN and infinities come through.
func TestGemmBF16Threads(t *testing.T) {
	eachBF16(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 2))
		const m, n, k = 131, 517, 801
		a, b := random[float32](r, m*k), random[float32](r, k*n)
		a[5*k+700], b[3*n+4] = float32(math.NaN()), float32(math.Inf(-1))
		one := make([]float32, m*n)
		withThreads(1, func() { GemmBF16(false, false, m, n, k, a, k, b, n, one, n, false, nil) })
		for j := range n {
			require.True(t, math.IsNaN(float64(one[5*n+j])))
		}
		for i := range m {
			v := float64(one[i*n+4])
			require.True(t, i == 5 || math.IsInf(v, 0), "%d: %g", i, v)
		}
		one[5*n+4] = 0
		for i := range one {
			if math.IsNaN(float64(one[i])) {
				one[i] = 0
			}
		}
		c := make([]float32, m*n)
		withThreads(3, func() { GemmBF16(false, false, m, n, k, a, k, b, n, c, n, false, nil) })
		for i := range c {
			if math.IsNaN(float64(c[i])) {
				c[i] = 0
			}
		}
		require.Equal(t, one, c)
	})
}

// Layers of the encoder and their gradients.
func BenchmarkGemmBF16(b *testing.B) {
	for _, s := range []struct {
		transA, transB bool
		m, n, k        int
	}{{false, true, 1391, 1152, 384}, {false, true, 1391, 1536, 384}, {false, true, 1391, 384, 1536}, {false, true, 1391, 384, 384},
		{false, false, 1391, 384, 1536}, {false, false, 1391, 1536, 384}, {false, false, 1391, 384, 384},
		{true, false, 1536, 384, 1391}, {true, false, 384, 1536, 1391}, {true, false, 384, 384, 1391}, {false, false, 1024, 1024, 1024}} {
		r := rand.New(rand.NewPCG(11, 3))
		x, y, z := random[float32](r, s.m*s.k), random[float32](r, s.k*s.n), make([]float32, s.m*s.n)
		lda, ldb := s.k, s.n
		if s.transA {
			lda = s.m
		}
		if s.transB {
			ldb = s.k
		}
		for _, bf16 := range []bool{false, true} {
			b.Run(fmt.Sprintf("%dx%dx%d/ta=%v/tb=%v/bf16=%v", s.m, s.n, s.k, s.transA, s.transB, bf16), func(b *testing.B) {
				SetThreads(0) // follow -cpu
				for b.Loop() {
					if bf16 {
						GemmBF16(s.transA, s.transB, s.m, s.n, s.k, x, lda, y, ldb, z, s.n, false, nil)
					} else {
						Gemm(s.transA, s.transB, s.m, s.n, s.k, x, lda, y, ldb, z, s.n, false)
					}
				}
				b.ReportMetric(2*float64(s.m)*float64(s.n)*float64(s.k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
