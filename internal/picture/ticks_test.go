package picture

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func labels(marks []tick) []string {
	var out []string
	for _, m := range marks {
		out = append(out, m.label)
	}
	return out
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi, least float64
		n             int
		want          []string
	}{
		{0, 700, 0, 6, []string{"0", "200", "400", "600"}},
		{0, 1, 0, 6, []string{"0", "0.2", "0.4", "0.6", "0.8", "1.0"}},
		{0, 2, 1, 6, []string{"0", "1", "2"}},
		{-600, 600, 0, 6, []string{"−500", "0", "500"}},
		{1764, 4233, 0, 6, []string{"2000", "2500", "3000", "3500", "4000"}},
		{0, 1.1e-3, 0, 3, []string{"0", "5e−4", "1e−3"}},
		{0, 3e6, 0, 4, []string{"0", "1e6", "2e6", "3e6"}},
		{0.5, 70.5, 1, 4, []string{"20", "40", "60"}},
		{0.26, 0.27, 1, 6, []string{"0.260"}}, // no whole number between
	} {
		require.Equal(t, c.want, labels(ticks(c.lo, c.hi, c.least, c.n)), "%g to %g", c.lo, c.hi)
	}
}

func TestTicksLieOnTheirAxis(t *testing.T) {
	for e := -12.0; e < 12; e += 0.37 {
		for n := 1; n < 9; n++ {
			lo := -0.3 * math.Pow(10, e)
			hi := math.Pow(10, e)
			got := ticks(lo, hi, 0, n)
			require.NotEmpty(t, got)
			require.LessOrEqual(t, len(got), n)
			for _, m := range got {
				require.True(t, m.at >= lo*(1+1e-6) && m.at <= hi*(1+1e-6))
			}
		}
	}
}

func TestLogTicks(t *testing.T) {
	named := func(marks []tick) []string {
		var out []string
		for _, m := range marks {
			if m.label != "" {
				out = append(out, m.label)
			}
		}
		return out
	}
	require.Equal(t, []string{"0.05", "0.1", "0.2", "0.5"}, named(logTicks(0.03, 0.6, 6)))
	require.Equal(t, []string{"1e−4", "0.01", "1", "100"}, named(logTicks(3e-5, 150, 4)))
	require.Equal(t, []string{"0.18", "0.20", "0.22", "0.24"}, named(logTicks(0.17, 0.25, 5)))
}

func TestFigure(t *testing.T) {
	for want, v := range map[string]float64{
		"0": 0, "84.3": 84.31, "1235": 1234.6, "0.00123": 0.0012345, "8.18e−5": 8.18e-5, "−2.5e7": -2.5e7, "–": math.NaN(),
	} {
		require.Equal(t, want, figure(v, 3))
	}
}
