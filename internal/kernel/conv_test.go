package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// convLoop is the definition: y[n,o,i,j] summed in float64 over c, u, v. visit is called with the offsets of y, x and w of every term.
func convLoop(s ConvShape, visit func(y, x, w int)) {
	s = s.resolve("test")
	cg, og := s.C/s.Groups, s.Out/s.Groups
	for n := range s.N {
		for o := range s.Out {
			for i := range s.OH {
				for j := range s.OW {
					for c := range cg {
						for u := range s.KH {
							for v := range s.KW {
								h, w := i*s.StrideH+u*s.DilationH-s.PadH, j*s.StrideW+v*s.DilationW-s.PadW
								if h >= 0 && h < s.H && w >= 0 && w < s.W {
									visit(((n*s.Out+o)*s.OH+i)*s.OW+j, ((n*s.C+o/og*cg+c)*s.H+h)*s.W+w, ((o*cg+c)*s.KH+u)*s.KW+v)
								}
							}
						}
					}
				}
			}
		}
	}
}

var convShapes = []ConvShape{
	{N: 1, C: 1, H: 1, W: 1, Out: 1, KH: 1, KW: 1},
	{N: 2, C: 3, H: 7, W: 9, Out: 4, KH: 1, KW: 1},
	{N: 2, C: 3, H: 7, W: 9, Out: 4, KH: 3, KW: 3, PadH: 1, PadW: 1},
	{N: 1, C: 5, H: 35, W: 37, Out: 17, KH: 3, KW: 3, PadH: 1, PadW: 1},
	{N: 2, C: 2, H: 8, W: 11, Out: 3, KH: 3, KW: 2, PadH: 2, PadW: 1, StrideH: 2, StrideW: 3},
	{N: 2, C: 4, H: 9, W: 10, Out: 6, KH: 3, KW: 3, PadH: 2, PadW: 2, DilationH: 2, DilationW: 2, Groups: 2},
	{N: 2, C: 6, H: 12, W: 10, Out: 6, KH: 7, KW: 7, PadH: 3, PadW: 3, Groups: 6},
	{N: 1, C: 3, H: 12, W: 10, Out: 6, KH: 5, KW: 3, StrideH: 2, StrideW: 2, Groups: 3},
	{N: 1, C: 1, H: 33, W: 34, Out: 8, KH: 16, KW: 16, StrideH: 16, StrideW: 16},
	{N: 1, C: 2, H: 2, W: 2, Out: 2, KH: 5, KW: 5, PadH: 4, PadW: 4},
	{N: 2, C: 3, H: 1, W: 40, Out: 5, KH: 1, KW: 5, PadW: 2},
	TransposeShape(2, 3, 5, 6, 4, 4, 4, [2]int{2, 2}, [2]int{1, 1}, [2]int{}, [2]int{}, 1),
	TransposeShape(1, 4, 5, 4, 6, 3, 3, [2]int{3, 2}, [2]int{1, 0}, [2]int{2, 1}, [2]int{1, 2}, 2),
	TransposeShape(1, 2, 3, 4, 2, 3, 3, [2]int{1, 1}, [2]int{1, 1}, [2]int{1, 1}, [2]int{2, 2}, 1),
}

func random[T Float](r *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(r.NormFloat64())
	}
	return x
}

// near requires got and want to agree to tol of the largest of want.
func near[T Float](t *testing.T, want []float64, got []T, tol float64, what string) {
	t.Helper()
	require.Len(t, got, len(want), what)
	scale := 1.0
	for _, v := range want {
		scale = max(scale, v, -v)
	}
	for i, v := range want {
		if d := float64(got[i]) - v; !(d <= tol*scale && -d <= tol*scale) {
			require.Failf(t, what, "element %d of %d: %g, want %g", i, len(want), got[i], v)
		}
	}
}

func testConv[T Float](t *testing.T, tol float64) {
	for _, s := range convShapes {
		for _, acc := range []bool{false, true} {
			r := rand.New(rand.NewPCG(1, 2))
			oh, ow := s.OutSize()
			what := fmt.Sprintf("%+v acc %v", s, acc)
			x, w := random[T](r, s.N*s.C*s.H*s.W), random[T](r, s.Out*s.resolve("test").patch())
			bias, y := random[T](r, s.Out), random[T](r, s.N*s.Out*oh*ow)
			gx, gw := random[T](r, len(x)), random[T](r, len(w))
			gy := random[T](r, len(y))

			wantY, wantX, wantW := make([]float64, len(y)), make([]float64, len(x)), make([]float64, len(w))
			if acc {
				for _, p := range []struct {
					dst []float64
					src []T
				}{{wantY, y}, {wantX, gx}, {wantW, gw}} {
					for i, v := range p.src {
						p.dst[i] = float64(v)
					}
				}
			}
			for i := range wantY {
				wantY[i] += float64(bias[i/(oh*ow)%s.Out])
			}
			convLoop(s, func(iy, ix, iw int) {
				wantY[iy] += float64(x[ix]) * float64(w[iw])
				wantX[ix] += float64(gy[iy]) * float64(w[iw])
				wantW[iw] += float64(gy[iy]) * float64(x[ix])
			})
			ConvForward(y, x, w, bias, s, acc)
			near(t, wantY, y, tol, "forward "+what)
			ConvInputGrad(gx, gy, w, s, acc)
			near(t, wantX, gx, tol, "input gradient "+what)
			ConvWeightGrad(gw, x, gy, s, acc)
			near(t, wantW, gw, tol, "weight gradient "+what)
		}
	}
}

// Tolerances: a few hundred roundings of float32 (6e-8) or float64.
func TestConv32(t *testing.T) { eachGemm(t, func(t *testing.T) { testConv[float32](t, 1e-5) }) }
func TestConv64(t *testing.T) { testConv[float64](t, 1e-13) }

func TestConvTranspose(t *testing.T) {
	s := TransposeShape(2, 3, 4, 5, 2, 3, 3, [2]int{2, 2}, [2]int{1, 1}, [2]int{1, 0}, [2]int{}, 1)
	require.Equal(t, []int{8, 9}, []int{s.H, s.W})
	r := rand.New(rand.NewPCG(3, 4))
	x, w, bias := random[float32](r, 2*3*4*5), random[float32](r, 3*2*9), random[float32](r, 2)
	y, want := make([]float32, 2*2*8*9), make([]float64, 2*2*8*9)
	for i := range want {
		want[i] = float64(bias[i/72%2])
	}
	for i, v := range x { // every element of x stamps the kernel on y
		n, c, h, wd := i/60, i/20%3, i/5%4, i%5
		for o := range 2 {
			for u := range 3 {
				for q := range 3 {
					if a, b := 2*h+u-1, 2*wd+q-1; a >= 0 && a < 8 && b >= 0 && b < 9 {
						want[((n*2+o)*8+a)*9+b] += float64(v) * float64(w[((c*2+o)*3+u)*3+q])
					}
				}
			}
		}
	}
	ConvTransposeForward(y, x, w, bias, s)
	near(t, want, y, 1e-5, "transposed")
}

func TestConvBiasGrad(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	gy, gb := random[float32](r, 2*3*7), []float32{1, 2, 3}
	want := []float64{1, 2, 3}
	for i, v := range gy {
		want[i/7%3] += float64(v)
	}
	ConvBiasGrad(gb, gy, 2, 3, 7, true)
	near(t, want, gb, 1e-6, "acc")
	ConvBiasGrad(gb, gy, 2, 3, 7, false)
	near(t, []float64{want[0] - 1, want[1] - 2, want[2] - 3}, gb, 1e-6, "")
}

func TestConvThreads(t *testing.T) {
	s := ConvShape{N: 3, C: 16, H: 20, W: 21, Out: 33, KH: 3, KW: 3, PadH: 1, PadW: 1}
	r := rand.New(rand.NewPCG(7, 8))
	x, w, gy := random[float32](r, 3*16*420), random[float32](r, 33*144), random[float32](r, 3*33*420)
	run := func() (y, gx, gw []float32) {
		y, gx, gw = make([]float32, len(gy)), make([]float32, len(x)), make([]float32, len(w))
		ConvForward(y, x, w, nil, s, false)
		ConvInputGrad(gx, gy, w, s, false)
		ConvWeightGrad(gw, x, gy, s, false)
		return
	}
	var y1, gx1, gw1, y2, gx2, gw2 []float32
	withThreads(1, func() { y1, gx1, gw1 = run() })
	withThreads(2, func() { y2, gx2, gw2 = run() })
	require.Equal(t, y1, y2)
	require.Equal(t, gx1, gx2)
	require.Equal(t, gw1, gw2)
}

func TestConvMisuse(t *testing.T) {
	s := ConvShape{N: 1, C: 1, H: 2, W: 2, Out: 1, KH: 3, KW: 3}
	require.PanicsWithValue(t, "kernel: OutSize: kernel 3 x 3 with dilation 1, 1 and padding 0, 0 does not fit in 2 x 2", func() { s.OutSize() })
	s.PadH, s.PadW = 1, 1
	x := make([]float32, 4)
	require.Panics(t, func() { ConvForward(make([]float32, 3), x, make([]float32, 9), nil, s, false) })
	require.Panics(t, func() { ConvForward(x, x, make([]float32, 9), make([]float32, 2), s, false) })
	s.Groups = 2
	require.Panics(t, func() { ConvWeightGrad(make([]float32, 9), x, x, s, false) })
}

func BenchmarkConv(b *testing.B) {
	for _, s := range []ConvShape{
		{N: 8, C: 128, H: 70, W: 70, Out: 128, KH: 3, KW: 3, PadH: 1, PadW: 1},
		{N: 1, C: 128, H: 70, W: 70, Out: 128, KH: 3, KW: 3, PadH: 1, PadW: 1},
		{N: 8, C: 128, H: 70, W: 70, Out: 256, KH: 1, KW: 1},
		{N: 1, C: 1, H: 1008, W: 352, Out: 384, KH: 16, KW: 16, StrideH: 16, StrideW: 16},
		{N: 4, C: 64, H: 64, W: 64, Out: 64, KH: 4, KW: 4, PadH: 1, PadW: 1, StrideH: 2, StrideW: 2},
		{N: 4, C: 96, H: 56, W: 56, Out: 96, KH: 7, KW: 7, PadH: 3, PadW: 3, Groups: 96},
	} {
		s = s.resolve("benchmark")
		r := rand.New(rand.NewPCG(9, 9))
		x, w := random[float32](r, s.N*s.C*s.H*s.W), random[float32](r, s.Out*s.patch())
		y := random[float32](r, s.N*s.Out*s.OH*s.OW)
		gx, gw := make([]float32, len(x)), make([]float32, len(w))
		for name, f := range map[string]func(){
			"forward": func() { ConvForward(y, x, w, nil, s, false) },
			"input":   func() { ConvInputGrad(gx, y, w, s, false) },
			"weight":  func() { ConvWeightGrad(gw, x, y, s, false) },
		} {
			b.Run(fmt.Sprintf("%dx%dx%dx%d-%d-%dx%d/%s", s.N, s.C, s.H, s.W, s.Out, s.KH, s.StrideH, name), func(b *testing.B) {
				SetThreads(0) // follow -cpu
				for b.Loop() {
					f()
				}
				b.ReportMetric(2*float64(len(y))*float64(s.patch())*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
