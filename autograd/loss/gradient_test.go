package loss

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// body is a loss over float64 data: the values and their gradient.
type body func(x, y []float64) ([]float64, gradient[float64])

// bodies are all losses over pictures of 2 x 5 x 4 (or functions on such grids), with settings that reach every branch.
func bodies() map[string]body {
	const rows, ny, nx = 2, 5, 4
	edge := func(c GradientL1Config) body {
		return func(x, y []float64) ([]float64, gradient[float64]) {
			l := &gradientL1[float64]{edgesOf(c, ny, nx), 0.3, x, y, rows, make([]float64, len(x))}
			return []float64{l.value()}, l
		}
	}
	h := func(r relative, bounded [3]bool, size ...int) body {
		s := newSobolev(size, H1Config{Bounded: bounded, Measure: []float64{1, 2, 3}[:len(size)]})
		return func(x, y []float64) ([]float64, gradient[float64]) {
			l := newSobolevNorms(r, s, x, y, make([]float64, 3*rows))
			return l.value, &l
		}
	}
	lp := func(r relative) body {
		return func(x, y []float64) ([]float64, gradient[float64]) {
			l := newNorms(r, x, y, make([]float64, 3*rows))
			return l.value, &l
		}
	}
	return map[string]body{
		"L1L2": func(x, y []float64) ([]float64, gradient[float64]) {
			l := &l1l2[float64]{x, y, 0.6, 0.4}
			return []float64{l.value()}, l
		},
		"L2 relative":     lp(relative{p: 2, eps: 0.1, weight: 0.7}),
		"L2 absolute":     lp(relative{p: 2, absolute: true, weight: 0.7}),
		"L1 relative":     lp(relative{p: 1, eps: 0.1, weight: 0.7}),
		"L1 absolute":     lp(relative{p: 1, absolute: true, weight: 0.7}),
		"H1 1D":           h(relative{eps: 0.1, weight: 0.7}, [3]bool{}, 20),
		"H1 2D":           h(relative{eps: 0.1, weight: 0.7}, [3]bool{false, true}, ny, nx),
		"H1 3D":           h(relative{eps: 0.1, weight: 0.7}, [3]bool{true, false, true}, ny, 2, 2),
		"H1 absolute":     h(relative{absolute: true, weight: 0.7}, [3]bool{}, ny, nx),
		"Sobel replicate": edge(GradientL1Config{}),
		"Sobel zeros":     edge(GradientL1Config{Padding: Zeros, Dx: 2}),
		"Scharr reflect":  edge(GradientL1Config{Stencil: Scharr, Padding: Reflect, Dy: 0.5}),
		"SSIM": func(x, y []float64) ([]float64, gradient[float64]) {
			l := &similarity[float64]{windowOf(SSIMConfig{Window: 3, Range: 2}, ny, nx), x, y, 1}
			values := make([]float64, rows)
			l.values(values)
			return values, l
		},
	}
}

// TestGradients compares every gradient, in float64, with central differences.
func TestGradients(t *testing.T) {
	const n, step = 40, 1e-5
	for name, f := range bodies() {
		rng := rand.New(rand.NewPCG(1, 2))
		x, y := make([]float64, n), make([]float64, n)
		for i := range x {
			x[i], y[i] = rng.NormFloat64(), rng.NormFloat64()
		}
		values, grad := f(x, y)
		c := make([]float64, len(values))
		for i := range c {
			c[i] = rng.NormFloat64()
		}
		gx, gy := make([]float64, n), make([]float64, n)
		grad.add(gx, gy, c)
		at := func() float64 {
			v, _ := f(x, y)
			s := 0.0
			for i := range v {
				s += c[i] * v[i]
			}
			return s
		}
		for which, z := range [][]float64{x, y} {
			got := [][]float64{gx, gy}[which]
			for i := range z {
				v := z[i]
				z[i] = v + step
				up := at()
				z[i] = v - step
				down := at()
				z[i] = v
				require.InDelta(t, (up-down)/(2*step), got[i], 1e-7, "%s: input %d, element %d", name, which, i)
			}
		}
		// Either gradient alone is the same, and is added to what is there.
		for which := range 2 {
			alone := make([]float64, n)
			kernel.Fill(alone, 3)
			want := slices.Clone([][]float64{gx, gy}[which])
			for i := range want {
				want[i] += 3
			}
			if which == 0 {
				grad.add(alone, nil, c)
			} else {
				grad.add(nil, alone, c)
			}
			require.InDeltaSlice(t, want, alone, 1e-12, name)
		}
	}
}

func TestCrossEntropyGradient(t *testing.T) {
	labels := []int{2, 0, 2}
	x := make([]float64, 12)
	for i := range x {
		x[i] = 3 * math.Sin(float64(i*i))
	}
	for _, smoothing := range []float64{0, 0.2} {
		l, other := entropy(x, labels, smoothing), entropy(x, labels, smoothing)
		l.value()
		gx := make([]float64, len(x))
		l.add(gx, 1.5)
		for i, v := range x {
			x[i] = v + 1e-5
			up := other.value()
			x[i] = v - 1e-5
			down := other.value()
			x[i] = v
			require.InDelta(t, 1.5*(up-down)/2e-5, gx[i], 1e-8)
		}
		sum := kernel.Sum(gx)
		require.InDelta(t, 0, sum, 1e-12, "a shift of all logits changes nothing")
	}
	// Logits that overflow an exponential, and the value of a uniform guess.
	require.InDelta(t, 500, entropy([]float64{1000, 0, 0, 1000}, []int{0, 0}, 0).value(), 1e-9)
	require.InDelta(t, math.Log(5), entropy(make([]float64, 5), []int{3}, 0.3).value(), 1e-12)
}

func entropy(x []float64, labels []int, smoothing float64) *crossEntropy[float64] {
	return &crossEntropy[float64]{x, labels, smoothing, make([]float64, len(labels))}
}

// TestPerfectPrediction: the value is that of no error, and the gradients are numbers.
func TestPerfectPrediction(t *testing.T) {
	for name, f := range bodies() {
		x := make([]float64, 40)
		for i := range x {
			x[i] = math.Sin(float64(i))
		}
		for _, data := range [][]float64{x, make([]float64, 40)} {
			v, grad := f(data, slices.Clone(data))
			want := 0.0
			if name == "SSIM" {
				want = 1
			}
			for i := range v {
				require.InDelta(t, want, v[i], 1e-12, name)
			}
			gx, gy := make([]float64, 40), make([]float64, 40)
			kernel.Fill(v, 1)
			grad.add(gx, gy, v)
			require.True(t, kernel.AllFinite(gx) && kernel.AllFinite(gy), name)
			require.Less(t, kernel.MaxAbs(gx), 1e-12, "%s: a minimum", name)
		}
	}
}

// TestValuesDoNotDependOnThreads runs losses over data that is cut in many pieces.
func TestValuesDoNotDependOnThreads(t *testing.T) {
	defer kernel.SetThreads(0)
	rng := rand.New(rand.NewPCG(1, 2))
	x, y := autograd.New(7, 3, 70, 71), autograd.New(7, 3, 70, 71)
	for i := range x.Data {
		x.Data[i], y.Data[i] = rng.Float32(), rng.Float32()
	}
	var first [][]float32
	for _, threads := range []int{1, 2, 3} {
		kernel.SetThreads(threads)
		var all [][]float32
		for _, f := range []func(p, q *autograd.Value) *autograd.Value{
			MSE,
			func(p, q *autograd.Value) *autograd.Value { return Lp(p, q, LpConfig{}) },
			func(p, q *autograd.Value) *autograd.Value { return H1(p, q, H1Config{}) },
			func(p, q *autograd.Value) *autograd.Value { return GradientL1(p, q, GradientL1Config{}) },
			func(p, q *autograd.Value) *autograd.Value { return SSIM(p, q, SSIMConfig{}) },
		} {
			tape := &autograd.Tape{}
			p := tape.Input(x)
			v := f(p, tape.Const(y))
			all = append(all, v.Data, v.Backward().Wrt(p).Data)
		}
		if first == nil {
			first = all
		}
		require.Equal(t, first, all)
	}
}
