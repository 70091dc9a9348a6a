package fwi

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/mno"
)

// toy is a set of smooth functions x of two channels on 24 x 10 points; y is a nonlinear function of x on 12 x 10.
type toy struct {
	n    int
	spot int     // index of a pair whose x holds bad at one place, -1: none
	bad  float32 //
}

func newToy(n int) *toy { return &toy{n: n, spot: -1} }

func (d *toy) Len() int             { return d.n }
func (d *toy) Shapes() (x, y []int) { return []int{2, 24, 10}, []int{1, 12, 10} }

func (d *toy) Read(i int, x, y []float32) error {
	rng := rand.New(rand.NewPCG(uint64(i), 7))
	a, b := rng.NormFloat64(), rng.NormFloat64()
	at := func(c, r, k int) float64 {
		t := 2 * math.Pi * (float64(r)/24 + float64(k)/10)
		return a*math.Sin(t+float64(c)) + b*math.Cos(2*t)
	}
	for j := range x {
		x[j] = float32(at(j/240, j/10%24, j%10))
	}
	if i == d.spot && x != nil {
		x[17] = d.bad
	}
	for j := range y {
		v := at(0, 2*(j/10), j%10)
		y[j] = float32(3000 + 500*v/(1+v*v))
	}
	return nil
}

func toyConfig() Config {
	return Config{Network: "fno", X: []int{2, 24, 10}, Y: []int{1, 12, 10}, Rows: 12, Unit: "m/s",
		XNorm: MinMax(1, -3, 3), YNorm: MinMax(0, 1500, 4500), OperatorConfig: OperatorConfig{FNO: &fno.Config{In: 2, Out: 1, Hidden: 6, Modes: []int{4, 4}, Layers: 2}}}
}

func newToyModel(t testing.TB) *Model {
	m, err := New(toyConfig(), rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	return m
}

func TestNormalisation(t *testing.T) {
	n := MinMax(1, -26.95, 52.77)
	x := []float32{-26.95, 52.77, 0, 1e-3, -7}
	y := make([]float32, len(x))
	n.Forward(y, x, 1)
	require.InDelta(t, -1, y[0], 1e-6)
	require.InDelta(t, 1, y[1], 1e-6)
	back := make([]float32, len(x))
	n.Inverse(back, y, 1)
	require.InDeltaSlice(t, x, back, 1e-4)

	per := Normalisation{Shift: []float64{1, 2}, Scale: []float64{2, 4}}
	per.Forward(y[:4], []float32{1, 3, 2, 6}, 2)
	require.Equal(t, []float32{0, 1, 0, 1}, y[:4])
	require.Equal(t, 4.0, per.Unit(1))
	require.Equal(t, 1.0, Normalisation{}.Unit(3))

	require.ErrorContains(t, per.Validate(3), "2 shifts and 2 scales for 3 channels")
	require.ErrorContains(t, Normalisation{Shift: []float64{0}, Scale: []float64{0}}.Validate(1), "scale 0")
	for _, bad := range [][2]float64{{1e39, 1}, {-1e39, 1e39}, {1e30, 1e-20}, {-1e30, 1e-20}, {math.NaN(), 1}, {math.Inf(-1), 1}, {0, 1e-39}, {0, 1e39}, {0, math.NaN()}} {
		n := Normalisation{Shift: []float64{0, bad[0]}, Scale: []float64{1, bad[1]}}
		require.ErrorContains(t, n.Validate(2), fmt.Sprintf("channel 1 has shift %v and scale %v", bad[0], bad[1]))
	}
	require.NoError(t, Normalisation{Shift: []float64{-1e30}, Scale: []float64{1e-8}}.Validate(1))
	for _, log := range []float64{-1, math.NaN(), math.Inf(1)} {
		require.ErrorContains(t, Normalisation{Log: log}.Validate(1), fmt.Sprintf("log factor %v", log))
	}
}

func TestStandardise(t *testing.T) {
	d := newToy(40)
	x, y, err := Standardise(d)
	require.NoError(t, err)
	require.Len(t, x.Scale, 2)
	bx, by := make([]float32, 480), make([]float32, 120)
	sum, square := 0.0, 0.0
	for i := range d.n {
		require.NoError(t, d.Read(i, bx, by))
		y.Forward(by, by, 1)
		for _, v := range by {
			sum += float64(v)
			square += float64(v) * float64(v)
		}
	}
	require.InDelta(t, 0, sum/4800, 1e-5)
	require.InDelta(t, 1, square/4800, 1e-5)
}

func TestResampler(t *testing.T) {
	const n, m = 200, 14
	r := NewResampler(n, m)
	apply := func(f func(s float64) float64) (in, out []float32) {
		in, out = make([]float32, n), make([]float32, m)
		for i := range in {
			in[i] = float32(f((float64(i) + 0.5) / n))
		}
		r.Apply(out, in, 1, 1)
		return in, out
	}
	_, y := apply(func(float64) float64 { return 3 })
	for _, v := range y {
		require.InDelta(t, 3, v, 1e-5)
	}
	// A slow wave passes.
	slow := func(s float64) float64 { return math.Sin(2 * math.Pi * 2 * s) }
	_, y = apply(slow)
	for j := 3; j < m-3; j++ {
		require.InDelta(t, slow((float64(j)+0.5)/m), y[j], 0.03)
	}
	// A wave that m samples cannot hold, and that picking every (n/m)-th sample would turn into a slow one, does not.
	_, y = apply(func(s float64) float64 { return math.Sin(2 * math.Pi * 15 * s) })
	for j := 3; j < m-3; j++ {
		require.InDelta(t, 0, y[j], 0.03)
	}
}

func TestResamplerOnlyShortens(t *testing.T) {
	for _, m := range []int{-1, 0, 11} {
		require.PanicsWithValue(t, fmt.Sprintf("fwi: NewResampler: from 10 to %d samples; want 1 to as many as there are", m),
			func() { NewResampler(10, m) })
	}
	same := make([]float32, 10)
	NewResampler(10, 10).Apply(same, []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 1)
	require.InDeltaSlice(t, []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, same, 1e-5)
}

func TestSplit(t *testing.T) {
	a, b, err := Split(newToy(20), 0.2, 3)
	require.NoError(t, err)
	require.Equal(t, 16, a.Len())
	require.Equal(t, 4, b.Len())
	require.ElementsMatch(t, append(append([]int{}, a.Index...), b.Index...), shuffled(20, 0, 0))
	_, again, err := Split(newToy(20), 0.2, 3)
	require.NoError(t, err)
	require.Equal(t, b.Index, again.Index)
	_, _, err = Split(newToy(1), 0.5, 0)
	require.ErrorContains(t, err, "1 pairs cannot be split")
	for _, fraction := range []float64{math.NaN(), -0.1, 1, 1e300, math.Inf(1)} {
		_, _, err := Split(newToy(20), fraction, 0)
		require.ErrorContains(t, err, "for validation; wanted at least 0 and less than 1", fraction)
	}
	for _, i := range []int{-1, 4} {
		require.ErrorContains(t, b.Read(i, nil, nil), fmt.Sprintf("pair %d of a subset of 4 pairs", i))
	}
}

func TestBaseline(t *testing.T) {
	d := newToy(10)
	mean, err := MeanMap(d)
	require.NoError(t, err)
	mae, err := BaselineMAE(d, mean)
	require.NoError(t, err)
	zero, err := BaselineMAE(d, make([]float32, len(mean)))
	require.NoError(t, err)
	require.Len(t, mae, 1)
	require.Greater(t, zero[0], 5*mae[0])
	require.Greater(t, mae[0], 10.0)
	_, err = BaselineMAE(d, mean[:7])
	require.ErrorContains(t, err, "a guess of 7 elements for maps of shape [1 12 10]; wanted 120")
}

func TestStatisticsOfNoPairs(t *testing.T) {
	none := newToy(0)
	_, err := MeanMap(none)
	require.ErrorContains(t, err, "a mean map of no pairs")
	_, err = BaselineMAE(none, make([]float32, 120))
	require.ErrorContains(t, err, "over no pairs")
	_, _, err = Standardise(none)
	require.ErrorContains(t, err, "the mean and deviation of no pairs")
}

func TestBadConfigs(t *testing.T) {
	for want, change := range map[string]func(c *Config){
		`network "nope" is unknown`:         func(c *Config) { c.Network = "nope" },
		"no part of that name":              func(c *Config) { c.FNO = nil },
		"3 input and 1 output channels":     func(c *Config) { c.FNO.In = 3 },
		"its grid is [11 10]":               func(c *Config) { c.Rows = 11 },
		"24 rows cannot be resampled to 30": func(c *Config) { c.Rows = 30 },
		"shape [2] of one sample":           func(c *Config) { c.X = []int{2} },
		"scale 0.05 leaves no points of the grid [12 10]": func(c *Config) {
			c.Network = "multiscale"
			c.OperatorConfig = OperatorConfig{Multiscale: &mno.MultiscaleConfig{In: 2, Out: 1, Hidden: 2, Scales: []float64{1, 0.05}}}
		},
		"expert 1: mno: scale 0.05 leaves no points of the grid [12 10]": func(c *Config) {
			*c = toySPAMoE()
			c.SPAMoE.Experts[1] = OperatorConfig{Multiscale: &mno.MultiscaleConfig{In: 4, Out: 1, Hidden: 2, Scales: []float64{1, 0.05}}}
		},
		"network fno: fno: block 1: spectral: scale [0.01] leaves no points of the grid [24 20]": func(c *Config) {
			c.FNO.Layers, c.FNO.Scale = 2, []float64{2, 0.01}
		},
		"scale [1e+12] of the grid [12 10] makes more than 2147483648 numbers": func(c *Config) { c.FNO.Scale = []float64{1e12} },
		"network fno: its configuration wants a network of":                    func(c *Config) { c.FNO.Hidden = 1e6 },
		"network mno: mno: grid [12 10]; want 1 positive sizes": func(c *Config) {
			c.Network = "mno"
			c.OperatorConfig = OperatorConfig{MNO: &mno.Config{In: 2, Out: 1, Dim: 1}}
		},
		"its scale maps the grid [12 10] to [24 20]": func(c *Config) { c.FNO.Layers, c.FNO.Scale = 2, []float64{1, 2} },
		"expert 2: its scale maps the grid [12 10] to [6 5]": func(c *Config) {
			*c = toySPAMoE()
			c.SPAMoE.Experts[2].LNO.Layers, c.SPAMoE.Experts[2].LNO.Scale = 2, []float64{1, 0.5}
		},
		"expert 2: lno: function 1 of 4 of the basis is zero": func(c *Config) {
			*c = toySPAMoE()
			c.SPAMoE.Experts[2].LNO.Grid = []int{120, 100}
		},
		"shift 0 and scale -1":                 func(c *Config) { c.YNorm = Normalisation{Shift: []float64{0}, Scale: []float64{-1}} },
		"5 shifts and 5 scales for 2 channels": func(c *Config) { c.XNorm = Normalisation{Shift: make([]float64, 5), Scale: make([]float64, 5)} },
	} {
		c := toyConfig()
		change(&c)
		_, err := New(c, rand.New(rand.NewPCG(0, 0)))
		require.ErrorContains(t, err, want)
	}
}
