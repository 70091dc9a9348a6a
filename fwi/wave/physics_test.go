package wave

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func uniform[T Float](n int, v T) []T {
	vel := make([]T, n)
	for i := range vel {
		vel[i] = v
	}
	return vel
}

func simulate[T Float](t testing.TB, cfg Config, nz, nx int, vel []T) []T {
	t.Helper()
	s, err := New[T](cfg, nz, nx)
	require.NoError(t, err)
	shots, samples, receivers := s.Shape()
	dst := make([]T, shots*samples*receivers)
	require.NoError(t, s.Forward(context.Background(), dst, vel))
	return dst
}

// gauss is a pulse of width sigma seconds around time mid, smooth enough that truncation does not limit the order.
func gauss(t, mid, sigma float64) float64 {
	a := (t - mid) / sigma
	return (1 - a*a) * math.Exp(-a*a/2)
}

// green returns the pressure at distance r from a source v^2 s(t) delta(x) of strength area in a homogeneous plane,
//
//	p(t) = area / (2 pi) * integral over theta >= 0 of s(t - (r/v) cosh theta),
//
// which is the 2D Green's function H(t - r/v) / (2 pi sqrt(t^2 - r^2/v^2)) after the substitution that removes its singularity.
func green(s func(float64) float64, t, r, v, area float64) float64 {
	if t <= r/v {
		return 0
	}
	end := math.Acosh(t * v / r)
	const n = 4000
	sum := (s(t-r/v) + s(0)) / 2
	for i := 1; i < n; i++ {
		sum += s(t - r/v*math.Cosh(end*float64(i)/n))
	}
	return area / (2 * math.Pi) * sum * end / n
}

// The error against the analytic solution falls with the spacing to the power of the order when dt shrinks with the same power of
// half of it.
func TestGreensFunctionAndOrder(t *testing.T) {
	const v, half, distance, duration = 2000.0, 640.0, 320.0, 0.46 // reflections return after duration
	source := func(t float64) float64 { return gauss(t, 0.12, 0.02) }
	for _, c := range []struct {
		order  int
		dx     float64 // the coarser spacing: errors lie above what rounding and the analytic solution leave
		ratio  float64 // of the finer one
		dt     float64 // the coarser time step
		most   float64
		within float64
	}{{2, 10, 2, 0.001, 0.03, 0.1}, {4, 20, 2, 0.004, 5e-3, 0.4}, {6, 20, 1.6, 0.003, 3e-3, 0.6}, {8, 20, 1.6, 0.003, 1e-3, 0.9}} {
		var errs []float64
		for _, dx := range []float64{c.dx, c.dx / c.ratio} {
			dt := c.dt * math.Pow(dx/c.dx, float64(c.order)/2)
			n := int(2*half/dx) + 1
			mid, off := n/2, int(math.Round(distance/dx))
			steps := int(duration / dt)
			wavelet := make([]float64, steps)
			for k := range wavelet {
				wavelet[k] = source(float64(k) * dt)
			}
			got := simulate(t, Config{
				Dx: dx, Dt: dt, Order: c.order, Samples: steps, Pad: 40, Wavelet: wavelet,
				Sources: []Point{{mid, mid}}, Receivers: []Point{{mid, mid + off}, {mid - off, mid}},
			}, n, n, uniform(n*n, v))
			want := make([]float64, 2*steps)
			for k := range steps {
				// Row k is the field at (k+1) dt: the source acts at k dt.
				p := green(source, float64(k+1)*dt, float64(off)*dx, v, dx*dx)
				want[2*k], want[2*k+1] = p, p
			}
			errs = append(errs, relative(got, want))
		}
		order := math.Log(errs[0]/errs[1]) / math.Log(c.ratio)
		t.Logf("order %d: relative errors %.3g, measured order %.2f", c.order, errs, order)
		require.Less(t, errs[1], c.most)
		require.InDelta(t, c.order, order, c.within)
	}
}

// Every order and every kind of edge agrees with the plain simulation.
func TestAgreesWithPlainLoops(t *testing.T) {
	const nz, nx = 14, 17
	vel := rugged[float64](nz * nx)
	still := make([]float64, nz*nx)
	for _, order := range []int{2, 4, 6, 8} {
		for _, free := range []Sides{{}, {Top: true}, {Bottom: true}, {Left: true}, {Right: true, Top: true}, {Top: true, Bottom: true, Left: true, Right: true}} {
			cfg := Config{Order: order, Free: free, Dt: 0.0008, Samples: 130, Pad: 9, Sources: []Point{{0, 0}, {7, 9}, {13, 16}}}
			got := simulate(t, cfg, nz, nx, vel)
			for shot := range 3 {
				want, _ := plain(cfg, nz, nx, shot, vel, still, nil, false)
				require.Less(t, relative(got[shot*130*nx:][:130*nx], want), 1e-12, "order %d, free %+v, shot %d", order, free, shot)
			}
		}
	}
}

// A free surface sends back the wave of an image source of opposite sign, as far above the surface as the source is below.
func TestFreeSurfaceMirrors(t *testing.T) {
	const n, v = 60, 2000.0
	pair := Config{Samples: 250, Sources: []Point{{40, 30}, {50, 30}}, Receivers: []Point{{42, 35}}}
	twice := simulate(t, pair, 2*n, n, uniform(2*n*n, v))
	// Row 45 of the pair is the mirror: the surface lies in row -1 of the model below it.
	half := Config{Samples: 250, Free: Sides{Bottom: true}, Sources: []Point{{40, 30}}, Receivers: []Point{{42, 35}}}
	got := simulate(t, half, 45, n, uniform(45*n, v))
	want := make([]float64, 250)
	for k := range want {
		want[k] = twice[k] - twice[250+k]
	}
	require.Less(t, relative(got, want), 1e-3)
}

// Exchanging source and receiver leaves the trace unchanged: the source factor v^2 makes the scheme symmetric, damping, strips
// and periodic edge included.
func TestReciprocity(t *testing.T) {
	const nz, nx = 30, 36
	vel := make([]float64, nz*nx)
	for i := range vel {
		vel[i] = 1600 + 700*float64(i/nx)/nz + 900*math.Abs(math.Sin(float64(i)))
	}
	a, b := Point{3, 5}, Point{24, 31}
	for i, order := range []int{2, 4, 6, 8} {
		cfg := Config{Order: order, Samples: 500, Pad: 20, Free: Sides{Top: i%2 == 1, Left: i > 1}, Sources: []Point{a, b}, Receivers: []Point{a, b}}
		got := simulate(t, cfg, nz, nx, vel)
		ab, ba := make([]float64, 500), make([]float64, 500)
		for k := range 500 {
			ab[k], ba[k] = got[2*k+1], got[1000+2*k]
		}
		require.Greater(t, maxAbs(ab), 0.1)
		require.Less(t, relative(ab, ba), 1e-11)
	}
}

func maxAbs[T Float](x []T) float64 {
	m := 0.0
	for _, v := range x {
		m = max(m, math.Abs(float64(v)))
	}
	return m
}

// A flat interface acts as a mirror: what it adds to the record is the wave from the image source, weaker by the reflection
// coefficient (v2 - v1) / (v2 + v1) of equal densities.
func TestReflection(t *testing.T) {
	const n, depth, v1, v2 = 80, 40, 2000.0, 2600.0
	src := Point{1, 40}
	// The interface lies half a cell above row depth, so that the image of row 1 is row 2 depth - 2.
	cfg := Config{Samples: 700, Sources: []Point{src}, Receivers: []Point{{1, 40}, {1, 46}, {2*depth - 2, 40}, {2*depth - 2, 46}}}
	// The damping follows the least velocity, which both models share.
	single := uniform(n*n, v1)
	double := uniform(n*n, v1)
	for i := depth * n; i < n*n; i++ {
		double[i] = v2
	}
	direct, total := simulate(t, cfg, n, n, single), simulate(t, cfg, n, n, double)
	for r := range 2 {
		var dot, image, echo float64
		for k := range 700 {
			a, b := direct[4*k+2+r], total[4*k+r]-direct[4*k+r]
			dot, image, echo = dot+a*b, image+a*a, echo+b*b
		}
		require.Greater(t, dot/math.Sqrt(image*echo), 0.99, "shape and time of the echo")
		require.InEpsilon(t, (v2-v1)/(v2+v1), dot/image, 0.06, "strength of the echo")
	}
}

// The strips swallow the wave. What returns around the periodic edge after 1 s came along the columns next to the model, which
// are barely damped over the full height; undamped it would be ten times as strong.
func TestAbsorption(t *testing.T) {
	got := simulate(t, Config{Shots: 1, Samples: 1600}, 70, 70, uniform[float32](70*70, 3000))
	late := got[1000*70:]
	require.Less(t, maxAbs(late), 0.025*maxAbs(got))
	require.Less(t, maxAbs(got[500*70:1000*70]), 5e-4*maxAbs(got))
}

func TestSinglePrecisionIsClose(t *testing.T) {
	vel32, vel64 := layered[float32](40, 50), layered[float64](40, 50)
	cfg := Config{Shots: 2, Samples: 600, Pad: 40}
	require.Less(t, relative(simulate(t, cfg, 40, 50, vel32), simulate(t, cfg, 40, 50, vel64)), 3e-6)
}

// layered is a model that grows with depth and varies sideways.
func layered[T Float](nz, nx int) []T {
	vel := make([]T, nz*nx)
	for i := range vel {
		vel[i] = T(1500 + 40*(i/nx) + 7*(i%nx))
	}
	return vel
}

func TestSymmetricModel(t *testing.T) {
	const n = 41
	vel := make([]float32, n*n)
	for i := range vel {
		vel[i] = 1500 + float32(30*(i/n)) + 20*float32(min(i%n, n-1-i%n))
	}
	got := simulate(t, Config{Samples: 400, Pad: 30, Sources: []Point{{1, n / 2}}}, n, n, vel)
	require.NotZero(t, maxAbs(got))
	for k := 0; k < len(got); k += n {
		for j := range n {
			require.Equal(t, got[k+j], got[k+n-1-j])
		}
	}
}
