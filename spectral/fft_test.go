package spectral_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/spectral"
)

func ExampleRFFT() {
	tape := &autograd.Tape{}
	x := tape.Const(autograd.FromSlice([]float32{1, 0, -1, 0}, 4)) // one period of a cosine
	fmt.Println(spectral.RFFT(x, 1, spectral.NormBackward).Data)
	// Output: [0 0 2 0 0 0]
}

func TestTransformGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for name, k := range map[string]struct {
		x *autograd.Tensor
		f func(x *autograd.Value) *autograd.Value
	}{
		"rfft even":  {randomTensor(rng, 2, 5, 6), func(x *autograd.Value) *autograd.Value { return spectral.RFFT(x, 2, spectral.NormOrtho) }},
		"rfft odd":   {randomTensor(rng, 2, 4, 3, 7), func(x *autograd.Value) *autograd.Value { return spectral.RFFT(x, 3, spectral.NormOrtho) }},
		"irfft even": {randomTensor(rng, 2, 5, 4, 2), func(x *autograd.Value) *autograd.Value { return spectral.IRFFT(x, []int{5, 6}, spectral.NormOrtho) }},
		"irfft odd":  {randomTensor(rng, 2, 5, 4, 2), func(x *autograd.Value) *autograd.Value { return spectral.IRFFT(x, []int{5, 7}, spectral.NormOrtho) }},
		"fft":        {randomTensor(rng, 3, 4, 5, 2), func(x *autograd.Value) *autograd.Value { return spectral.FFT(x, 2, spectral.NormOrtho) }},
		"ifft":       {randomTensor(rng, 3, 4, 5, 2), func(x *autograd.Value) *autograd.Value { return spectral.IFFT(x, 2, spectral.NormBackward) }},
		"complex":    {randomTensor(rng, 3, 4), func(x *autograd.Value) *autograd.Value { return spectral.ToComplex(x) }},
		"magnitude":  {away(randomTensor(rng, 6, 2)), spectral.Magnitude},
		"resample":   {randomTensor(rng, 1, 2, 4, 5, 6), func(x *autograd.Value) *autograd.Value { return spectral.Resample(x, 5, 4, 8) }},
		"resample-r": {randomTensor(rng, 1, 2, 4, 5, 6), func(x *autograd.Value) *autograd.Value { return spectral.UpstreamDefects().Resample(x, 7, 8, 4) }},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, autograd.CheckGrad(autograd.GradCheck{}, func(x []*autograd.Value) *autograd.Value {
				return autograd.Add(k.f(x[0]), k.f(x[0]))
			}, k.x))
		})
	}
}

// away moves complex numbers away from zero, where their magnitude has a kink.
func away(x *autograd.Tensor) *autograd.Tensor {
	for i := 0; i < x.Len(); i += 2 {
		x.Data[i] += float32(math.Copysign(2, float64(x.Data[i])))
	}
	return x
}

func TestTransformsAreInverse(t *testing.T) {
	x := randomTensor(rand.New(rand.NewPCG(2, 2)), 3, 6, 9)
	for _, norm := range []spectral.Norm{"", spectral.NormForward, spectral.NormOrtho, spectral.NormBackward} {
		tape := &autograd.Tape{NoGrad: true}
		v := tape.Const(x)
		y := spectral.IRFFT(spectral.RFFT(v, 2, norm), []int{6, 9}, norm)
		z := spectral.IFFT(spectral.FFT(spectral.ToComplex(v), 2, norm), 2, norm)
		for i := range x.Data {
			require.InDelta(t, x.Data[i], y.Data[i], 1e-6)
			require.InDelta(t, x.Data[i], z.Data[2*i], 1e-6)
			require.InDelta(t, 0, z.Data[2*i+1], 1e-6)
		}
	}
}

func TestTransformMisuse(t *testing.T) {
	tape := &autograd.Tape{}
	require.PanicsWithValue(t, "spectral: IRFFT: shape [3 4 2] is not the half spectrum of a grid [3 5]", func() {
		spectral.IRFFT(tape.Const(autograd.New(3, 4, 2)), []int{3, 5}, spectral.NormOrtho)
	})
	require.PanicsWithValue(t, "spectral: FFT: shape [3 4] has no 1 axes to transform (complex: true)", func() {
		spectral.FFT(tape.Const(autograd.New(3, 4)), 1, spectral.NormOrtho)
	})
}

// wave is a function with modes up to 2 along each axis, on a grid of its period.
func wave(size ...int) *autograd.Tensor {
	x := autograd.New(append([]int{1, 1}, size...)...)
	for i := range x.Data {
		rest, v := i, 1.0
		for a := len(size) - 1; a >= 0; a-- {
			p := 2 * math.Pi * float64(rest%size[a]) / float64(size[a])
			v *= 1 + math.Cos(p) + 0.5*math.Sin(2*p+float64(a))
			rest /= size[a]
		}
		x.Data[i] = float32(v)
	}
	return x
}

func TestFourierResampleIsExact(t *testing.T) {
	for _, k := range [][2][]int{{{6, 7}, {9, 8}}, {{9, 8}, {5, 6}}, {{5, 6, 7}, {8, 9, 6}}, {{6}, {16}}, {{11}, {5}}} {
		tape := &autograd.Tape{NoGrad: true}
		got := spectral.FourierResample(tape.Const(wave(k[0]...)), k[1]...)
		want := wave(k[1]...)
		for i := range want.Data {
			require.InDelta(t, want.Data[i], got.Data[i], 1e-5, "%v", k)
		}
	}
}

// A finer grid that holds the coarse one's points keeps their values, the mode n/2 included.
func TestFourierResampleInterpolates(t *testing.T) {
	x := randomTensor(rand.New(rand.NewPCG(3, 3)), 1, 1, 4, 6)
	tape := &autograd.Tape{NoGrad: true}
	y := spectral.FourierResample(tape.Const(x), 8, 18)
	for p := range 4 {
		for q := range 6 {
			require.InDelta(t, x.At(0, 0, p, q), y.At(0, 0, 2*p, 3*q), 1e-5)
		}
	}
	back := spectral.FourierResample(y, 4, 6)
	for i := range x.Data {
		require.InDelta(t, x.Data[i], back.Data[i], 1e-5)
	}
}

func TestMagnitudeL1(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	x, y := randomTensor(rng, 2, 1, 8, 9), randomTensor(rng, 2, 1, 8, 9)
	loss := spectral.MagnitudeL1{Gamma: 0.5}
	require.NoError(t, autograd.CheckGrad(autograd.GradCheck{Step: 1e-2, Tol: 5e-3}, func(x []*autograd.Value) *autograd.Value {
		return loss.Loss(x[0], x[1])
	}, x, y))
	tape := &autograd.Tape{}
	shifted := roll(autograd.FromSlice(x.Data, 2, 8, 9, 1), 3, 4)
	l := spectral.MagnitudeL1{NoWindow: true}.Loss(tape.Const(x), tape.Const(autograd.FromSlice(shifted.Data, x.Shape...)))
	require.InDelta(t, 0, l.Data[0], 1e-6, "magnitudes do not see a translation")
}

func ExampleFrequencies() {
	fmt.Println(spectral.Frequencies(6), spectral.Frequencies(5))
	// Output: [0 1 2 -3 -2 -1] [0 1 2 -2 -1]
}

func ExampleRadius() {
	fmt.Printf("%.2f\n", spectral.RadiusHalf(2, 4))
	// Output: [0.00 0.35 0.71 0.71 0.79 1.00]
}

func TestBandEnergiesOfNothing(t *testing.T) {
	require.Empty(t, spectral.EnergyRatio(autograd.New(0, 1, 4, 4)))
	require.Equal(t, [][]float64{{0, 0}}, spectral.BandEnergies(autograd.New(1, 1, 0, 4), 2, 0, 0.5, 1))
	require.Equal(t, [][]float64{{0, 0}}, spectral.BandEnergies(autograd.New(1, 0, 4, 4), 2, 0, 0.5, 1))
	require.PanicsWithValue(t, "spectral: BandEnergies: shape [], 2 axes, edges [0.05 0.3 0.4 0.85]", func() { spectral.EnergyRatio(autograd.New()) })
}

func TestBandsAndFrequenciesRefuseNonsense(t *testing.T) {
	require.Empty(t, spectral.Frequencies(0))
	require.PanicsWithValue(t, "spectral: Frequencies: -3 points; want 0 or more", func() { spectral.Frequencies(-3) })
	for _, c := range []struct {
		n     []int
		edges []float64
	}{{nil, []float64{0, 1}}, {[]int{4, 0}, []float64{0, 1}}, {[]int{4, 4}, []float64{1}}, {[]int{4, 4}, nil}, {[]int{4, 4}, []float64{1, 0}}} {
		want := fmt.Sprintf("spectral: BandBins: grid %v, edges %v; want sizes of at least 1, and sorted edges of one band or more", c.n, c.edges)
		require.PanicsWithValue(t, want, func() { spectral.BandBins(c.n, c.edges...) })
	}
}

// A mode that lies on an edge belongs to the band that begins there, whatever rounding makes of its radius.
func TestBandEdges(t *testing.T) {
	for _, c := range []struct{ n, k int }{{21, 4}, {31, 6}, {61, 12}, {70, 14}, {30, 6}} {
		bands := spectral.BandBins([]int{c.n, c.n}, 0, 0.4, 2)
		mode := spectral.Bin{At: c.k*(c.n/2+1) + c.k, Weight: 2}
		require.NotContains(t, bands[0], mode)
		require.Contains(t, bands[1], mode)
		weights := 0.0
		for _, band := range bands {
			for _, k := range band {
				weights += k.Weight
			}
		}
		require.EqualValues(t, c.n*c.n, weights, "every mode counts once")
	}
}

func TestBandEnergies(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	x := randomTensor(rng, 2, 3, 12, 13)
	all := spectral.BandEnergies(x, 2, 0, 0.3, 2)
	for s := range 2 {
		energy := kernel.SumSquares(x.Data[s*3*156 : (s+1)*3*156])
		require.InEpsilon(t, energy, all[s][0]+all[s][1], 1e-5, "Parseval")
	}
	// A single mode (3, 2) of a 12 x 12 grid has r = sqrt(9+4)/sqrt(72) = 0.42.
	y := autograd.New(1, 1, 12, 12)
	for i := range y.Data {
		y.Data[i] = float32(math.Cos(2 * math.Pi * float64(3*(i/12)+2*(i%12)) / 12))
	}
	e := spectral.BandEnergies(y, 2, 0, 0.4, 0.45, 1)[0]
	require.InDelta(t, 72, e[1], 1e-3)
	require.InDelta(t, 0, e[0]+e[2], 1e-6)
	r := spectral.EnergyRatio(x)
	require.Len(t, r, 2)
	require.InEpsilon(t, (0.85*0.85-0.40*0.40)/(0.30*0.30-0.05*0.05), r[0], 0.5, "white noise: about as the areas")
}
