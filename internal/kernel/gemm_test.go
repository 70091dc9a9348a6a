package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// gemmCase is one product to be tested: sizes, extra row lengths, offsets into the slices.
type gemmCase struct {
	transA, transB, acc         bool
	m, n, k                     int
	padA, padB, padC            int
	offA, offB, offC            int
	rowBias, colBias, gelu, pre bool
	geluGrad                    bool // instead of gelu and pre
	serial, panels              bool // by GemmSerial, or by GemmPanels without transA
	add                         bool
	bf16                        bool // of float32: by GemmBF16, of operands with numbers that rounding treats specially
}

const guard = 12345.5 // fills what a product must not touch

// testGemm compares one product with the plain loop in float64, and checks the words around C.
func testGemm[T Float](t *testing.T, r *rand.Rand, c gemmCase, tol float64) {
	t.Helper()
	ra, ca, rb, cb := c.m, c.k, c.k, c.n
	if c.transA {
		ra, ca = ca, ra
	}
	if c.transB {
		rb, cb = cb, rb
	}
	lda, ldb, ldc := ca+c.padA, cb+c.padB, c.n+c.padC
	size := func(rows, cols, ld int) int { return max(0, (rows-1)*ld+cols) }
	a, b := random[T](r, c.offA+size(ra, ca, lda))[c.offA:], random[T](r, c.offB+size(rb, cb, ldb))[c.offB:]
	inner := size(c.m, c.n, ldc)
	whole := make([]T, c.offC+inner+40)
	fill(whole, guard)
	cc := whole[c.offC : c.offC+inner]
	old := make([]T, inner)
	for i := range inner {
		if i%ldc < c.n {
			cc[i] = T(r.NormFloat64())
		}
	}
	copy(old, cc)
	var ep Epilogue[T]
	if c.rowBias {
		ep.RowBias = random[T](r, c.m)
	}
	if c.colBias {
		ep.ColBias = random[T](r, c.n)
	}
	if c.add {
		ep.Add = random[T](r, inner)
	}
	if c.pre {
		ep.Pre = make([]T, inner)
		fill(ep.Pre, guard)
	}
	ep.GELU = c.gelu
	if c.geluGrad {
		ep.GELU, ep.Pre, ep.GELUGrad = false, nil, random[T](r, inner)
	}
	switch {
	case c.panels:
		packed := Pack(c.transB, c.k, c.n, b, ldb)
		GemmPanels(c.m, a, lda, packed, cc, ldc, c.acc, &ep)
		packed.Release()
	case c.serial:
		GemmSerial(c.transA, c.transB, c.m, c.n, c.k, a, lda, b, ldb, cc, ldc, c.acc, &ep)
	case c.bf16:
		a, b := any(a).([]float32), any(b).([]float32)
		specialsBF16(r, a)
		specialsBF16(r, b)
		GemmBF16(c.transA, c.transB, c.m, c.n, c.k, a, lda, b, ldb, any(cc).([]float32), ldc, c.acc, any(&ep).(*Epilogue[float32]))
		for _, x := range [][]float32{a, b} {
			for i, v := range x {
				x[i] = RoundBF16(v)
			}
		}
	default:
		GemmEpilogue(c.transA, c.transB, c.m, c.n, c.k, a, lda, b, ldb, cc, ldc, c.acc, &ep)
	}

	for i := range whole {
		if at := i - c.offC; at < 0 || at >= inner || at%ldc >= c.n {
			if whole[i] != guard {
				require.Failf(t, "wrote", "%+v: at %d", c, at)
			}
		}
	}
	for i := range c.m {
		for j := range c.n {
			want, mag := 0.0, 1.0
			for p := range c.k {
				ia, ib := i*lda+p, p*ldb+j
				if c.transA {
					ia = p*lda + i
				}
				if c.transB {
					ib = j*ldb + p
				}
				v := float64(a[ia]) * float64(b[ib])
				want += v
				mag += math.Abs(v)
			}
			if c.acc {
				want += float64(old[i*ldc+j])
			}
			if c.rowBias {
				want += float64(ep.RowBias[i])
			}
			if c.colBias {
				want += float64(ep.ColBias[j])
			}
			if c.add {
				want += float64(ep.Add[i*ldc+j])
			}
			if ep.Pre != nil {
				if d := math.Abs(want - float64(ep.Pre[i*ldc+j])); !(d <= tol*mag) {
					require.Failf(t, "wrong", "%+v: pre[%d,%d] = %g, want %g", c, i, j, ep.Pre[i*ldc+j], want)
				}
			}
			if ep.GELU {
				want *= 0.5 * math.Erfc(-want/math.Sqrt2)
			}
			if c.geluGrad {
				u := float64(ep.GELUGrad[i*ldc+j])
				want *= 0.5*math.Erfc(-u/math.Sqrt2) + u*math.Exp(-u*u/2)/math.Sqrt(2*math.Pi)
			}
			if d := math.Abs(want - float64(cc[i*ldc+j])); !(d <= tol*mag) {
				require.Failf(t, "wrong", "%+v: C[%d,%d] = %g, want %g", c, i, j, cc[i*ldc+j], want)
			}
		}
	}
}

// Tolerances: relative to the sum of magnitudes, a few roundings of the type.
const tol32, tol64 = 2e-6, 1e-14

// eachGemm runs the test once per implementation of the product that this CPU has.
func eachGemm(t *testing.T, f func(t *testing.T)) {
	best := gemmEngine
	defer func() { gemmEngine = best }()
	for _, e := range gemmEngines() {
		gemmEngine = e
		t.Run(e.name, f)
	}
	gemmEngine = nil
	t.Run("generic", f)
}

func TestGemmSizes(t *testing.T) {
	eachGemm(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		// Every size up to 100 in every position, the other two drawn.
		for s := range 101 {
			for pos := range 3 {
				for form := range 4 {
					d := [3]int{r.IntN(40), r.IntN(70), r.IntN(40)}
					d[pos] = s
					testGemm[float32](t, r, gemmCase{
						transA: form&1 != 0, transB: form&2 != 0, acc: r.IntN(2) == 0, m: d[0], n: d[1], k: d[2],
						padA: r.IntN(3) * 5, padB: r.IntN(3) * 3, padC: r.IntN(3) * 7, offA: r.IntN(4), offB: r.IntN(4), offC: r.IntN(4),
						rowBias: r.IntN(3) == 0, colBias: r.IntN(3) == 0, gelu: r.IntN(3) == 0, pre: r.IntN(3) == 0, geluGrad: r.IntN(4) == 0, add: r.IntN(3) == 0,
						serial: r.IntN(3) == 0, panels: form&1 == 0 && r.IntN(3) == 0,
					}, tol32)
				}
			}
		}
	})
}

func TestGemmBlocks(t *testing.T) {
	shapes := [][3]int{{1, 1, 600}, {13, 31, 257}, {100, 33, 512}, {15, 1100, 40}, {70, 160, 300}, {3, 17, 5000}, {20, 17, 9000}, {300, 8, 12}, {9, 520, 520}}
	eachGemm(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 2))
		for _, d := range shapes {
			for form := range 8 {
				testGemm[float32](t, r, gemmCase{transA: form&1 != 0, transB: form&2 != 0, acc: form&4 != 0, m: d[0], n: d[1], k: d[2],
					rowBias: form%3 == 0, colBias: form%3 == 1, gelu: form%2 == 0, pre: form%4 == 0, padB: form, offC: form}, tol32)
				testGemm[float32](t, r, gemmCase{transA: form&1 != 0, transB: form&2 != 0, acc: form&4 != 0, m: d[0], n: d[1], k: d[2],
					colBias: form%3 == 1, geluGrad: form%2 == 0, serial: true, panels: form&1 == 0}, tol32)
			}
		}
		// Rows 512 elements apart, the layout that would make cache sets collide.
		testGemm[float32](t, r, gemmCase{m: 70, n: 130, k: 70, padA: 442, padB: 382, padC: 382}, tol32)
		testGemm[float32](t, r, gemmCase{m: 70, n: 130, k: 70, padA: 442, padB: 442, transA: true, transB: true}, tol32)
	})
}

func TestGemm64(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, d := range [][3]int{{0, 3, 2}, {3, 2, 0}, {1, 1, 1}, {7, 9, 13}, {33, 300, 270}, {5, 6, 5000}} {
		for form := range 8 {
			testGemm[float64](t, r, gemmCase{transA: form&1 != 0, transB: form&2 != 0, acc: form&4 != 0, m: d[0], n: d[1], k: d[2],
				rowBias: form%3 == 0, colBias: form%3 == 1, gelu: form%2 == 0, pre: form%4 == 0, padA: 2, padC: form}, tol64)
			testGemm[float64](t, r, gemmCase{transB: form&2 != 0, acc: form&4 != 0, m: d[0], n: d[1], k: d[2], geluGrad: form%2 == 0, panels: true}, tol64)
		}
	}
}

func TestGemmBatch(t *testing.T) {
	eachGemm(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 4))
		for _, d := range [][3]int{{3, 5, 7}, {16, 32, 20}, {40, 33, 64}} {
			m, n, k := d[0], d[1], d[2]
			for form := range 8 {
				const batch = 5
				strideA, strideB, strideC := m*k, k*n, m*n
				if form&4 != 0 {
					strideC += 3
				}
				if form == 1 || form == 6 {
					strideA = 0
				}
				if form == 0 || form == 3 {
					strideB = 0
				}
				ta, tb := form&1 != 0, form&2 != 0
				lda, ldb := k, n
				if ta {
					lda = m
				}
				if tb {
					ldb = k
				}
				a, b := random[float32](r, batch*m*k), random[float32](r, batch*k*n)
				got, want := make([]float32, batch*strideC), make([]float32, batch*strideC)
				for i := range batch {
					Gemm(ta, tb, m, n, k, a[i*strideA:], lda, b[i*strideB:], ldb, want[i*strideC:], n, false)
				}
				GemmBatch(ta, tb, batch, m, n, k, a, lda, strideA, b, ldb, strideB, got, n, strideC, false)
				require.Equal(t, want, got, "%v form %d", d, form)
			}
		}
	})
}

// A NaN or an infinity in A or B reaches every element of its row or column, zeros on the other side included.
func TestGemmPropagates(t *testing.T) {
	eachGemm(t, func(t *testing.T) {
		for _, bad := range []float64{math.NaN(), math.Inf(1)} {
			m, n, k := 17, 37, 19
			a, b, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
			a[5*k+7] = float32(bad)
			Gemm(false, false, m, n, k, a, k, b, n, c, n, false)
			for i, v := range c {
				if (i/n == 5) == (v-v == 0) {
					require.Failf(t, "row", "element %d is %g", i, v)
				}
			}
			a[5*k+7] = 0
			b[3*n+36] = float32(bad)
			Gemm(false, false, m, n, k, a, k, b, n, c, n, false)
			for i, v := range c {
				if (i%n == 36) == (v-v == 0) {
					require.Failf(t, "column", "element %d is %g", i, v)
				}
			}
			// What C held before is not read unless asked for.
			fill(c, float32(bad))
			b[3*n+36] = 0
			Gemm(false, false, m, n, k, a, k, b, n, c, n, false)
			require.Equal(t, make([]float32, m*n), c)
		}
	})
}

func TestGemmThreads(t *testing.T) {
	eachGemm(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 5))
		for _, d := range [][3]int{{100, 200, 300}, {700, 40, 64}, {30, 1000, 100}, {24, 40, 9001}, {400, 256, 64}} {
			m, n, k := d[0], d[1], d[2]
			a, b := random[float32](r, m*k), random[float32](r, k*n)
			ep := Epilogue[float32]{RowBias: random[float32](r, m), ColBias: random[float32](r, n), GELU: true}
			one := make([]float32, m*n)
			withThreads(1, func() { GemmEpilogue(false, false, m, n, k, a, k, b, n, one, n, false, &ep) })
			for _, threads := range []int{2, 3, 16} {
				c := make([]float32, m*n)
				withThreads(threads, func() { GemmEpilogue(false, false, m, n, k, a, k, b, n, c, n, false, &ep) })
				require.Equal(t, one, c, "%v with %d threads", d, threads)
			}
		}
	})
}

func TestGemmAllocs(t *testing.T) {
	eachGemm(t, func(t *testing.T) {
		for _, size := range []int{48, 120} {
			a := random[float32](rand.New(rand.NewPCG(6, 6)), size*size)
			c := make([]float32, size*size)
			for threads := 1; threads <= 2; threads++ {
				withThreads(threads, func() {
					allocs := testing.AllocsPerRun(100, func() {
						Gemm(false, false, size, size, size, a, size, a, size, c, size, false)
						packed := Pack(true, size, size, a, size)
						GemmPanels(size, a, size, packed, c, size, true, nil)
						packed.Release()
					})
					require.Less(t, allocs, 0.5, "%d with %d threads", size, threads)
				})
			}
		}
	})
}

func TestGemmMisuse(t *testing.T) {
	x := make([]float32, 6)
	require.PanicsWithValue(t, "kernel: Gemm: B is 1 of 3 x 3 with ld 3 and stride 0, its slice has 6 elements", func() {
		Gemm(false, false, 2, 3, 3, x, 3, x, 3, x, 3, false)
	})
	require.Panics(t, func() { Gemm(false, false, 2, 2, 3, x, 3, x, 1, x, 2, false) }) // rows of B overlap; those of A may
	require.Panics(t, func() { Gemm(false, false, -1, 2, 3, x, 3, x, 2, x, 2, false) })
	require.Panics(t, func() {
		GemmEpilogue(false, false, 2, 2, 3, x, 3, x, 2, x, 2, false, &Epilogue[float32]{ColBias: x[:1]})
	})
	require.Panics(t, func() { GemmBatch(false, false, 2, 1, 2, 1, x, 1, 1, x, 2, 2, x, 2, 1, false) })
}

// The shapes of SPAMoE and of what surrounds it.
var benchShapes = []struct {
	transA, transB bool
	batch, m, n, k int
}{
	{false, false, 1, 64, 64, 64}, {false, false, 1, 128, 128, 128}, {false, false, 1, 1024, 1024, 1024},
	{false, false, 1, 39200, 128, 128}, {false, true, 1, 39200, 128, 128}, {false, false, 1, 1386, 1536, 384}, {false, true, 1, 1386, 1536, 384},
	{false, false, 1, 128, 4900, 128}, {true, false, 1, 128, 128, 39200}, {false, true, 1, 128, 128, 39200},
	{false, false, 1, 8, 256, 256}, {false, true, 1, 8, 256, 256}, {false, false, 144, 8, 256, 256},
	{false, false, 6, 1391, 1391, 64}, {false, true, 6, 1391, 1391, 64}, {false, false, 6, 1391, 64, 1391},
	{false, false, 560, 18, 128, 70}, {false, false, 560, 70, 128, 18}, {false, false, 144, 16, 128, 256}, {false, true, 144, 16, 256, 128},
	{true, false, 144, 256, 128, 16}, {false, false, 1, 71680, 18, 70},
}

func BenchmarkGemm(b *testing.B) {
	for _, s := range benchShapes {
		b.Run(fmt.Sprintf("%dx%dx%dx%d/%s", s.batch, s.m, s.n, s.k, map[bool]string{false: "n", true: "t"}[s.transA]+map[bool]string{false: "n", true: "t"}[s.transB]), func(b *testing.B) {
			SetThreads(0) // follow -cpu
			r := rand.New(rand.NewPCG(7, 7))
			x, y, z := random[float32](r, s.batch*s.m*s.k), random[float32](r, s.batch*s.k*s.n), make([]float32, s.batch*s.m*s.n)
			lda, ldb := s.k, s.n
			if s.transA {
				lda = s.m
			}
			if s.transB {
				ldb = s.k
			}
			for b.Loop() {
				GemmBatch(s.transA, s.transB, s.batch, s.m, s.n, s.k, x, lda, s.m*s.k, y, ldb, s.k*s.n, z, s.n, s.m*s.n, false)
			}
			b.ReportMetric(2*float64(s.batch)*float64(s.m)*float64(s.n)*float64(s.k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

// The first layer of an encoder's MLP, with what its gradient needs.
func BenchmarkGemmEpilogue(b *testing.B) {
	const m, n, k = 1391, 1536, 384
	r := rand.New(rand.NewPCG(8, 8))
	x, w, bias := random[float32](r, m*k), random[float32](r, n*k), random[float32](r, n)
	y, pre := make([]float32, m*n), make([]float32, m*n)
	for name, ep := range map[string]*Epilogue[float32]{"none": nil, "bias": {ColBias: bias}, "gelu": {ColBias: bias, GELU: true}, "gelu+pre": {ColBias: bias, GELU: true, Pre: pre}} {
		b.Run(name, func(b *testing.B) {
			SetThreads(0) // follow -cpu
			for b.Loop() {
				GemmEpilogue(false, true, m, n, k, x, k, w, k, y, n, false, ep)
			}
			b.ReportMetric(2*m*n*k*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
