package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAxisMapRows compares rows of the maps with weights worked out by hand.
func TestAxisMapRows(t *testing.T) {
	row := func(m *AxisMap, i int) []float64 {
		w := make([]float64, m.In)
		for t := m.Start[i]; t < m.Start[i+1]; t++ {
			w[m.Index[t]] += m.Weight[t]
		}
		return w
	}
	near := func(want, got []float64) {
		t.Helper()
		require.InDeltaSlice(t, want, got, 1e-15)
	}
	m := NewAxisMap(Linear, 3, 5, true)
	near([]float64{1, 0, 0}, row(m, 0))
	near([]float64{0.5, 0.5, 0}, row(m, 1))
	near([]float64{0, 0, 1}, row(m, 4))
	m = NewAxisMap(Linear, 2, 4, false) // coordinates -0.25 (clamped), 0.25, 0.75, 1.25
	near([]float64{1, 0}, row(m, 0))
	near([]float64{0.75, 0.25}, row(m, 1))
	near([]float64{0, 1}, row(m, 3))
	m = NewAxisMap(Nearest, 3, 7, false)
	for i, j := range []int{0, 0, 0, 1, 1, 2, 2} {
		want := make([]float64, 3)
		want[j] = 1
		near(want, row(m, i))
	}
	// Half way between points, Keys' weights with A = -0.75 are -3/32, 19/32, 19/32, -3/32.
	m = NewAxisMap(Cubic, 5, 9, true)
	near([]float64{0, -3. / 32, 19. / 32, 19. / 32, -3. / 32}, row(m, 5))
	near([]float64{19./32 - 3./32, 19. / 32, -3. / 32, 0, 0}, row(m, 1)) // the border clamps
	m = NewAxisMap(Cubic, 2, 4, false)                                   // coordinate -0.25 is not clamped
	near([]float64{keys(0.75) + keys(0.25) + keys(1.75), keys(1.25)}, row(m, 0))
	near([]float64{1}, row(NewAxisMap(Cubic, 1, 3, true), 1))
	near([]float64{1, 0, 0}, row(NewAxisMap(Linear, 3, 1, true), 0))
}

// TestApplyAxis checks both code paths against the loop over a dense matrix, and the gradient by <M x, y> = <x, M' y>.
func TestApplyAxis(t *testing.T) {
	eachBody(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(31, 32))
		for _, mode := range []Interpolation{Nearest, Linear, Cubic} {
			for _, align := range []bool{false, true} {
				for _, s := range [][4]int{{3, 21, 42, 1}, {2, 42, 70, 5}, {1, 70, 42, 33}, {4, 1, 3, 2}, {2, 9, 1, 7}, {40, 16, 9, 128}} {
					outer, in, out, inner := s[0], s[1], s[2], s[3]
					name := fmt.Sprintf("mode %d, align %v, %v", mode, align, s)
					m := NewAxisMap(mode, in, out, align)
					x, y := normals[float32](rng, outer*in*inner), normals[float32](rng, outer*out*inner)
					got, untouched := guarded[float32](len(y), inner%5)
					for _, acc := range []bool{false, true} {
						for i := range got {
							got[i] = 2
						}
						ApplyAxis(got, x, m, outer, inner, acc)
						untouched(t)
						for o := range outer {
							for i := range out {
								for k := range inner {
									want := 0.0
									if acc {
										want = 2
									}
									for t := m.Start[i]; t < m.Start[i+1]; t++ {
										want += m.Weight[t] * float64(x[(o*in+int(m.Index[t]))*inner+k])
									}
									if v := got[(o*out+i)*inner+k]; !(math.Abs(float64(v)-want) <= 3e-6) {
										require.Failf(t, name, "at %d,%d,%d: got %v, want %v", o, i, k, v, want)
									}
								}
							}
						}
					}
					ApplyAxis(got, x, m, outer, inner, false)
					back := make([]float32, len(x))
					ApplyAxis(back, y, m.Adjoint(), outer, inner, false)
					require.InDelta(t, dotGeneric(got, y), dotGeneric(x, back), 1e-6*math.Sqrt(float64(len(x)*len(y))), name)
				}
			}
		}
	})
}

func TestResizePanics(t *testing.T) {
	require.PanicsWithValue(t, "kernel: NewAxisMap: mode 1 from 0 to 3 points", func() { NewAxisMap(Linear, 0, 3, true) })
	x := make([]float32, 6)
	require.Panics(t, func() { ApplyAxis(x, x[:3], NewAxisMap(Linear, 2, 3, true), 2, 1, false) })
}

// BenchmarkResize is bicubic from 42 to 70 points on both axes, 8 x 128 planes: channels last (planes are columns), and first.
func BenchmarkResize(b *testing.B) {
	rng := rand.New(rand.NewPCG(33, 34))
	m := NewAxisMap(Cubic, 42, 70, true)
	x, mid, y := normals[float32](rng, 1024*42*42), normals[float32](rng, 1024*70*42), normals[float32](rng, 1024*70*70)
	for _, c := range []struct {
		name string
		run  func()
	}{
		{"last", func() {
			ApplyAxis(mid, x, m, 8, 42*128, false)
			ApplyAxis(y, mid, m, 8*70, 128, false)
		}},
		{"first", func() {
			ApplyAxis(mid, x, m, 1024, 42, false)
			ApplyAxis(y, mid, m, 1024*70, 1, false)
		}},
	} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", c.name, threads), func(b *testing.B) {
				SetThreads(threads)
				defer SetThreads(0)
				for b.Loop() {
					c.run()
				}
				gbps(b, 4*(len(x)+2*len(mid)+len(y)))
			})
		}
	}
}
