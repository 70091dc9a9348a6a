package invert

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi/wave"
)

// residuals returns those of L2, for all shots, scaled so that half the sum of their squares is the misfit.
func residuals(t *testing.T, all simulations, vel []float32) (r []float64) {
	t.Helper()
	require.NoError(t, all.each(context.Background(), vel, func(s *simulation, shot int, gather []float32) {
		d := make([]float64, len(gather))
		for i, v := range gather {
			d[i] = float64(v)
		}
		s.compare.prepare(shot, d)
		for i, v := range d {
			r = append(r, math.Sqrt(s.share/s.compare.total)*(v-s.compare.recorded[shot][i]*alive(s.compare.live[shot][i%s.compare.nr])))
		}
	}))
	return r
}

// d'J'Jd is the square of how the residuals change along d: inside of the model to a percent, where edges that continue into the strip
// move, too, to a few; with dead traces, on all cells and on every second, with and without a filter, a window, a free surface.
func TestCurvature(t *testing.T) {
	const nz, nx = 24, 26
	vel := make([]float32, nz*nx)
	for i := range vel {
		vel[i] = 2000 + float32(i/nx)*30
	}
	truth := make([]float32, nz*nx)
	for i := range truth {
		truth[i] = vel[i] + float32(200*math.Sin(float64(i%nx)/4))
	}
	changes := map[string]func(row, col int) float64{
		"bump": func(row, col int) float64 { return math.Exp(-float64((row-12)*(row-12)+(col-14)*(col-14)) / 8) },
		"scatter": func(row, col int) float64 {
			if min(row, nz-1-row, col, nx-1-col) < 5 {
				return 0
			}
			return float64((7*row+11*col)%13) - 6
		},
		"left edge": func(row, col int) float64 {
			if col == 0 {
				return 1
			}
			return 0
		},
		"all": func(row, col int) float64 { return 1 },
	}
	for name, c := range map[string]struct {
		survey wave.Config
		stage  Stage
		dead   bool
	}{
		"all frequencies":    {wave.Config{Samples: 400, Pad: 60, Shots: 3}, Stage{Gain: 0.5}, false},
		"low-pass, dead":     {wave.Config{Samples: 400, Pad: 60, Shots: 3}, Stage{LowPass: 13}, true},
		"coarse":             {wave.Config{Samples: 600, Pad: 80, Shots: 3}, Stage{LowPass: 9, Coarse: true, Gain: 0.5}, false},
		"free surface":       {wave.Config{Samples: 400, Pad: 60, Shots: 2, Free: wave.Sides{Top: true}}, Stage{Gain: 0.5}, false},
		"window":             {wave.Config{Samples: 400, Pad: 60, Shots: 2}, Stage{Window: 0.3}, false},
		"receivers of shots": {wave.Config{Samples: 400, Pad: 60, Sources: wave.Line(1, 2, nx), ShotReceivers: [][]wave.Point{wave.Line(1, 9, nx), wave.Line(3, 9, nx)}}, Stage{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			solver, err := wave.New[float32](c.survey, nz, nx)
			require.NoError(t, err)
			shots, samples, receivers := solver.Shape()
			data := make([]float32, shots*samples*receivers)
			require.NoError(t, solver.Forward(context.Background(), data, truth))
			if c.dead {
				for i := 0; i < len(data); i += receivers {
					data[i+7] = 0
				}
			}
			r := &run{ctx: context.Background(), p: Problem{Survey: solver.Config(), NZ: nz, NX: nx, Data: data}, bounds: newBounds(1500, 4500)}
			all, err := r.simulations(solver.Config(), c.stage)
			require.NoError(t, err)
			require.Equal(t, c.stage.Coarse, all[0].thin != nil)
			h, err := all.curvature(context.Background(), vel, each(nz*nx), nz*nx)
			require.NoError(t, err)
			for what, change := range changes {
				const step = 4
				up, down := make([]float32, nz*nx), make([]float32, nz*nx)
				d := make([]float64, nz*nx)
				for i, v := range vel {
					d[i] = change(i/nx, i%nx)
					up[i], down[i] = v+float32(step*d[i]), v-float32(step*d[i])
				}
				behind, before := residuals(t, all, up), residuals(t, all, down)
				want, got := 0.0, 0.0
				for i, v := range behind {
					want += (v - before[i]) * (v - before[i]) / (4 * step * step)
				}
				for i, a := range d {
					for k, b := range d {
						got += a * b * float64(h[i*nz*nx+k])
					}
				}
				limit := 0.03
				if what == "left edge" || what == "all" {
					limit = 0.15
				}
				require.InEpsilon(t, want, got, limit, what)
			}
			label, grouped := make([]int, nz*nx), make([]float64, 4)
			for i := range label {
				label[i] = i % nx * 2 / nx
			}
			for i, l := range label {
				for k, m := range label {
					grouped[2*l+m] += float64(h[i*nz*nx+k])
				}
			}
			small, err := all.curvature(context.Background(), vel, label, 2)
			require.NoError(t, err)
			for i, v := range grouped {
				require.InEpsilon(t, v, small[i], 1e-3)
			}
		})
	}
}

func BenchmarkCurvature(b *testing.B) {
	const n = 70
	vel := make([]float32, n*n)
	for i := range vel {
		vel[i] = 2000 + float32(i/n)*25
	}
	solver, err := wave.New[float32](wave.Config{}, n, n)
	require.NoError(b, err)
	data := make([]float32, 5*1000*n)
	require.NoError(b, solver.Forward(context.Background(), data, vel))
	r := &run{ctx: context.Background(), p: Problem{Survey: solver.Config(), NZ: n, NX: n, Data: data}, bounds: newBounds(1500, 4500)}
	for _, s := range []Stage{{Gain: 0.5}, {LowPass: 9, Coarse: true, Gain: 0.5}} {
		name := "fine"
		if s.Coarse {
			name = "coarse"
		}
		b.Run(name, func(b *testing.B) {
			all, err := r.simulations(solver.Config(), s)
			require.NoError(b, err)
			for b.Loop() {
				_, err := all.curvature(context.Background(), vel, each(n*n), n*n)
				require.NoError(b, err)
			}
		})
	}
}

func TestFold(t *testing.T) {
	column := []int{0, 0, 0, 0, 0, 1, 2, 3, 3, 5, 4, 4, 1}
	src := make([]float32, len(column))
	want := make([]float32, 6)
	for i, c := range column {
		src[i] = float32(i + 1)
		want[c] += src[i]
	}
	got := make([]float32, 6)
	fold(got, src, newSpans(column))
	require.Equal(t, want, got)
}
