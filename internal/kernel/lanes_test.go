package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// eachLanes runs the test once per implementation that this CPU has.
func eachLanes(t *testing.T, f func(t *testing.T)) {
	best := fastLanes
	defer func() { fastLanes = best }()
	for _, fast := range []bool{true, false} {
		if fastLanes = fast; fast && !best {
			continue
		}
		t.Run(fmt.Sprintf("fast=%v", fast), f)
	}
}

// randomLanes returns rows x cols elements of n lanes, some elements apart, the columns side by side or the rows.
func randomLanes[T Float](r *rand.Rand, rows, cols, n, gap int, turned bool) Lanes[T] {
	width := 2*n + gap
	a := Lanes[T]{Row: cols * width, Col: width}
	if turned {
		a.Row, a.Col = width, rows*width
	}
	a.Data = random[T](r, max(0, rows*cols*width-gap))
	return a
}

func testLanes[T Float](t *testing.T, r *rand.Rand, rows, cols, inner, n int, tol float64) {
	for form := range 12 {
		gap := r.IntN(2) * 6
		x, w := randomLanes[T](r, rows, inner, n, gap, form&1 != 0), randomLanes[T](r, inner, cols, n, r.IntN(2)*4, form&2 != 0)
		x.Conj, w.Conj = form/4 == 1, form/4 == 2
		acc := r.IntN(2) == 0
		y := randomLanes[T](r, rows, cols, n, gap, r.IntN(2) == 0)
		got := append([]T{}, y.Data...)
		MulLanes(Lanes[T]{Data: got, Row: y.Row, Col: y.Col}, x, w, rows, cols, inner, n, acc)
		want := append([]T{}, y.Data...)
		conj := func(a Lanes[T], i, j, l int) complex128 {
			at := i*a.Row + j*a.Col + 2*l
			im := float64(a.Data[at+1])
			if a.Conj {
				im = -im
			}
			return complex(float64(a.Data[at]), im)
		}
		for i := range rows {
			for j := range cols {
				for l := range n {
					at := i*y.Row + j*y.Col + 2*l
					sum := complex(0, 0)
					if acc {
						sum = complex(float64(y.Data[at]), float64(y.Data[at+1]))
					}
					for k := range inner {
						sum += conj(x, i, k, l) * conj(w, k, j, l)
					}
					want[at], want[at+1] = T(real(sum)), T(imag(sum))
				}
			}
		}
		// What lies between the elements stays as it is.
		for i := range want {
			if d := math.Abs(float64(want[i]) - float64(got[i])); !(d <= tol*float64(10+inner)) {
				require.Failf(t, "wrong", "%d x %d x %d of %d, form %d, acc %v: element %d is %g, want %g", rows, cols, inner, n, form, acc, i, got[i], want[i])
			}
		}
	}
}

func TestMulLanes(t *testing.T) {
	eachLanes(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for n := range 28 {
			testLanes[float32](t, r, 1+r.IntN(9), 1+r.IntN(9), r.IntN(9), n, 1e-6)
		}
		for _, s := range [][4]int{{0, 3, 2, 4}, {3, 0, 2, 4}, {8, 5, 70, 16}, {1, 9, 65, 24}, {40, 7, 8, 16}, {33, 40, 3, 11}, {5, 17, 33, 20}} {
			testLanes[float32](t, r, s[0], s[1], s[2], s[3], 1e-6)
		}
		testLanes[float64](t, r, 3, 4, 5, 7, 1e-14)
	})
}

func TestMulLanesThreads(t *testing.T) {
	eachLanes(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, s := range [][3]int{{8, 64, 64}, {64, 64, 8}} {
			x, w := randomLanes[float32](r, s[0], s[2], 16, 0, false), randomLanes[float32](r, s[2], s[1], 16, 0, false)
			run := func(threads int) []float32 {
				y := randomLanes[float32](r, s[0], s[1], 16, 0, false)
				withThreads(threads, func() { MulLanes(y, x, w, s[0], s[1], s[2], 16, false) })
				return y.Data
			}
			want := run(1)
			require.Equal(t, want, run(2))
			require.Equal(t, want, run(5))
		}
	})
}

func TestMulLanesMisuse(t *testing.T) {
	a := Lanes[float32]{Data: make([]float32, 8), Row: 4, Col: 4}
	require.PanicsWithValue(t, "kernel: MulLanes: x: 2 x 2 of 2 lanes, 4 and 4 apart, in 8 elements", func() { MulLanes(a, a, a, 2, 1, 2, 2, false) })
	c := a
	c.Conj = true
	require.Panics(t, func() { MulLanes(a, c, c, 1, 1, 1, 1, false) })
}

// The weight of a spectral convolution of SPAMoE: forward, gradient of the input, gradient of the weight.
func BenchmarkMulLanes(b *testing.B) {
	const c, n = 128, 144
	r := rand.New(rand.NewPCG(5, 6))
	for _, batch := range []int{1, 8} {
		x, y := Lanes[float32]{Data: random[float32](r, batch*c*2*n)}, Lanes[float32]{Data: random[float32](r, batch*c*2*n)}
		w := Lanes[float32]{Data: random[float32](r, c*c*2*n), Row: c * 2 * n, Col: 2 * n}
		byBatch := func(a Lanes[float32]) Lanes[float32] { a.Row, a.Col = 2*n, batch*2*n; return a }
		byChannel := func(a Lanes[float32]) Lanes[float32] { a.Row, a.Col = batch*2*n, 2*n; return a }
		conj := func(a Lanes[float32]) Lanes[float32] { a.Conj = true; return a }
		turned := func(a Lanes[float32]) Lanes[float32] { a.Row, a.Col = a.Col, a.Row; return a }
		for name, f := range map[string]func(){
			"forward": func() { MulLanes(byBatch(y), byBatch(x), w, batch, c, c, n, false) },
			"input":   func() { MulLanes(byBatch(x), byBatch(y), conj(turned(w)), batch, c, c, n, false) },
			"weight":  func() { MulLanes(w, conj(byChannel(x)), byBatch(y), c, c, batch, n, false) },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, batch), func(b *testing.B) {
				SetThreads(0)
				for b.Loop() {
					f()
				}
				b.ReportMetric(8*c*c*n*float64(batch)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
