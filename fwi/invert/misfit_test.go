package invert

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func noise(n int, rng *rand.Rand) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

func TestLowPassPassesLowFrequencies(t *testing.T) {
	const n, dt = 4000, 0.001
	for _, c := range []struct{ freq, gain float64 }{{1, 1}, {5, 0.999}, {10, math.Sqrt(0.5)}, {20, 1.0 / 64}, {40, 1.0 / 4096}} {
		x := make([]float64, 2*n)
		for i := range n {
			x[2*i] = math.Sin(2 * math.Pi * c.freq * dt * float64(i))
		}
		newLowPass(10, dt).apply(x, 2)
		most := 0.0
		for i := n / 2; i < n; i++ {
			most = max(most, math.Abs(x[2*i]))
			require.Zero(t, x[2*i+1])
		}
		require.InDelta(t, c.gain, most, 0.03*c.gain+1e-5, "%v Hz", c.freq)
	}
	require.Nil(t, newLowPass(0, dt))
	require.Nil(t, newLowPass(460, dt))
}

func TestLowPassAdjoint(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x, y := noise(90, rng), noise(90, rng)
	f := newLowPass(40, 0.001)
	ax, ay := append([]float64(nil), x...), append([]float64(nil), y...)
	f.apply(ax, 3)
	f.adjoint(ay, 3)
	require.InEpsilon(t, dot(ax, y), dot(x, ay), 1e-12)
}

func TestHilbertTransform(t *testing.T) {
	const n = 400
	h := newHilbert(n)
	x := make([]float64, n)
	for i := range x {
		a := float64(i-n/2) / 40
		x[i] = math.Exp(-a*a) * math.Cos(float64(i-n/2)*0.5)
	}
	y := make([]float64, n)
	h.transform(y, x, 1)
	for i := range y {
		a := float64(i-n/2) / 40
		require.InDelta(t, math.Exp(-a*a)*math.Sin(float64(i-n/2)*0.5), y[i], 1e-6)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	a, b := noise(n, rng), noise(n, rng)
	ha, hb := make([]float64, n), make([]float64, n)
	h.transform(ha, a, 1)
	h.transform(hb, b, 1)
	require.InEpsilon(t, dot(ha, b), -dot(a, hb), 1e-10, "antisymmetric")
}

// The adjoint source of every misfit is its derivative, through filter and dead traces.
func TestAdjointSources(t *testing.T) {
	const nt, nr = 60, 4
	rng := rand.New(rand.NewPCG(5, 6))
	data := make([]float32, 2*nt*nr)
	for i := range data {
		if i%nr != 2 {
			data[i] = float32(rng.NormFloat64())
		}
	}
	for kind := L2; kind <= Correlation; kind++ {
		for _, filter := range []lowPass{nil, newLowPass(80, 0.001)} {
			c := newComparison(kind, filter, data, 2, nt, nr, 50, 0.5)
			d := noise(nt*nr, rng)
			g := append([]float64(nil), d...)
			value := c.derivative(1, g)
			require.Positive(t, value)
			direction := noise(nt*nr, rng)
			const step = 1e-5
			at := func(h float64) float64 {
				x := append([]float64(nil), d...)
				for i := range x {
					x[i] += h * direction[i]
				}
				return c.derivative(1, x)
			}
			slope := (at(step) - at(-step)) / (2 * step)
			require.InEpsilon(t, slope, dot(g, direction), 2e-6, "%v, filter %v", kind, filter != nil)
			for i := 2; i < len(g); i += nr {
				require.Zero(t, g[i], "dead trace")
			}
		}
	}
}

func TestMisfitsOfEqualGathersAreZero(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	data := make([]float32, 50*3)
	for i := range data {
		data[i] = float32(rng.NormFloat64())
	}
	for kind := L2; kind <= Correlation; kind++ {
		c := newComparison(kind, newLowPass(60, 0.001), data, 1, 50, 3, 0, 0)
		require.InDelta(t, 0, c.measure(0, make([]float32, 150), data), 1e-12, kind.String())
	}
}

// A gather of zeros against a recording: L2 is one half, L1 nearly one, the correlation one.
func TestMisfitsAreNormalised(t *testing.T) {
	data := make([]float32, 200)
	for i := range data {
		data[i] = float32(math.Sin(float64(i)))
	}
	zero := make([]float32, 200)
	for kind, want := range map[Misfit]float64{L2: 0.5, L1: 1, Correlation: 1, Envelope: 0.5} {
		c := newComparison(kind, nil, data, 1, 200, 1, 0, 0)
		require.InDelta(t, want, c.measure(0, make([]float32, 200), zero), 0.01, kind.String())
	}
}

func TestMisfitNames(t *testing.T) {
	for m := L2; m <= Correlation; m++ {
		text, err := json.Marshal(m)
		require.NoError(t, err)
		var back Misfit
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, m, back)
	}
	_, err := ParseMisfit("huber")
	require.EqualError(t, err, `invert: unknown misfit "huber", want one of l2, l1, envelope, correlation`)
	require.Equal(t, "Misfit(9)", Misfit(9).String())
}
