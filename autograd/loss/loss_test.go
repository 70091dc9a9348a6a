package loss_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/loss"
)

func Example() {
	tape := &autograd.Tape{}
	pred := tape.Input(autograd.FromSlice([]float32{1, 2, 4}, 1, 3))
	target := tape.Const(autograd.FromSlice([]float32{1, 3, 2}, 1, 3))
	y := loss.L1L2(pred, target, 0.6, 0.4) // 0.6 * 3/3 + 0.4 * 5/3
	fmt.Printf("%.4f\n", y.Data[0])
	fmt.Printf("%.4f\n", y.Backward().Wrt(pred).Data)
	// Output:
	// 1.2667
	// [0.0000 -0.4667 0.7333]
}

func ExampleSSIM() {
	tape := &autograd.Tape{}
	image := tape.Const(autograd.New(1, 1, 20, 20))
	fmt.Println(loss.SSIM(image, image, loss.SSIMConfig{}).Data)
	// Output: [1]
}

// wave is sin(2 pi k x) on a periodic grid of n points.
func wave(n, k int, amplitude float64) *autograd.Tensor {
	x := autograd.New(1, 1, n)
	for i := range x.Data {
		x.Data[i] = float32(amplitude * math.Sin(2*math.Pi*float64(k*i)/float64(n)))
	}
	return x
}

// TestH1OfAWave: ||sin(2 pi k x)||^2 is 1/2 and that of its derivative (2 pi k)^2/2, which the differences approach as the
// grid is refined, with an error that falls by four when the step is halved.
func TestH1OfAWave(t *testing.T) {
	tape := &autograd.Tape{}
	exact := math.Sqrt(0.5 * (1 + 4*math.Pi*math.Pi))
	previous := 0.0
	for _, n := range []int{32, 64, 128} {
		y := loss.H1(tape.Const(wave(n, 1, 1)), tape.Const(autograd.New(1, 1, n)), loss.H1Config{Axes: 1, Absolute: true})
		miss := math.Abs(float64(y.Data[0]) - exact)
		if previous > 0 {
			require.InEpsilon(t, 4, previous/miss, 0.02, "%d points", n)
		}
		previous = miss
	}
}

func TestAbsoluteNormsAreIntegrals(t *testing.T) {
	tape := &autograd.Tape{}
	zero := tape.Const(autograd.New(1, 1, 64))
	y := loss.Lp(tape.Const(wave(64, 3, 2)), zero, loss.LpConfig{Axes: 1, Absolute: true, Measure: []float64{5}})
	require.InDelta(t, math.Sqrt(4*5*0.5), y.Data[0], 1e-5)
	y = loss.Lp(tape.Const(wave(4096, 3, 2)), tape.Const(autograd.New(1, 1, 4096)), loss.LpConfig{Axes: 1, P: 1, Absolute: true})
	require.InDelta(t, 2*2/math.Pi, y.Data[0], 1e-4)
}

func TestGradientL1SeesEdgesNotLevels(t *testing.T) {
	tape := &autograd.Tape{}
	flat, step := autograd.New(1, 1, 8, 8), autograd.New(1, 1, 8, 8)
	for i := range flat.Data {
		flat.Data[i] = 5
		if i%8 >= 4 {
			step.Data[i] = 1
		}
	}
	zero := tape.Const(autograd.New(1, 1, 8, 8))
	require.InDelta(t, 0, loss.GradientL1(tape.Const(flat), zero, loss.GradientL1Config{}).Data[0], 1e-6)
	// The step shows in two of eight columns, as (1 + 2 + 1) / 8.
	require.InDelta(t, 0.5*2/8, loss.GradientL1(tape.Const(step), zero, loss.GradientL1Config{}).Data[0], 1e-6)
}

func TestSSIMIsSymmetricAndAtMostOne(t *testing.T) {
	tape := &autograd.Tape{}
	x, y := autograd.New(2, 1, 24, 20), autograd.New(2, 1, 24, 20)
	for i := range x.Data {
		x.Data[i] = float32(math.Mod(float64(i)*0.618, 1))
		y.Data[i] = x.Data[i] + 0.1*float32(math.Mod(float64(i)*0.414, 1))
	}
	a := loss.SSIM(tape.Const(x), tape.Const(y), loss.SSIMConfig{}).Data[0]
	b := loss.SSIM(tape.Const(y), tape.Const(x), loss.SSIMConfig{}).Data[0]
	require.Equal(t, a, b)
	require.Less(t, a, float32(1))
	require.Greater(t, a, float32(0.8))
	per := loss.SSIMOfImages(x.Data, y.Data, 24, 20, loss.SSIMConfig{})
	require.InDelta(t, a, (per[0]+per[1])/2, 1e-6)
}

func TestConfigsInJSON(t *testing.T) {
	text, err := json.Marshal(loss.GradientL1Config{Stencil: loss.Scharr, Padding: loss.Zeros, Reduction: loss.SumOf})
	require.NoError(t, err)
	require.JSONEq(t, `{"stencil":"scharr","padding":"zeros","reduction":"sum"}`, string(text))
	var c loss.GradientL1Config
	require.NoError(t, json.Unmarshal(text, &c))
	require.Equal(t, loss.GradientL1Config{Stencil: loss.Scharr, Padding: loss.Zeros, Reduction: loss.SumOf}, c)
	text, err = json.Marshal(loss.GradientL1Config{})
	require.NoError(t, err)
	require.JSONEq(t, `{}`, string(text))
	require.ErrorContains(t, json.Unmarshal([]byte(`{"padding":"wrap"}`), &c), `loss: padding "wrap"; want one of ["replicate" "reflect" "zeros"]`)
	require.ErrorContains(t, json.Unmarshal([]byte(`{"stencil":"x"}`), &c), `loss: stencil "x"`)
	require.ErrorContains(t, json.Unmarshal([]byte(`{"reduction":"x"}`), &c), `loss: reduction "x"`)
}

// The labels are those of the call, whatever their slice holds later.
func TestCrossEntropyKeepsItsLabels(t *testing.T) {
	grad := func(change bool) []float32 {
		x := (&autograd.Tape{}).Input(autograd.FromSlice([]float32{1, 2, 3}, 1, 3))
		labels := []int{0}
		l := loss.CrossEntropy(x, labels, 0)
		if change {
			labels[0] = 2
		}
		return l.Backward().Wrt(x).Data
	}
	require.Equal(t, grad(false), grad(true))
}

func TestUnknownKinds(t *testing.T) {
	require.Equal(t, "Stencil(7) Padding(-1) Reduction(2)", fmt.Sprint(loss.Stencil(7), loss.Padding(-1), loss.Reduction(2)))
	for want, c := range map[string]loss.GradientL1Config{
		`loss: stencil 7; want one of ["sobel" "scharr"]`:               {Stencil: 7},
		`loss: padding -1; want one of ["replicate" "reflect" "zeros"]`: {Padding: -1},
		`loss: reduction 2; want one of ["mean" "sum"]`:                 {Reduction: 2},
	} {
		_, err := json.Marshal(c)
		require.ErrorContains(t, err, want)
		x := (&autograd.Tape{}).Const(autograd.New(1, 1, 4, 4))
		require.PanicsWithValue(t, want, func() { loss.GradientL1(x, x, c) })
	}
}

func TestMisuse(t *testing.T) {
	tape := &autograd.Tape{}
	ended := &autograd.Tape{}
	stale := ended.Const(autograd.New(2, 3))
	ended.Reset()
	a, b := tape.Const(autograd.New(2, 3)), tape.Const(autograd.New(3, 2))
	for want, f := range map[string]func(){
		"loss: L1: prediction [2 3] and target [3 2] differ in shape": func() { loss.L1(a, b) },
		"loss: L1: prediction and target lie on different tapes":      func() { loss.L1(a, (&autograd.Tape{}).Const(autograd.New(2, 3))) },
		"loss: MSE: shape [0 2] has no elements": func() {
			c := tape.Const(autograd.New(0, 2))
			loss.MSE(c, c)
		},
		"autograd: Tape: a value of a pass that Reset has ended":                           func() { loss.MSE(stale, a) },
		"loss: Lp: p is 3; want 1 or 2":                                                    func() { loss.Lp(a, a, loss.LpConfig{P: 3}) },
		"loss: Lp: shape [2 3]; want at least 3 axes":                                      func() { loss.Lp(a, a, loss.LpConfig{Axes: 3}) },
		"loss: Lp: measures [1] of a domain of 2 axes":                                     func() { loss.Lp(a, a, loss.LpConfig{Absolute: true, Measure: []float64{1}}) },
		"loss: H1: 4 axes; want 1 to 3":                                                    func() { loss.H1(a, a, loss.H1Config{Axes: 4}) },
		"loss: SSIMOfImages: 3 and 4 pixels for images of 1 x 2":                           func() { loss.SSIMOfImages(make([]float32, 3), make([]float32, 4), 1, 2, loss.SSIMConfig{}) },
		"loss: SSIM: window 4, sigma 1.5, range 1; want an odd window, the others above 0": func() { loss.SSIM(a, a, loss.SSIMConfig{Window: 4}) },
		"loss: CrossEntropy: 1 labels for logits [2 3]; want [sample, class]":              func() { loss.CrossEntropy(a, []int{1}, 0) },
		"loss: CrossEntropy: label 3 of sample 1 for 3 classes":                            func() { loss.CrossEntropy(a, []int{1, 3}, 0) },
		"loss: CrossEntropy: smoothing 1; want 0 <= smoothing < 1":                         func() { loss.CrossEntropy(a, []int{1, 2}, 1) },
		"loss: H1: grid [1 2]: a bounded axis needs at least 2 points": func() {
			c := tape.Const(autograd.New(3, 1, 2))
			loss.H1(c, c, loss.H1Config{Bounded: [3]bool{true}})
		},
		"loss: GradientL1: shape [1 4]: reflection needs at least 2 x 2 pixels": func() {
			c := tape.Const(autograd.New(1, 4))
			loss.GradientL1(c, c, loss.GradientL1Config{Padding: loss.Reflect})
		},
	} {
		require.PanicsWithValue(t, want, f)
	}
}

func BenchmarkSSIM(b *testing.B) {
	benchmark(b, func(p, q *autograd.Value) *autograd.Value { return loss.SSIM(p, q, loss.SSIMConfig{}) })
}

func BenchmarkGradientL1(b *testing.B) {
	benchmark(b, func(p, q *autograd.Value) *autograd.Value { return loss.GradientL1(p, q, loss.GradientL1Config{}) })
}

func BenchmarkL1L2(b *testing.B) {
	benchmark(b, func(p, q *autograd.Value) *autograd.Value { return loss.L1L2(p, q, 0.6, 0.4) })
}

// benchmark times value and gradient at a training step's size.
func benchmark(b *testing.B, f objective) {
	x, y := autograd.New(32, 1, 70, 70), autograd.New(32, 1, 70, 70)
	for i := range x.Data {
		x.Data[i], y.Data[i] = float32(math.Sin(float64(i))), float32(math.Sin(float64(i)+0.3))
	}
	tape := &autograd.Tape{}
	for b.Loop() {
		f(tape.Input(x), tape.Const(y)).Backward()
		tape.Reset()
	}
	b.ReportMetric(float64(x.Len())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpixel/s")
}

// The relative error in values alone, and in values and slopes: a short ripple is small in one and large in the other.
func ExampleH1() {
	const n = 64
	truth, ripple := autograd.New(1, 1, n), autograd.New(1, 1, n)
	for i := range n {
		s := 2 * math.Pi * float64(i) / n
		truth.Data[i] = float32(math.Sin(s))
		ripple.Data[i] = float32(math.Sin(s) + 0.05*math.Sin(10*s))
	}
	tape := &autograd.Tape{}
	y, x := tape.Const(truth), tape.Const(ripple)
	fmt.Printf("L2 %.2f\n", loss.Lp(x, y, loss.LpConfig{Axes: 1}).Data[0])
	fmt.Printf("H1 %.2f\n", loss.H1(x, y, loss.H1Config{Axes: 1}).Data[0])
	// Output:
	// L2 0.05
	// H1 0.42
}
