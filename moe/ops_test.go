package moe

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/spectral"
)

func random(seed uint64, shape ...int) *autograd.Tensor {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := autograd.New(shape...)
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	return x
}

func TestLogPower(t *testing.T) {
	for _, n := range [][2]int{{6, 8}, {5, 7}, {4, 1}} {
		x := random(3, 2, 3, n[0], n[1])
		tape := &autograd.Tape{}
		v := tape.Input(x)
		y := logPower(spectrum(v), n[1])
		// By the definition, on the whole spectrum.
		f := spectral.FFT(spectral.ToComplex(tape.Const(x)), 2, spectral.NormBackward)
		points := n[0] * n[1]
		half := n[1]/2 + 1
		for s := range 2 {
			power := make([]float64, 3*points)
			mean, level := 0.0, 0.0
			for i := range power {
				re, im := float64(f.Data[2*(s*3*points+i)]), float64(f.Data[2*(s*3*points+i)+1])
				power[i] = re*re + im*im
				mean += power[i] / float64(len(power))
			}
			for _, p := range power {
				level += math.Log10(1e-6+p/mean) / 2 / float64(len(power))
			}
			for c := range 3 {
				for i := range n[0] {
					for j := range half {
						want := math.Log10(1e-6+power[c*points+i*n[1]+j]/mean)/2 - level
						require.InDelta(t, want, y.At(s, c, i, j), 1e-4)
					}
				}
			}
		}
		// A factor changes nothing, so the gradient along x is zero.
		g := tape.Backward(autograd.Seed{Value: y, Grad: random(4, y.Len()).Data}).Wrt(v)
		along, size := 0.0, 0.0
		for i := range x.Data {
			along += float64(g.Data[i]) * float64(x.Data[i])
			size += math.Abs(float64(g.Data[i]) * float64(x.Data[i]))
		}
		require.InDelta(t, 0, along/size, 1e-5)
	}
}

func TestLogPowerOfNothing(t *testing.T) {
	x := random(3, 2, 2, 4, 4)
	clear(x.Data[:32])
	tape := &autograd.Tape{}
	v := tape.Input(x)
	y := logPower(spectrum(v), 4)
	g := tape.Backward(autograd.Seed{Value: y, Grad: random(4, y.Len()).Data}).Wrt(v)
	for i := range 24 {
		require.InDelta(t, 0, y.Data[i], 1e-6)
		require.Zero(t, g.Data[i])
	}
	for _, v := range g.Data {
		require.False(t, math.IsNaN(float64(v)) || math.IsInf(float64(v), 0))
	}
}

// The mask of a pair acts as the whole mask does on the whole spectrum, whose result is then freed of its imaginary part.
func TestMask(t *testing.T) {
	for _, n := range [][2]int{{6, 8}, {5, 7}, {8, 5}} {
		for _, d := range []Defects{{}, {LinspaceRadius: true, OpenBands: true}} {
			b := Bands{Centers: evenly(3), Sharpness: 20, Defects: d}
			x := random(5, 2, 3, n[0], n[1])
			tape := &autograd.Tape{NoGrad: true}
			y := b.Split(tape.Const(x))
			masks := b.Masks(n[0], n[1])
			points := n[0] * n[1]
			f := spectral.FFT(spectral.ToComplex(tape.Const(x)), 2, spectral.NormBackward)
			for e := range 3 {
				masked := autograd.New(f.Shape...)
				for i := range masked.Data {
					masked.Data[i] = f.Data[i] * masks.Data[e*points+i/2%points]
				}
				want := spectral.IFFT(tape.Const(masked), 2, spectral.NormBackward)
				for i := range x.Data {
					require.InDelta(t, want.Data[2*i], y.Data[e*x.Len()+i], 2e-6)
				}
			}
		}
	}
}

func TestOpGradients(t *testing.T) {
	pairs := []pair{{1, 0}, {0, 1}, {1, 1}, {2, 1}}
	index := [][]int{{2, 0}, {0, 1}, {1, 2}}
	place := []int{3, 0, 1, 4, 2, 5}
	positive := random(8, 3, 3)
	for i, v := range positive.Data {
		positive.Data[i] = 0.5 + v*v
	}
	type values = []*autograd.Value
	for name, c := range map[string]struct {
		check autograd.GradCheck
		f     func(x values) *autograd.Value
		x     []*autograd.Tensor
	}{
		"mask":        {f: func(x values) *autograd.Value { return mask(x[0], x[1], pairs) }, x: []*autograd.Tensor{random(1, 3, 2, 3, 2, 2), random(2, 2, 6)}},
		"rowDots":     {f: func(x values) *autograd.Value { return rowDots(x[0], 0.3) }, x: []*autograd.Tensor{random(1, 5, 6)}},
		"renormalise": {f: func(x values) *autograd.Value { return renormalise(x[0], index) }, x: []*autograd.Tensor{positive}},
		"balance":     {f: func(x values) *autograd.Value { return balance(x[0], index, 0.7, false) }, x: []*autograd.Tensor{positive}},
		"selection":   {f: func(x values) *autograd.Value { return balance(x[0], [][]int{{1}, {1}, {0}}, 0.7, true) }, x: []*autograd.Tensor{positive}},
		"combine": {f: func(x values) *autograd.Value { return combine([]part{{x[1], 0}, {x[2], 2}}, x[0], place) },
			x: []*autograd.Tensor{random(1, 3, 2), random(2, 2, 5), random(3, 4, 5)}},
		// The logarithm bends much where the spectrum is small: short steps.
		"logPower": {check: autograd.GradCheck{Step: 1.0 / 256, Tol: 3e-3}, f: func(x values) *autograd.Value { return logPower(spectrum(x[0]), 5) },
			x: []*autograd.Tensor{random(7, 2, 2, 4, 5)}},
	} {
		require.NoError(t, autograd.CheckGrad(c.check, c.f, c.x...), name)
	}
}

// Filtering is linear in the spectrum: <A x, y> = <x, A' y>.
func TestFilterAdjoint(t *testing.T) {
	b := Bands{Centers: evenly(3), Sharpness: 20}
	x, y := random(1, 2, 2, 6, 7), random(2, 3, 2, 2, 6, 7)
	tape := &autograd.Tape{}
	v := tape.Input(x)
	ax := b.Split(v)
	aty := tape.Backward(autograd.Seed{Value: ax, Grad: y.Data}).Wrt(v)
	left, right := 0.0, 0.0
	for i := range y.Data {
		left += float64(ax.Data[i]) * float64(y.Data[i])
	}
	for i := range x.Data {
		right += float64(x.Data[i]) * float64(aty.Data[i])
	}
	require.InDelta(t, left, right, 1e-5*math.Abs(left)+1e-5)
}

func TestLargest(t *testing.T) {
	require.Equal(t, [][]int{{2, 0}, {0, 1}, {1, 2}}, largest([]float32{2, 1, 3, 5, 5, 5, 0, 2, 1}, 3, 2))
	nan := float32(math.NaN())
	require.Len(t, largest([]float32{nan, 1, nan}, 3, 3)[0], 3)
}

func TestRenormaliseNothing(t *testing.T) {
	tape := &autograd.Tape{}
	x := tape.Input(autograd.New(1, 3))
	w := renormalise(x, [][]int{{0, 2}})
	require.Equal(t, []float32{0, 0}, w.Data)
	require.InDelta(t, 1e12, autograd.Sum(w).Backward().Wrt(x).Data[0], 1e6)
}
