package velocity

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// published is the mean and the standard deviation of all maps of a family, in m/s.
var published = map[Family][2]float64{
	FlatVelA: {2782, 786}, FlatVelB: {3001, 867}, CurveVelA: {2788, 794}, CurveVelB: {3000, 866},
	FlatFaultA: {3089, 855}, FlatFaultB: {3056, 876}, CurveFaultA: {3083, 852}, CurveFaultB: {3036, 890},
	StyleA: {2729, 666}, StyleB: {2838, 638},
}

func generator(t testing.TB, cfg Config) *Generator {
	t.Helper()
	g, err := New(cfg)
	require.NoError(t, err)
	return g
}

func moments(values []float32) (sum, squares float64) {
	for _, v := range values {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	return sum, squares
}

func TestStatisticsMatchOpenFWI(t *testing.T) {
	const maps = 1000
	for _, f := range Families() {
		g := generator(t, Config{Family: f, Seed: 1})
		m := make([]float32, 70*70)
		var sum, squares float64
		for i := range maps {
			g.Map(m, i)
			s, q := moments(m)
			sum, squares = sum+s, squares+q
		}
		mean := sum / maps / 4900
		std := math.Sqrt(squares/maps/4900 - mean*mean)
		want := published[f]
		t.Logf("%-13s mean %.0f (%+.1f %%)  std %.0f (%+.1f %%)", f, mean, 100*(mean/want[0]-1), std, 100*(std/want[1]-1))
		require.InEpsilon(t, want[0], mean, 0.02, "mean of %s", f)
		require.InEpsilon(t, want[1], std, 0.03, "standard deviation of %s", f)
	}
}

// Layers hold integers within the bounds, Style real numbers.
func TestBounds(t *testing.T) {
	for _, f := range Families() {
		g := generator(t, Config{Family: f, Seed: 2, NZ: 64, NX: 80})
		m := make([]float32, 64*80)
		whole := true
		for i := range 50 {
			g.Map(m, i)
			require.GreaterOrEqual(t, slices.Min(m), float32(Least), "%s", f)
			require.LessOrEqual(t, slices.Max(m), float32(Most), "%s", f)
			for _, v := range m {
				whole = whole && v == float32(math.Trunc(float64(v)))
			}
		}
		require.Equal(t, f.Layers() != nil, whole, "%s", f)
	}
}

func TestMapsDependOnTheirIndexAlone(t *testing.T) {
	for _, f := range Families() {
		g := generator(t, Config{Family: f, Seed: 3})
		a, b := make([]float32, 4900), make([]float32, 4900)
		g.Map(a, 0)
		g.Map(a, 5)
		generator(t, Config{Family: f, Seed: 3}).Map(b, 5)
		require.Equal(t, a, b, "%s", f)
		g.Map(b, 6)
		require.NotEqual(t, a, b, "index of %s", f)
		generator(t, Config{Family: f, Seed: 4}).Map(b, 5)
		require.NotEqual(t, a, b, "seed of %s", f)
	}
}

// column returns the velocities of a column, one per layer that it crosses.
func column(m []float32, nz, nx, x int) []float32 {
	var layers []float32
	for z := range nz {
		if v := m[z*nx+x]; z == 0 || v != m[(z-1)*nx+x] {
			layers = append(layers, v)
		}
	}
	return layers
}

func TestFlatLayersAreFlat(t *testing.T) {
	for _, f := range []Family{FlatVelA, FlatVelB} {
		g := generator(t, Config{Family: f, Seed: 5})
		m := make([]float32, 4900)
		for i := range 100 {
			g.Map(m, i)
			for z := range 70 {
				row := m[z*70:][:70]
				require.Equal(t, slices.Min(row), slices.Max(row))
			}
			require.LessOrEqual(t, len(column(m, 70, 70, 0)), g.Layers(i))
		}
	}
}

// In A, velocity grows with depth in every column; in B it often falls.
func TestOrderOfVelocities(t *testing.T) {
	falls := func(f Family) int {
		g := generator(t, Config{Family: f, Seed: 6})
		m := make([]float32, 4900)
		n := 0
		for i := range 100 {
			g.Map(m, i)
			for x := range 70 {
				layers := column(m, 70, 70, x)
				for k := 1; k < len(layers); k++ {
					if layers[k] < layers[k-1] {
						n++
					}
				}
			}
		}
		return n
	}
	require.Zero(t, falls(FlatVelA))
	require.Zero(t, falls(CurveVelA))
	require.Greater(t, falls(FlatVelB), 1000)
	require.Greater(t, falls(CurveVelB), 1000)
}

// Boundaries of a curved map share their shape: layers keep their thickness from column to column.
func TestCurvedLayersShareTheirShape(t *testing.T) {
	g := generator(t, Config{Family: CurveVelB, Seed: 7})
	m := make([]float32, 4900)
	bent := 0
	for i := range 50 {
		g.Map(m, i)
		thickness := map[float32]int{} // of layers whose both ends lie inside the map
		for x := range 70 {
			layers := column(m, 70, 70, x)
			for k := 1; k < len(layers)-1; k++ {
				n := 0
				for z := range 70 {
					if m[z*70+x] == layers[k] {
						n++
					}
				}
				if want, ok := thickness[layers[k]]; ok {
					require.InDelta(t, want, n, 1)
				}
				thickness[layers[k]] = n
			}
		}
		for z := range 70 {
			if m[z*70] != m[z*70+35] {
				bent++
				break
			}
		}
	}
	require.Greater(t, bent, 45)
}

// distinct counts the velocities of a map.
func distinct(m []float32) int {
	set := map[float32]bool{}
	for _, v := range m {
		set[v] = true
	}
	return len(set)
}

// Faults of A shift the same layers, which a flat map shows as rows that are not uniform; those of B separate other layers.
func TestFaults(t *testing.T) {
	m := make([]float32, 4900)
	for _, f := range []Family{FlatFaultA, FlatFaultB, CurveFaultA, CurveFaultB} {
		require.True(t, f.Faulted())
		g := generator(t, Config{Family: f, Seed: 8})
		count := map[int]int{}
		for i := range 300 {
			g.Map(m, i)
			n := g.Layers(i)
			count[n]++
			require.Contains(t, f.Layers(), n)
			if f == FlatFaultA || f == CurveFaultA {
				require.LessOrEqual(t, distinct(m), n)
			} else {
				require.LessOrEqual(t, distinct(m), 2*n)
				require.Greater(t, distinct(m), n, "both sides of map %d of %s", i, f)
			}
			if f == FlatFaultA || f == FlatFaultB {
				uneven := 0
				for z := range 70 {
					if row := m[z*70:][:70]; slices.Min(row) < slices.Max(row) {
						uneven++
					}
				}
				require.Greater(t, uneven, 2, "fault of map %d of %s", i, f)
			}
		}
		require.Len(t, count, 3, "every number of layers occurs in %s", f)
	}
	require.False(t, FlatVelA.Faulted())
	require.False(t, StyleB.Faulted())
}

func TestFixedLayers(t *testing.T) {
	m := make([]float32, 4900)
	for _, n := range []int{1, 2, 6, 32} {
		g := generator(t, Config{Family: CurveFaultA, Seed: 9, Layers: n})
		g.Map(m, 0)
		require.Equal(t, n, g.Layers(0))
		require.LessOrEqual(t, distinct(m), n)
	}
}

// The field of Style has the correlation that its recipe names, and A is smoother than B.
func TestStyleCorrelation(t *testing.T) {
	const n, lag = 70, 4
	for _, f := range []Family{StyleA, StyleB} {
		g := generator(t, Config{Family: f, Seed: 10})
		m := make([]float32, n*n)
		var far, near, power float64
		for i := range 100 {
			g.Map(m, i)
			for z := range n {
				row := m[z*n:][:n] // the trend does not vary along a row
				sum, _ := moments(row)
				mean := sum / n
				for x := range n - lag {
					d := float64(row[x]) - mean
					power += d * d
					near += d * (float64(row[x+1]) - mean)
					far += d * (float64(row[x+lag]) - mean)
				}
			}
		}
		want := func(r float64) float64 {
			s := recipes[f].smooth
			return s.sigma * s.sigma / (s.sigma*s.sigma + s.noise*s.noise) * math.Exp(-r*r/(2*s.length*s.length))
		}
		require.InDelta(t, want(1), near/power, 0.05, "%s", f)
		require.InDelta(t, want(lag), far/power, 0.12, "%s", f)
	}
}

// Sizes other than OpenFWI's give the same kind of map.
func TestOtherSizes(t *testing.T) {
	for _, size := range [][2]int{{8, 8}, {33, 140}, {176, 60}} {
		for _, f := range Families() {
			g := generator(t, Config{Family: f, NZ: size[0], NX: size[1]})
			m := make([]float32, size[0]*size[1])
			g.Map(m, 1)
			require.Greater(t, distinct(m), 1, "%s %v", f, size)
		}
	}
}

func TestParse(t *testing.T) {
	for _, f := range Families() {
		for _, text := range []string{string(f), f.Short()} {
			got, err := Parse(text)
			require.NoError(t, err)
			require.Equal(t, f, got)
		}
	}
	for text, want := range map[string]Family{
		"flatvel-a": FlatVelA, "FVA": FlatVelA, "cfb": CurveFaultB, "CURVEFAULT B": CurveFaultB, "styleA": StyleA, "sb": StyleB,
	} {
		got, err := Parse(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"", "A", "FlatVel", "FlatVel_C", "Kimberlina"} {
		_, err := Parse(text)
		require.ErrorContains(t, err, "velocity: unknown family")
	}
}

func TestBadConfig(t *testing.T) {
	for want, cfg := range map[string]Config{
		`velocity: unknown family "Salt"`:                                             {Family: "Salt"},
		`velocity: family "FVA" is not spelt as its folder, use Parse`:                {Family: "FVA"},
		`velocity: map of -1 x 70 cells, want at least 8 x 8`:                         {Family: StyleA, NZ: -1},
		`velocity: map of 70 x 7 cells, want at least 8 x 8`:                          {Family: StyleA, NX: 7},
		`velocity: Layers is 3, but maps of Style_A have no layers, want 0`:           {Family: StyleA, Layers: 3},
		`velocity: Layers is 33, want 1 to 32, or 0 for what is usual in FlatFault_A`: {Family: FlatFaultA, Layers: 33},
		`velocity: Layers is -1, want 1 to 32, or 0 for what is usual in FlatVel_A`:   {Family: FlatVelA, Layers: -1},
	} {
		_, err := New(cfg)
		require.ErrorContains(t, err, want)
	}
	g := generator(t, Config{Family: StyleA})
	require.PanicsWithValue(t, "velocity: Map of 70 x 70 cells into 3 values", func() { g.Map(make([]float32, 3), 0) })
}

func FuzzParse(f *testing.F) {
	f.Add("FlatVel_A")
	f.Add("c-f_b")
	f.Fuzz(func(t *testing.T, text string) {
		family, err := Parse(text)
		if err == nil {
			again, err := Parse(family.String())
			require.NoError(t, err)
			require.Equal(t, family, again)
		}
	})
}

func BenchmarkMap(b *testing.B) {
	for _, f := range []Family{CurveFaultB, StyleA} {
		b.Run(f.Short(), func(b *testing.B) {
			g := generator(b, Config{Family: f})
			m := make([]float32, 4900)
			for i := 0; b.Loop(); i++ {
				g.Map(m, i)
			}
		})
	}
}
