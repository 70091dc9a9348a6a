package wave

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/kernel"
)

// trial is a small survey with all that a gradient goes through: strips, steps fewer than samples, receivers that differ from shot
// to shot and share cells, sources in the middle and in a corner.
func trial() (Config, int, int) {
	const nz, nx = 9, 11
	return Config{
		Samples: 90, Steps: 84, Pad: 6, Freq: 25,
		Sources:       []Point{{1, 0}, {4, 6}, {8, 10}},
		ShotReceivers: [][]Point{{{1, 0}, {2, 5}, {8, 9}}, {{4, 6}, {0, 0}, {0, 10}}, {{1, 3}, {1, 3}, {5, 5}}},
	}, nz, nx
}

// rugged returns velocities with one minimum.
func rugged[T Float](n int) []T {
	rng := rand.New(rand.NewPCG(3, 4))
	vel := make([]T, n)
	for i := range vel {
		vel[i] = T(1800 + 1500*rng.Float64())
	}
	vel[n/3] = 1650
	return vel
}

func normal[T Float](rng *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(rng.NormFloat64())
	}
	return x
}

func dot[T, U Float](x []T, y []U) float64 {
	sum := 0.0
	for i := range x {
		sum += float64(x[i]) * float64(y[i])
	}
	return sum
}

// linear is the misfit whose derivative is the given cotangent (shots x samples x receivers).
func linear[T Float](cotangent []T) Misfit[T] {
	return func(shot int, adjoint, gather []T) float64 {
		copy(adjoint, cotangent[shot*len(gather):])
		return dot(adjoint, gather)
	}
}

// The adjoint is the transpose of the derivative: <J dv, r> = <dv, J' r>, J by an independent simulation.
func testDotProduct[T Float](t *testing.T, tolerance float64) {
	cfg, nz, nx := trial()
	sides := []Sides{{}, {Top: true}, {Bottom: true, Left: true}, {Right: true}, {Top: true, Bottom: true, Left: true, Right: true}}
	for i, order := range []int{4, 2, 6, 8, 4} {
		cfg.Order, cfg.Free = order, sides[i]
		if order > 4 {
			cfg.Dt = 0.0008
		}
		t.Run(fmt.Sprintf("order=%d/%+v", order, cfg.Free), func(t *testing.T) { testDotProductOf[T](t, cfg, nz, nx, tolerance) })
	}
}

func testDotProductOf[T Float](t *testing.T, cfg Config, nz, nx int, tolerance float64) {
	s, err := New[T](cfg, nz, nx)
	require.NoError(t, err)
	shots, samples, receivers := s.Shape()
	rng := rand.New(rand.NewPCG(5, 6))
	vel := rugged[T](nz * nx)
	vel64, dvel := make([]float64, nz*nx), normal[float64](rng, nz*nx)
	for i, v := range vel {
		vel64[i] = float64(v)
	}
	dw := normal[float64](rng, samples)
	r := normal[T](rng, shots*samples*receivers)
	for _, vmin := range []bool{false, true} {
		g := Gradient[T]{Wavelet: make([]T, samples), DampingVMin: vmin}
		_, err = s.Gradient(context.Background(), &g, vel, linear(r))
		require.NoError(t, err)
		var gather, full, still []float64
		for shot := range shots {
			p, both := plain(cfg, nz, nx, shot, vel64, dvel, dw, vmin)
			_, only := plain(cfg, nz, nx, shot, vel64, dvel, nil, vmin)
			gather, full, still = append(gather, p...), append(full, both...), append(still, only...)
		}
		dst := make([]T, len(gather))
		require.NoError(t, s.Forward(context.Background(), dst, vel))
		require.Less(t, relative(dst, gather), tolerance)
		// Against the product of the norms: signs are random, and the dot product itself may be as small as chance has it.
		apart := func(g []T, d, jd []float64) float64 {
			return math.Abs(dot(r, jd)-dot(g, d)) / math.Sqrt(dot(r, r)*dot(jd, jd))
		}
		for i := range full {
			full[i] -= still[i]
		}
		v, w := apart(g.Vel, dvel, still), apart(g.Wavelet, dw, full)
		t.Logf("vmin %v: velocity %.3g, wavelet %.3g", vmin, v, w)
		require.Less(t, v, tolerance)
		require.Less(t, w, tolerance)
	}
}

func TestDotProduct(t *testing.T)                { testDotProduct[float64](t, 1e-14) }
func TestDotProductSinglePrecision(t *testing.T) { testDotProduct[float32](t, 1e-6) }

// half is half the squared distance to data.
func half(data []float64) Misfit[float64] {
	return func(shot int, adjoint, gather []float64) float64 {
		sum := 0.0
		for i, p := range gather {
			adjoint[i] = p - data[shot*len(gather)+i]
			sum += adjoint[i] * adjoint[i] / 2
		}
		return sum
	}
}

// Every derivative agrees with central differences of the misfit.
func TestGradientMatchesDifferences(t *testing.T) {
	cfg, nz, nx := trial()
	ctx := context.Background()
	s, err := New[float64](cfg, nz, nx)
	require.NoError(t, err)
	shots, samples, receivers := s.Shape()
	vel := rugged[float64](nz * nx)
	misfit := half(normal[float64](rand.New(rand.NewPCG(7, 8)), shots*samples*receivers))
	g := Gradient[float64]{DampingVMin: true, Wavelet: make([]float64, 40)}
	total, err := s.Gradient(ctx, &g, vel, misfit)
	require.NoError(t, err)
	value := func(cfg Config, vel []float64) float64 {
		s, err := New[float64](cfg, nz, nx)
		require.NoError(t, err)
		gather := make([]float64, shots*samples*receivers)
		require.NoError(t, s.Forward(ctx, gather, vel))
		sum := 0.0
		for shot := range shots {
			one := gather[shot*samples*receivers:][:samples*receivers]
			sum += misfit(shot, make([]float64, len(one)), one)
		}
		return sum
	}
	require.InEpsilon(t, value(cfg, vel), total, 1e-14)
	diff := make([]float64, nz*nx)
	for i := range diff {
		const h = 0.02
		at := vel[i]
		vel[i] = at + h
		up := value(cfg, vel)
		vel[i] = at - h
		diff[i] = (up - value(cfg, vel)) / (2 * h)
		vel[i] = at
	}
	t.Logf("velocity: relative difference %.3g", relative(g.Vel, diff))
	require.Less(t, relative(g.Vel, diff), 1e-6)
	wavelet := s.Config().Wavelet
	for k := range g.Wavelet {
		const h = 1e-4
		at := wavelet[k]
		cfg.Wavelet = wavelet
		wavelet[k] = at + h
		up := value(cfg, vel)
		wavelet[k] = at - h
		require.InDelta(t, (up-value(cfg, vel))/(2*h), g.Wavelet[k], 1e-6*maxAbs(g.Wavelet))
		wavelet[k] = at
	}
}

// Where several cells share the least velocity each gets the mean of what single ones would.
func TestTiedMinimaShareTheDamping(t *testing.T) {
	cfg, nz, nx := trial()
	s, err := New[float64](cfg, nz, nx)
	require.NoError(t, err)
	shots, samples, receivers := s.Shape()
	r := linear(normal[float64](rand.New(rand.NewPCG(1, 8)), shots*samples*receivers))
	vel := rugged[float64](nz * nx)
	vel[7], vel[50] = 1650, 1650
	var with, without Gradient[float64]
	with.DampingVMin = true
	for _, g := range []*Gradient[float64]{&with, &without} {
		_, err := s.Gradient(context.Background(), g, vel, r)
		require.NoError(t, err)
	}
	share := with.Vel[7] - without.Vel[7]
	require.NotZero(t, share)
	for i, v := range with.Vel {
		want := without.Vel[i]
		if vel[i] == 1650 {
			want += share
		}
		require.InDelta(t, want, v, 1e-9*math.Abs(share))
	}
}

// Neither the memory, and with it how often steps are computed again, nor threads change a bit.
func testGradientIsTheSame[T Float](t *testing.T) {
	cfg, nz, nx := trial()
	threads := kernel.Threads()
	defer kernel.SetThreads(threads)
	vel := rugged[T](nz * nx)
	var want *Gradient[T]
	seen := map[plan]bool{}
	for _, memory := range []int64{100e6, 600e3, 500e3, 330e3, 240e3, 180e3, 120e3, 60e3, 1} {
		for _, n := range []int{1, 3} {
			kernel.SetThreads(n)
			cfg.Memory = memory
			s, err := New[T](cfg, nz, nx)
			require.NoError(t, err)
			shots, samples, receivers := s.Shape()
			g := &Gradient[T]{DampingVMin: true, Wavelet: make([]T, 30)}
			_, err = s.Gradient(context.Background(), g, vel, linear(normal[T](rand.New(rand.NewPCG(1, 8)), shots*samples*receivers)))
			require.NoError(t, err)
			if want == nil {
				want = g
			}
			require.Equal(t, want, g)
			_, p := s.plan(n, true)
			seen[p] = true
		}
	}
	require.Greater(t, len(seen), 3, "%v", seen)
}

func TestGradientIsTheSame(t *testing.T) {
	t.Run("float32", testGradientIsTheSame[float32])
	t.Run("float64", testGradientIsTheSame[float64])
}

// However few states may be saved, every segment is reversed once, in order.
func TestReversalVisitsEverySegment(t *testing.T) {
	const n = 23
	s, err := New[float64](Config{Samples: n, Pad: 4, Shots: 1}, 3, 3)
	require.NoError(t, err)
	vel := uniform[float64](9, 2000)
	misfit := linear(normal[float64](rand.New(rand.NewPCG(1, 2)), n*3))
	var want []float64
	for saves := 0; saves < 8; saves++ {
		for segment := fused; segment <= n; segment += 2 * fused {
			r := s.takeReversal(plan{segment: segment, saves: saves}, false)
			p := r.run(context.Background(), vel, 0, misfit)
			require.NoError(t, p.err)
			if want == nil {
				want = p.vel
			}
			require.Equal(t, want, p.vel, "%d saves, segments of %d", saves, segment)
			require.Len(t, r.saved, saves)
		}
	}
}

// Where the adjoint field is left out it would not have mattered.
func TestAdjointFollowsTheFront(t *testing.T) {
	const nz, nx = 40, 50
	s, err := New[float32](Config{Samples: 400, Pad: 40, Shots: 2}, nz, nx)
	require.NoError(t, err)
	vel := layered[float32](nz, nx)
	misfit := linear(normal[float32](rand.New(rand.NewPCG(3, 2)), 2*400*nx))
	p := plan{segment: 20, saves: 20}
	r := s.takeReversal(p, false)
	got := r.run(context.Background(), vel, 0, misfit)
	require.Less(t, r.reach[40].hiZ, s.grid.height)
	want := r.run(context.Background(), vel, 0, func(shot int, adjoint, gather []float32) float64 {
		for n := range r.reach {
			r.reach[n] = s.grid.all()
		}
		return misfit(shot, adjoint, gather)
	})
	t.Logf("relative difference %.3g", relative(got.vel, want.vel))
	require.Less(t, relative(got.vel, want.vel), 1e-9)
}

func TestGradientStopsWithContext(t *testing.T) {
	cfg, nz, nx := trial()
	s, err := New[float32](cfg, nz, nx)
	require.NoError(t, err)
	shots, samples, receivers := s.Shape()
	misfit := linear(make([]float32, shots*samples*receivers))
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	kernel.SetThreads(1)
	defer kernel.SetThreads(0)
	var g Gradient[float32]
	_, err = s.Gradient(ctx, &g, rugged[float32](nz*nx), func(shot int, adjoint, gather []float32) float64 {
		calls++
		cancel()
		return misfit(shot, adjoint, gather)
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, calls)
	for left := range 12 {
		_, err = s.Gradient(&countdown{context.Background(), left}, &g, rugged[float32](nz*nx), misfit)
		require.ErrorIs(t, err, context.Canceled)
	}
	_, err = s.Gradient(context.Background(), &g, rugged[float32](nz*nx), misfit)
	require.NoError(t, err)
	require.Zero(t, maxAbs(g.Vel))
}

// A misfit may be of any size: its adjoint field neither drowns in the constant that stands for zero nor overflows.
func TestGradientScalesWithMisfit(t *testing.T) {
	cfg, nz, nx := trial()
	s, err := New[float32](cfg, nz, nx)
	require.NoError(t, err)
	shots, samples, receivers := s.Shape()
	r := normal[float32](rand.New(rand.NewPCG(1, 8)), shots*samples*receivers)
	var one, tiny Gradient[float32]
	_, err = s.Gradient(context.Background(), &one, rugged[float32](nz*nx), linear(r))
	require.NoError(t, err)
	for i := range r {
		r[i] *= 0x1p-80
	}
	_, err = s.Gradient(context.Background(), &tiny, rugged[float32](nz*nx), linear(r))
	require.NoError(t, err)
	for i, v := range tiny.Vel {
		require.Equal(t, one.Vel[i], v*0x1p80)
	}
}

func TestBadGradients(t *testing.T) {
	s, err := New[float32](Config{Samples: 5, Pad: 40}, 3, 4)
	require.NoError(t, err)
	vel := uniform[float32](12, 3000)
	bad := func(value float64, write float32) Misfit[float32] {
		return func(shot int, adjoint, gather []float32) float64 {
			if shot == 2 {
				adjoint[9] = write
				return value
			}
			return 1
		}
	}
	ctx := context.Background()
	_, err = s.Gradient(ctx, &Gradient[float32]{}, vel[1:], bad(0, 0))
	require.EqualError(t, err, "wave: model has 11 velocities, want 12 (3 x 4)")
	_, err = s.Gradient(ctx, &Gradient[float32]{Vel: vel[1:]}, vel, bad(0, 0))
	require.EqualError(t, err, "wave: gradient has 11 values, want 12 (3 x 4)")
	_, err = s.Gradient(ctx, &Gradient[float32]{}, vel, bad(math.NaN(), 0))
	require.EqualError(t, err, "wave: misfit of shot 2 is NaN, want a finite number")
	_, err = s.Gradient(ctx, &Gradient[float32]{}, vel, bad(0, float32(math.Inf(1))))
	require.EqualError(t, err, "wave: misfit of shot 2: its derivative for sample 2, receiver 1 is +Inf, want a finite number")
	vel[3] = 9000
	_, err = s.Gradient(ctx, &Gradient[float32]{}, vel, bad(0, 0))
	require.ErrorContains(t, err, "wave: model 0, row 0, column 3: at 9000 m/s a wave crosses 0.9 cells")
}
