package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// elemCase is one element-wise kernel: how to call it, the formula in float64, and how far float32 may be from it, as a multiple
// of its rounding unit. scale is what the error is relative to; nil means the result.
type elemCase[T Float] struct {
	name   string
	run    func(dst, x, y []T)
	want   func(d, x, y float64) float64
	units  float64
	scale  func(x, y float64) float64
	domain func(v float64) float64 // maps a test value into the domain of x; nil is everything
}

const (
	testA = 0.75
	testB = -1.5
)

func cdf(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
func pdf(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }

func magX(x, _ float64) float64  { return math.Abs(x) }
func magX1(x, _ float64) float64 { return 2 + math.Abs(x) }
func magXY(x, y float64) float64 { return math.Abs(x) + math.Abs(y) }
func magG(g, x float64) float64  { return 2 * math.Abs(g) }

func positive(v float64) float64 { return math.Abs(v) + 0.01 }

// gradCase is the case of a gradient with gy in x and the saved operand in y, without and with accumulation.
func gradCase[T Float](name string, f func(gx, gy, v []T, acc bool), want func(g, v float64) float64, units float64, scale func(g, v float64) float64, domain func(float64) float64) []elemCase[T] {
	return []elemCase[T]{
		{name, func(d, x, y []T) { f(d, x, y, false) }, func(_, g, v float64) float64 { return want(g, v) }, units, scale, domain},
		{name + "/acc", func(d, x, y []T) { f(d, x, y, true) }, func(d, g, v float64) float64 { return d + want(g, v) }, units, scale, domain},
	}
}

func elemCases[T Float]() []elemCase[T] {
	geluTanhD := func(g, x float64) float64 {
		u := geluTanhA * (x + geluTanhB*x*x*x)
		return g * ((1+math.Tanh(u))/2 + x/(2*math.Cosh(u)*math.Cosh(u))*geluTanhA*(1+3*geluTanhB*x*x))
	}
	cs := []elemCase[T]{
		{"Add", Add[T], func(_, x, y float64) float64 { return x + y }, 1, magXY, nil},
		{"Sub", Sub[T], func(_, x, y float64) float64 { return x - y }, 1, magXY, nil},
		{"Mul", Mul[T], func(_, x, y float64) float64 { return x * y }, 1, nil, nil},
		{"MulAdd", MulAdd[T], func(d, x, y float64) float64 { return d + x*y }, 2, func(x, y float64) float64 { return 1 + math.Abs(x*y) }, nil},
		{"Div", Div[T], func(_, x, y float64) float64 { return x / y }, 1, nil, nil},
		{"Scale", func(d, x, _ []T) { Scale(d, x, testA) }, func(_, x, _ float64) float64 { return testA * x }, 1, nil, nil},
		{"Axpy", func(d, x, _ []T) { Axpy(d, testA, x) }, func(d, x, _ float64) float64 { return d + testA*x }, 2, magX, nil},
		{"AddScalar", func(d, x, _ []T) { AddScalar(d, x, testA) }, func(_, x, _ float64) float64 { return x + testA }, 1, magX1, nil},
		{"AddScaled", func(d, x, y []T) { AddScaled(d, testA, x, testB, y) }, func(_, x, y float64) float64 { return testA*x + testB*y }, 3, magXY, nil},
		{"ScaleShift", func(d, x, _ []T) { ScaleShift(d, x, testA, testB) }, func(_, x, _ float64) float64 { return testA*x + testB }, 2, magX1, nil},
		{"Sqrt", func(d, x, _ []T) { Sqrt(d, x) }, func(_, x, _ float64) float64 { return math.Sqrt(x) }, 1, nil, positive},
		{"Abs", func(d, x, _ []T) { Abs(d, x) }, func(_, x, _ float64) float64 { return math.Abs(x) }, 0, nil, nil},
		{"Exp", func(d, x, _ []T) { Exp(d, x) }, func(_, x, _ float64) float64 { return math.Exp(x) }, 2, nil, nil},
		{"Log", func(d, x, _ []T) { Log(d, x) }, func(_, x, _ float64) float64 { return math.Log(x) }, 2, nil, positive},
		{"Log1p", func(d, x, _ []T) { Log1p(d, x) }, func(_, x, _ float64) float64 { return math.Log1p(x) }, 2, nil, positive},
		{"Tanh", func(d, x, _ []T) { Tanh(d, x) }, func(_, x, _ float64) float64 { return math.Tanh(x) }, 4, nil, nil},
		{"Sigmoid", func(d, x, _ []T) { Sigmoid(d, x) }, func(_, x, _ float64) float64 { return 1 / (1 + math.Exp(-x)) }, 4, nil, nil},
		{"Pow", func(d, x, _ []T) { Pow(d, x, 1.5) }, func(_, x, _ float64) float64 { return math.Pow(x, 1.5) }, 2, nil, positive},
		{"LeakyReLU", func(d, x, _ []T) { LeakyReLU(d, x, testA) }, func(_, x, _ float64) float64 { return max(x, testA*x) }, 1, nil, nil},
		{"Clamp", func(d, x, _ []T) { Clamp(d, x, testB, testA) }, func(_, x, _ float64) float64 { return min(max(x, testB), testA) }, 0, nil, nil},
		{"GELU", func(d, x, _ []T) { GELU(d, x) }, func(_, x, _ float64) float64 { return x * cdf(x) }, 3, magX, nil},
		{"GELUTanh", func(d, x, _ []T) { GELUTanh(d, x) }, func(_, x, _ float64) float64 {
			return x / 2 * (1 + math.Tanh(geluTanhA*(x+geluTanhB*x*x*x)))
		}, 4, magX, nil},
	}
	for _, more := range [][]elemCase[T]{
		gradCase("ExpGrad", ExpGrad[T], func(g, y float64) float64 { return g * y }, 2, func(g, y float64) float64 { return 1 + math.Abs(g*y) }, nil),
		gradCase("LogGrad", LogGrad[T], func(g, x float64) float64 { return g / x }, 2, func(g, y float64) float64 { return 1 + math.Abs(g/y) }, nil),
		gradCase("Log1pGrad", Log1pGrad[T], func(g, x float64) float64 { return g / (1 + x) }, 3, func(g, y float64) float64 { return 1 + math.Abs(g/(1+y)) }, positive),
		gradCase("SqrtGrad", SqrtGrad[T], func(g, y float64) float64 { return g / (2 * y) }, 3, func(g, y float64) float64 { return 1 + math.Abs(g/y) }, nil),
		gradCase("AbsGrad", AbsGrad[T], func(g, x float64) float64 { return math.Copysign(g, g*x) }, 1, magG, nil),
		gradCase("TanhGrad", TanhGrad[T], func(g, y float64) float64 { return g * (1 - y*y) }, 3, func(g, y float64) float64 { return 1 + math.Abs(g*(1+y*y)) }, nil),
		gradCase("SigmoidGrad", SigmoidGrad[T], func(g, y float64) float64 { return g * y * (1 - y) }, 4, func(g, y float64) float64 { return 1 + math.Abs(g*y*(1+math.Abs(y))) }, nil),
		gradCase("PowGrad", func(gx, gy, x []T, acc bool) { PowGrad(gx, gy, x, 1.5, acc) }, func(g, x float64) float64 { return g * 1.5 * math.Sqrt(x) }, 4, func(g, x float64) float64 { return 1 + math.Abs(g*x) }, positive),
		gradCase("LeakyReLUGrad", func(gx, gy, x []T, acc bool) { LeakyReLUGrad(gx, gy, x, testA, acc) }, func(g, x float64) float64 {
			if x > 0 {
				return g
			}
			return testA * g
		}, 2, magG, nil),
		gradCase("ClampGrad", func(gx, gy, x []T, acc bool) { ClampGrad(gx, gy, x, testB, testA, acc) }, func(g, x float64) float64 {
			if x < testB || x > testA {
				return 0
			}
			return g
		}, 2, magG, nil),
		gradCase("GELUGrad", GELUGrad[T], func(g, x float64) float64 { return g * (cdf(x) + x*pdf(x)) }, 4, magG, nil),
		gradCase("GELUTanhGrad", GELUTanhGrad[T], geluTanhD, 16, magG, nil),
	} {
		cs = append(cs, more...)
	}
	return cs
}

// unit is the rounding unit of T.
func unit[T Float]() float64 {
	if _, ok := any(T(0)).(float32); ok {
		return 0x1p-24
	}
	return 0x1p-53
}

const guardWord = 12345

// guarded returns a slice of n elements that starts off elements into its memory, with guard words on both sides, and a check
// that those are untouched.
func guarded[T Float](n, off int) ([]T, func(t testing.TB)) {
	const margin = 20
	mem := make([]T, off+n+2*margin)
	for i := range mem {
		mem[i] = guardWord
	}
	lo := off + margin
	return mem[lo : lo+n : lo+n], func(t testing.TB) {
		for i, v := range mem {
			if (i < lo || i >= lo+n) && v != guardWord {
				require.Failf(t, "written outside", "element %d of %d", i-lo, n)
			}
		}
	}
}

func sample[T Float](x []T, f func() float64) {
	for i := range x {
		x[i] = T(f())
	}
}

func identity(v float64) float64 { return v }

func testElem[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range elemCases[T]() {
		t.Run(c.name, func(t *testing.T) {
			domain := c.domain
			if domain == nil {
				domain = identity
			}
			value := func() float64 { return domain(rng.NormFloat64() * 2) }
			check := func(n int, got []T, d, x, y func(i int) float64) {
				for i, v := range got {
					want := c.want(d(i), x(i), y(i))
					scale := math.Abs(want)
					if c.scale != nil {
						scale = c.scale(x(i), y(i)) + math.Abs(d(i)) + math.Abs(want)*1e-3
					}
					if e := math.Abs(float64(v) - want); !(e <= c.units*unit[T]()*scale+1e-37) {
						require.Failf(t, "wrong", "n %d, i %d: d %v x %v y %v: got %v, want %v, error %.2f units", n, i, d(i), x(i), y(i), v, want, e/unit[T]()/scale)
					}
				}
			}
			for n := range 101 {
				dst, untouched := guarded[T](n, n%17)
				x, _ := guarded[T](n, n%5)
				y, _ := guarded[T](n, n%3)
				sample(dst, value)
				sample(x, value)
				sample(y, value)
				d0, x0 := slices.Clone(dst), slices.Clone(x)
				at := func(s []T) func(int) float64 { return func(i int) float64 { return float64(s[i]) } }
				c.run(dst, x, y)
				untouched(t)
				check(n, dst, at(d0), at(x), at(y))
				require.Equal(t, x0, x)
				c.run(x, x, y) // in place
				check(n, x, at(x0), at(x0), at(y))
			}
		})
	}
}

func TestElem(t *testing.T) {
	eachBody(t, testElem[float32])
	t.Run("float64", testElem[float64])
}

// TestElemParallel checks that a long slice, cut among threads, gives what its elements give alone.
func TestElemParallel(t *testing.T) {
	defer SetThreads(0)
	SetThreads(2)
	rng := rand.New(rand.NewPCG(3, 4))
	const n = 3*elemGrain + 17
	x, y := make([]float32, n), make([]float32, n)
	sample(x, rng.NormFloat64)
	sample(y, rng.NormFloat64)
	for _, c := range elemCases[float32]() {
		dst, one := make([]float32, n), make([]float32, 1)
		c.run(dst, x, y)
		for _, i := range []int{0, 1, elemGrain - 1, elemGrain, 2*elemGrain + 5, n - 1} {
			one[0] = 0
			c.run(one, x[i:i+1], y[i:i+1])
			if dst[i] == dst[i] || one[0] == one[0] {
				require.Equal(t, one[0], dst[i], "%s at %d", c.name, i)
			}
		}
	}
}

func TestElemSpecialValues(t *testing.T) {
	eachBody(t, func(t *testing.T) {
		inf, nan := float32(math.Inf(1)), float32(math.NaN())
		for _, c := range []struct {
			name string
			run  func(dst, x []float32)
			x    []float32
			want []float32
		}{
			{"GELU", GELU[float32], []float32{nan, inf, -inf, 0, 100, -100}, []float32{nan, inf, 0, 0, 100, 0}},
			{"GELUTanh", GELUTanh[float32], []float32{nan, inf, -inf, 0, 100, -100}, []float32{nan, inf, 0, 0, 100, 0}},
			{"Exp", Exp[float32], []float32{nan, inf, -inf, 0, 200, -200, 89, -88, 88}, []float32{nan, inf, 0, 1, inf, 0, inf, float32(math.Exp(-88)), float32(math.Exp(88))}},
			{"Tanh", Tanh[float32], []float32{nan, inf, -inf, 0, 50, -50}, []float32{nan, 1, -1, 0, 1, -1}},
			{"Sigmoid", Sigmoid[float32], []float32{nan, inf, -inf, 0, 200, -200}, []float32{nan, 1, 0, 0.5, 1, 0}},
			{"Sqrt", Sqrt[float32], []float32{nan, inf, -1, 0}, []float32{nan, inf, nan, 0}},
			{"Abs", Abs[float32], []float32{nan, inf, -inf, 0}, []float32{nan, inf, inf, 0}},
			{"Clamp", func(d, x []float32) { Clamp(d, x, -2, 3) }, []float32{nan, inf, -inf, 0}, []float32{nan, 3, -2, 0}},
			{"LeakyReLU", func(d, x []float32) { LeakyReLU(d, x, 0.5) }, []float32{nan, inf, -inf, 0}, []float32{nan, inf, -inf, 0}},
			{"Scale", func(d, x []float32) { Scale(d, x, 2) }, []float32{nan, inf, -inf, 0}, []float32{nan, inf, -inf, 0}},
			{"GELUGrad", func(d, x []float32) { fillOne(d); GELUGrad(d, d, x, false) }, []float32{nan, inf, -inf, 0, 100, -100}, []float32{nan, 1, 0, 0.5, 1, 0}},
			{"GELUTanhGrad", func(d, x []float32) { fillOne(d); GELUTanhGrad(d, d, x, false) }, []float32{nan, inf, -inf, 0, 100, -100}, []float32{nan, 1, 0, 0.5, 1, 0}},
			{"AbsGrad", func(d, x []float32) { fillOne(d); AbsGrad(d, d, x, false) }, []float32{nan, inf, -inf, 0}, []float32{nan, 1, -1, 0}},
			{"LeakyReLUGrad", func(d, x []float32) { fillOne(d); LeakyReLUGrad(d, d, x, 0.5, false) }, []float32{inf, -inf, 0}, []float32{1, 0.5, 0.5}},
		} {
			// Once alone and once in every lane of a vector.
			for _, pad := range []int{0, 7, 40} {
				for lead := 0; lead <= pad; lead += 7 {
					x := make([]float32, lead+len(c.x)+pad)
					copy(x[lead:], c.x)
					dst := make([]float32, len(x))
					c.run(dst, x)
					for i, w := range c.want {
						g := dst[lead+i]
						// The tails of GELU end where float32 does.
						ok := g == w || (w != w && g != g) || math.Abs(float64(g-w)) <= 4*0x1p-24*math.Abs(float64(w))+1e-35
						require.True(t, ok, "%s(%v) = %v, want %v", c.name, c.x[i], g, w)
					}
				}
			}
		}
	})
}

// TestGELUAccuracy sweeps the range where GELU is neither 0 nor the identity: the error is below 2e-7 |x|, that of the derivative
// below 3e-7.
func TestGELUAccuracy(t *testing.T) {
	eachBody(t, func(t *testing.T) {
		const n = 1 << 16
		x, y, g := make([]float32, n), make([]float32, n), make([]float32, n)
		for i := range x {
			x[i] = 28*float32(i)/n - 14
		}
		fillOne(g)
		GELU(y, x)
		GELUGrad(g, g, x, false)
		var worst, worstGrad float64
		for i := range x {
			v := float64(x[i])
			if v != 0 {
				worst = max(worst, math.Abs(float64(y[i])-v*cdf(v))/math.Abs(v))
			}
			worstGrad = max(worstGrad, math.Abs(float64(g[i])-cdf(v)-v*pdf(v)))
		}
		t.Logf("GELU %.3g |x|, GELUGrad %.3g", worst, worstGrad)
		require.Less(t, worst, 2e-7)
		require.Less(t, worstGrad, 3e-7)
	})
}

func fillOne(x []float32) {
	for i := range x {
		x[i] = 1
	}
}

func TestElemPanicsOnLengths(t *testing.T) {
	x, y := make([]float32, 3), make([]float32, 4)
	require.PanicsWithValue(t, "kernel: Add: lengths differ: dst 3, operands 3 and 4", func() { Add(x, x, y) })
	require.PanicsWithValue(t, "kernel: Exp: lengths differ: dst 4, operands 3 and 0", func() { Exp(y, x) })
	require.Panics(t, func() { Mul(x, x, nil) })
}

func TestElemDoesNotAllocate(t *testing.T) {
	x := make([]float32, 1000)
	require.Zero(t, testing.AllocsPerRun(10, func() {
		Add(x, x, x)
		GELU(x, x)
		GELUGrad(x, x, x, true)
		Sum(x)
	}))
}

func gbps(b *testing.B, bytes int) {
	b.ReportMetric(float64(bytes)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
}

// BenchmarkElem runs on the activations of one sample, which stay in the last-level cache, and of a batch of eight, which do
// not, at SPAMoE's default size.
func BenchmarkElem(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, batch := range []int{1, 8} {
		n := batch * 128 * 70 * 70
		x, y, d := normals[float32](rng, n), normals[float32](rng, n), make([]float32, n)
		Fill(d, 1) // pages that are touched for the first time cost more than the kernel
		for _, c := range []struct {
			name  string
			words int // read and written per element
			run   func()
		}{
			{"Add", 3, func() { Add(d, x, y) }},
			{"Axpy", 3, func() { Axpy(d, 1e-9, x) }},
			{"MulAdd", 4, func() { MulAdd(d, x, y) }},
			{"Scale", 2, func() { Scale(d, x, 0.5) }},
			{"LeakyReLU", 2, func() { LeakyReLU(d, x, 0.2) }},
			{"LeakyReLUGrad", 3, func() { LeakyReLUGrad(d, y, x, 0.2, false) }},
			{"Sqrt", 2, func() { Sqrt(d, x) }},
			{"Exp", 2, func() { Exp(d, x) }},
			{"GELU", 2, func() { GELU(d, x) }},
			{"GELUGrad", 3, func() { GELUGrad(d, y, x, false) }},
			{"GELUTanh", 2, func() { GELUTanh(d, x) }},
			{"GELUTanhGrad", 3, func() { GELUTanhGrad(d, y, x, false) }},
			{"Sum", 1, func() { Sum(x) }},
			{"Dot", 2, func() { Dot(x, y) }},
			{"AllFinite", 1, func() { AllFinite(x) }},
		} {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/batch=%d/threads=%d", c.name, batch, threads), func(b *testing.B) {
					SetThreads(threads)
					defer SetThreads(0)
					for b.Loop() {
						c.run()
					}
					gbps(b, 4*n*c.words)
				})
			}
		}
	}
}
