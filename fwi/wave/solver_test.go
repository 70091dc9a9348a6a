package wave

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/kernel"
)

func TestDefaults(t *testing.T) {
	s, err := New[float32](Config{}, 70, 70)
	require.NoError(t, err)
	cfg := s.Config()
	require.Equal(t, []Point{{1, 0}, {1, 17}, {1, 34}, {1, 52}, {1, 69}}, cfg.Sources)
	require.Len(t, cfg.Receivers, 70)
	require.Equal(t, Point{1, 69}, cfg.Receivers[69])
	require.Len(t, cfg.Wavelet, 147)
	require.Equal(t, 1.0, cfg.Wavelet[73])
	require.Equal(t, 310, s.grid.height)
	require.Equal(t, 310, s.grid.width)
	shots, samples, receivers := s.Shape()
	require.Equal(t, []int{5, 1000, 70}, []int{shots, samples, receivers})
}

// What becomes of the slices that New got and of those that Config returned does not matter to a solver.
func TestSolverKeepsItsSurvey(t *testing.T) {
	const nz, nx = 8, 9
	survey := func() Config {
		return Config{Samples: 30, Pad: 6, Wavelet: []float64{1, 2}, Sources: []Point{{1, 2}}, Receivers: []Point{{1, 4}, {2, 2}}}
	}
	spoil := func(c Config) {
		c.Wavelet[0], c.Sources[0], c.Receivers[0] = 9, Point{500, 500}, Point{500, 500}
		for _, list := range c.ShotReceivers {
			list[0] = Point{500, 500}
		}
	}
	for _, own := range []bool{false, true} {
		cfg := survey()
		if own {
			cfg.ShotReceivers = [][]Point{{{1, 5}, {3, 3}}}
		}
		s, err := New[float32](cfg, nz, nx)
		require.NoError(t, err)
		want, got, vel := make([]float32, 30*2), make([]float32, 30*2), layered[float32](nz, nx)
		complete := s.Config()
		require.NoError(t, s.Forward(context.Background(), want, vel))
		spoil(cfg)
		spoil(s.Config())
		require.Equal(t, complete, s.Config())
		require.NoError(t, s.Forward(context.Background(), got, vel))
		require.Equal(t, want, got)
	}
}

func TestConfigSurvivesJSON(t *testing.T) {
	cfg := Config{Dx: 5, Steps: 3, Wavelet: []float64{1, 2}, Sources: []Point{{1, 2}}}
	text, err := json.Marshal(cfg)
	require.NoError(t, err)
	var back Config
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, cfg, back)
}

func TestShotsFollowFromSources(t *testing.T) {
	for _, shots := range []int{0, 3} {
		s, err := New[float32](Config{Shots: shots, Sources: []Point{{1, 1}, {2, 2}}}, 8, 9)
		require.NoError(t, err)
		require.Equal(t, 2, s.Config().Shots)
	}
}

func TestFewerStepsLeaveZeroRows(t *testing.T) {
	vel := layered[float32](12, 14)
	full := simulate(t, Config{Samples: 90, Pad: 10}, 12, 14, vel)
	s, err := New[float32](Config{Samples: 90, Steps: 80, Pad: 10}, 12, 14)
	require.NoError(t, err)
	part := make([]float32, len(full))
	for i := range part {
		part[i] = 7
	}
	require.NoError(t, s.Forward(context.Background(), part, vel))
	for shot := range 5 {
		at := shot * 90 * 14
		require.Equal(t, full[at:at+80*14], part[at:at+80*14])
		require.Zero(t, maxAbs(part[at+80*14:at+90*14]))
	}
	require.NotZero(t, maxAbs(full[80*14:90*14]))
}

// Neither threads nor company in a batch nor other callers at the same time change a bit.
func TestParallelCallsAgree(t *testing.T) {
	const nz, nx, nb = 15, 18, 3
	vel := make([]float32, nb*nz*nx)
	for i := range vel {
		vel[i] = 1500 + float32(i*i%2500)
	}
	s, err := New[float32](Config{Samples: 120, Pad: 12}, nz, nx)
	require.NoError(t, err)
	shots, samples, receivers := s.Shape()
	gather := shots * samples * receivers
	want := make([]float32, nb*gather)
	threads := kernel.Threads()
	defer kernel.SetThreads(threads)
	kernel.SetThreads(1)
	require.NoError(t, s.Forward(context.Background(), want, vel))
	kernel.SetThreads(4)
	all := make([]float32, nb*gather)
	require.NoError(t, s.Forward(context.Background(), all, vel))
	require.Equal(t, want, all)
	one := make([]float32, nb*gather)
	var wg sync.WaitGroup
	for i := range nb {
		wg.Go(func() {
			if err := s.Forward(context.Background(), one[i*gather:][:gather], vel[i*nz*nx:][:nz*nx]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, want, one)
}

// Before the wave arrives records are exactly zero and the field holds its constant; denormal numbers never occur.
func TestQuietFieldIsConstant(t *testing.T) {
	s, err := New[float32](Config{Steps: 60}, 70, 70)
	require.NoError(t, err)
	sh := newShot(s)
	vel := layered[float32](70, 70)
	dst := make([]float32, 1000*70)
	sh.set(vel, 0)
	sh.run(context.Background(), dst)
	require.Zero(t, dst[5*70+69], "numerical waves cross two cells per step")
	quiet, other := 0, 0
	for _, field := range [][]float32{sh.now, sh.prev} {
		for _, v := range field {
			if v == rest[float32]() {
				quiet++
			} else {
				other++
			}
			require.False(t, v != 0 && math.Abs(float64(v)) < 0x1p-126, "denormal %g", v)
		}
	}
	require.Greater(t, quiet, 40000)
	require.Greater(t, other, 5000)
}

// Leaving out the quiet part changes nothing, to the last bit, whatever the wave runs into.
func TestQuietPartNeedsNoComputing(t *testing.T) {
	const nz, nx = 40, 50
	vel := layered[float32](nz, nx)
	for i, free := range []Sides{{}, {Top: true}, {Left: true, Bottom: true}} {
		s, err := New[float32](Config{Samples: 300, Pad: 40, Order: 2 * (i + 2), Dt: 0.0008, Free: free, Sources: []Point{{1, 0}, {39, 20}}}, nz, nx)
		require.NoError(t, err)
		sh := newShot(s)
		for shot := range 2 {
			var gathers [2][]float32
			for all := range gathers {
				gathers[all] = uniform[float32](300*nx, 7)
				sh.set(vel, shot)
				if all == 1 {
					sh.active = s.grid.all()
				}
				sh.run(context.Background(), gathers[all])
			}
			require.Equal(t, gathers[1], gathers[0])
		}
	}
}

func TestRestSuitsPrecision(t *testing.T) {
	require.Equal(t, float32(1e-20), rest[float32]())
	require.Equal(t, 1e-160, rest[float64]())
}

func TestStepsDoNotAllocate(t *testing.T) {
	s, err := New[float32](Config{Samples: 50, Pad: 10}, 20, 20)
	require.NoError(t, err)
	sh := newShot(s)
	vel, dst := layered[float32](20, 20), make([]float32, 50*20)
	require.Zero(t, testing.AllocsPerRun(3, func() {
		sh.set(vel, 0)
		sh.run(context.Background(), dst)
	}))
}

func TestCancel(t *testing.T) {
	s, err := New[float32](Config{}, 70, 70)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	vel := layered[float32](70, 70)
	dst := make([]float32, 5*1000*70)
	require.ErrorIs(t, s.Forward(ctx, dst, vel), context.Canceled)
	require.Zero(t, maxAbs(dst))

	// A shot that has begun stops at its next look.
	looks := &countdown{Context: context.Background(), left: 3}
	sh := newShot(s)
	sh.set(vel, 0)
	sh.run(looks, dst[:1000*70])
	require.NotZero(t, maxAbs(dst[:48*70]))
	require.Zero(t, maxAbs(dst[48*70:]))
}

// countdown is a context that is done after a number of looks.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left == 0 {
		return context.Canceled
	}
	c.left--
	return nil
}

func TestBadConfig(t *testing.T) {
	for want, cfg := range map[string]Config{
		"wave: Dx is -1, want a positive finite number":                                             {Dx: -1},
		"wave: Dt is NaN, want a positive finite number":                                            {Dt: math.NaN()},
		"wave: Freq is +Inf, want a positive finite number":                                         {Freq: math.Inf(1)},
		"wave: Samples is -4, want at least 1":                                                      {Samples: -4},
		"wave: Steps is 11, want 1 to 10 (Samples)":                                                 {Samples: 10, Steps: 11},
		"wave: Steps is -1, want 1 to 1000 (Samples)":                                               {Steps: -1},
		"wave: Order is 5, want 2, 4, 6 or 8":                                                       {Order: 5},
		"wave: Memory is -1 bytes, want a positive number":                                          {Memory: -1},
		"wave: ShotReceivers has 1 lists, want one for each of 5 sources":                           {ShotReceivers: [][]Point{{}}},
		"wave: ShotReceivers[1] has 2 points, want 1 as in ShotReceivers[0]":                        {Shots: 2, ShotReceivers: [][]Point{{{0, 0}}, {{0, 0}, {1, 1}}}},
		"wave: ShotReceivers[0][0] lies at row 9, column 0, want a cell of the 7 x 9 model":         {Shots: 1, ShotReceivers: [][]Point{{{9, 0}}}},
		"wave: Pad is 1, want at least 2":                                                           {Pad: 1},
		"wave: a wavelet of Freq 1e-09 Hz lasts more than a million time steps of Dt 0.001 s":       {Freq: 1e-9},
		"wave: model of 7 x 9 cells with Pad 100000 on all sides, want at most 2^31 cells together": {Pad: 100000},
		"wave: Shots is -1, want 1 to 2^20":                                                         {Shots: -1},
		"wave: Wavelet[1] is NaN, want a finite number":                                             {Wavelet: []float64{0, math.NaN()}},
		"wave: Sources[0] lies at row 7, column 1, want a cell of the 7 x 9 model":                  {Sources: []Point{{7, 1}}},
		"wave: Receivers[1] lies at row 0, column -1, want a cell of the 7 x 9 model":               {Receivers: []Point{{0, 0}, {0, -1}}},
		"wave: Sources is empty, want at least one point":                                           {Sources: []Point{}},
	} {
		_, err := New[float32](cfg, 7, 9)
		require.EqualError(t, err, want)
	}
	_, err := New[float64](Config{}, 0, 5)
	require.EqualError(t, err, "wave: model of 0 x 5 cells, want at least 1 x 1")
	_, err = New[float64](Config{}, 7, math.MaxInt)
	require.EqualError(t, err, fmt.Sprintf("wave: model of 7 x %d cells with Pad 120 on all sides, want at most 2^31 cells together", math.MaxInt))
	_, err = New[float64](Config{Order: 8, Free: Sides{Top: true, Bottom: true}}, 3, 5)
	require.EqualError(t, err, "wave: model of 3 x 5 cells between free sides, want at least 4 cells for Order 8")
}

func TestBadRicker(t *testing.T) {
	for _, x := range [][2]float64{{0, 0.001}, {15, 0}, {-15, -0.001}, {math.NaN(), 0.001}, {math.Inf(1), 0.001}, {15, math.Inf(1)}, {1e-9, 0.001}} {
		require.PanicsWithValue(t, fmt.Sprintf("wave: Ricker of %v Hz with a time step of %v s, want positive finite numbers with a product of at least 1e-06", x[0], x[1]),
			func() { Ricker(x[0], x[1]) })
	}
}

func TestBadModels(t *testing.T) {
	s, err := New[float32](Config{Samples: 5, Pad: 40}, 3, 4)
	require.NoError(t, err)
	dst := make([]float32, 2*5*5*4)
	for _, c := range []struct {
		at    int
		value float32
		want  string
	}{
		{5, 0, "wave: model 0, row 1, column 1: velocity is 0 m/s, want a positive finite number"},
		{14, -3, "wave: model 1, row 0, column 2: velocity is -3 m/s, want a positive finite number"},
		{23, float32(math.NaN()), "wave: model 1, row 2, column 3: velocity is NaN m/s, want a positive finite number"},
		{0, float32(math.Inf(1)), "wave: model 0, row 0, column 0: velocity is +Inf m/s, want a positive finite number"},
		{16, 6200, "wave: model 1, row 1, column 0: at 6200 m/s a wave crosses 0.62 cells in a time step (dt 0.001 s, dx 10 m), want at most 0.5832 for a stable scheme"},
	} {
		vel := uniform[float32](24, 3000)
		vel[c.at] = c.value
		require.EqualError(t, s.Forward(context.Background(), dst, vel), c.want)
	}
	require.EqualError(t, s.Forward(context.Background(), dst, make([]float32, 13)), "wave: velocities have 13 values, want a positive multiple of 12 (3 x 4)")
	require.EqualError(t, s.Forward(context.Background(), dst, nil), "wave: velocities have 0 values, want a positive multiple of 12 (3 x 4)")
	require.EqualError(t, s.Forward(context.Background(), dst[1:], uniform[float32](24, 3000)),
		"wave: gathers have 199 values, want 200 (2 models x 5 shots x 5 samples x 4 receivers)")
}

// Damping, which a small Pad makes strong, lowers the limit on the time step, but not where there are no strips.
func TestStabilityDependsOnPad(t *testing.T) {
	vel := uniform[float32](8*9, 4500)
	cfg := Config{Samples: 400, Pad: 2, Sources: []Point{{1, 1}}}
	s, err := New[float32](cfg, 8, 9)
	require.NoError(t, err)
	require.EqualError(t, s.Check(vel), "wave: model 0, row 0, column 0: at 4500 m/s a wave crosses 0.45 cells in a time step (dt 0.001 s, dx 10 m), "+
		"want at most 0 for a stable scheme with Pad 2; the larger Pad, the nearer to 0.6124")
	cfg.Free = Sides{Top: true, Bottom: true, Left: true, Right: true}
	s, err = New[float32](cfg, 8, 9)
	require.NoError(t, err)
	dst := make([]float32, 400*9)
	require.NoError(t, s.Forward(context.Background(), dst, vel))
	require.Less(t, maxAbs(dst), 100.0)
}

// The limit on the time step is the true one: just below it the field stays bounded, just above it would not.
func TestStabilityLimit(t *testing.T) {
	const n = 16
	for order, k := range stencils {
		for _, free := range []Sides{{}, {Top: true, Bottom: true, Left: true, Right: true}} {
			s, err := New[float64](Config{Samples: 600, Pad: 60, Order: order, Free: free, Sources: []Point{{1, 8}}}, n, n)
			require.NoError(t, err)
			run := func(courant float64) float64 {
				vel := uniform(n*n, courant*10/0.001)
				sh := newShot(s)
				dst := make([]float64, 600*n)
				sh.set(vel, 0)
				sh.run(context.Background(), dst)
				return maxAbs(dst)
			}
			below := 0.0
			for c := 0.4; c < 0.8; c += 0.001 {
				if s.check(uniform(n*n, c*10/0.001), 0) == nil {
					below = c
				}
			}
			require.InDelta(t, math.Sqrt(k.limit()), below, 0.06)
			require.Less(t, run(below), 100.0, "order %d, free %+v", order, free)
			require.Greater(t, run(math.Sqrt(k.limit())*1.02), 1e6)
		}
	}
}

// Any configuration and model either fails with an error or gives finite numbers.
func FuzzForward(f *testing.F) {
	f.Add(10.0, 0.001, 15.0, 2, 3, 3000.0)
	f.Add(-1.0, 0.0, math.Inf(1), 0, 200, math.NaN())
	f.Add(1e-300, 1e300, 1e-9, 1, 1, 1e-30)
	f.Add(10.0, 0.001, 15.0, 40, 1, 6100.0)
	f.Fuzz(func(t *testing.T, dx, dt, freq float64, pad, n int, v float64) {
		if n > 12 || pad > 40 {
			return // memory, not meaning
		}
		s, err := New[float32](Config{Dx: dx, Dt: dt, Freq: freq, Pad: pad, Samples: 30}, n, n)
		if err != nil {
			return
		}
		vel := uniform(n*n, float32(v))
		dst := make([]float32, 5*30*n)
		if err := s.Forward(context.Background(), dst, vel); err != nil {
			return
		}
		for i, p := range dst {
			require.False(t, math.IsNaN(float64(p)) || math.IsInf(float64(p), 0), "value %d is %v", i, p)
		}
	})
}
