package kernel

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	dsp "github.com/mjibson/go-dsp/fft"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/dsp/fourier"
)

// Rounding grows with the square root of the number of passes; these bounds are relative to the root mean square of the spectrum.
const (
	fftTol32 = 2e-6
	fftTol64 = 5e-14 // go-dsp's own error is the largest part
)

func fftTol[T Float]() float64 {
	if _, ok := any(T(0)).(float32); ok {
		return fftTol32
	}
	return fftTol64
}

func randomFFT[T Float](rng *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(rng.NormFloat64())
	}
	return x
}

func toComplex[T Float](x []T) []complex128 {
	z := make([]complex128, len(x)/2)
	for i := range z {
		z[i] = complex(float64(x[2*i]), float64(x[2*i+1]))
	}
	return z
}

// naiveDFT is the definition, over all of dims, of each of batch blocks.
func naiveDFT(x []complex128, batch int, dims []int, inverse bool) []complex128 {
	sign := -1.0
	if inverse {
		sign = 1
	}
	y := append([]complex128{}, x...)
	inner := 1
	for i := len(dims) - 1; i >= 0; i-- {
		n := dims[i]
		for o := range len(y) / (n * inner) {
			for q := range inner {
				out := make([]complex128, n)
				for k := range n {
					for j := range n {
						out[k] += y[(o*n+j)*inner+q] * cmplx.Rect(1, sign*2*math.Pi*float64(k*j%n)/float64(n))
					}
				}
				for k := range n {
					y[(o*n+k)*inner+q] = out[k]
				}
			}
		}
		inner *= n
	}
	return y
}

func requireSpectrum[T Float](t *testing.T, want []complex128, got []T) {
	t.Helper()
	require.Equal(t, 2*len(want), len(got))
	rms := 0.0
	for _, w := range want {
		rms += real(w)*real(w) + imag(w)*imag(w)
	}
	rms = math.Sqrt(rms/float64(len(want))) + 1e-30
	for i, g := range toComplex(got) {
		if d := cmplx.Abs(g - want[i]); !(d <= fftTol[T]()*rms) {
			t.Fatalf("element %d: %v, want %v (rms %g)", i, g, want[i], rms)
		}
	}
}

// Every length up to 130 (primes beyond 31 included), and the long ones that the models use.
func fftLengths() []int {
	var n []int
	for i := 1; i <= 130; i++ {
		n = append(n, i)
	}
	return append(n, 256, 310, 343, 352, 487, 500, 512, 961, 997, 1000, 1008)
}

func testFFTLengths[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range fftLengths() {
		for _, batch := range []int{1, 3, 17} {
			x := randomFFT[T](rng, 2*n*batch)
			got, back := make([]T, len(x)), make([]T, len(x))
			FFT(got, x, batch, []int{n}, false, 1)
			var want []complex128
			f := fourier.NewCmplxFFT(n)
			for b := range batch {
				want = append(want, f.Coefficients(nil, toComplex(x[2*n*b:2*n*(b+1)]))...)
			}
			requireSpectrum(t, want, got)
			FFT(back, got, batch, []int{n}, true, 1/T(n))
			requireSpectrum(t, toComplex(x), back)
		}
		x := randomFFT[T](rng, n*3)
		spec, back := make([]T, 2*(n/2+1)*3), make([]T, len(x))
		RFFT(spec, x, 3, []int{n}, 1)
		var want []complex128
		for b := range 3 {
			row := make([]complex128, n)
			for i := range row {
				row[i] = complex(float64(x[b*n+i]), 0)
			}
			want = append(want, fourier.NewCmplxFFT(n).Coefficients(nil, row)[:n/2+1]...)
		}
		requireSpectrum(t, want, spec)
		IRFFT(back, spec, 3, []int{n}, 1/T(n))
		for i := range x {
			require.InDelta(t, float64(x[i]), float64(back[i]), 5*fftTol[T]())
		}
	}
}

func TestFFTLengths(t *testing.T) {
	eachGemm(t, testFFTLengths[float32])
	t.Run("float64", testFFTLengths[float64])
}

func TestFFTAgainstGoDSP(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	x := randomFFT[float64](rng, 2*15*14)
	got := make([]float64, len(x))
	FFT(got, x, 1, []int{15, 14}, false, 1)
	rows := make([][]complex128, 15)
	for i := range rows {
		rows[i] = toComplex(x[2*14*i : 2*14*(i+1)])
	}
	var want []complex128
	for _, r := range dsp.FFT2(rows) {
		want = append(want, r...)
	}
	requireSpectrum(t, want, got)
}

func testFFTDims[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, dims := range [][]int{{6, 10}, {7, 9}, {1, 5}, {5, 1}, {4, 3, 6}, {3, 37, 5}, {2, 2, 2}} {
		n := fftProduct(dims)
		const batch = 3
		x := randomFFT[T](rng, 2*n*batch)
		for _, inverse := range []bool{false, true} {
			got := append([]T{}, x...)
			FFT(got, got, batch, dims, inverse, 0.5)
			want := naiveDFT(toComplex(x), batch, dims, inverse)
			for i := range want {
				want[i] /= 2
			}
			requireSpectrum(t, want, got)
		}
		// Real: the half spectrum is the first part of the whole one; the inverse is linear also in spectra that no real signal has.
		last := dims[len(dims)-1]
		half := last/2 + 1
		rows := batch * n / last
		whole := make([]complex128, batch*n)
		for i := range whole {
			whole[i] = complex(float64(x[i]), 0)
		}
		whole = naiveDFT(whole, batch, dims, false)
		var want []complex128
		for r := range rows {
			want = append(want, whole[r*last:r*last+half]...)
		}
		spec := make([]T, 2*rows*half)
		RFFT(spec, x[:batch*n], batch, dims, 1)
		requireSpectrum(t, want, spec)

		spec = randomFFT[T](rng, len(spec))
		keep := append([]T{}, spec...)
		got := make([]T, batch*n)
		IRFFT(got, spec, batch, dims, 1)
		require.Equal(t, keep, spec, "IRFFT changed its input")
		columns := toComplex(spec)
		inner := half
		for i := len(dims) - 2; i >= 0; i-- { // inverse over all axes but the last, by the definition
			columns = naiveInner(columns, dims[i], inner)
			inner *= dims[i]
		}
		for r := range rows {
			for j := range last {
				y := real(columns[r*half])
				for k := 1; k < half; k++ {
					v := real(columns[r*half+k] * cmplx.Rect(1, 2*math.Pi*float64(k*j%last)/float64(last)))
					if 2*k < last {
						v *= 2
					} else {
						v = real(columns[r*half+k]) * math.Cos(math.Pi*float64(j))
					}
					y += v
				}
				require.InDelta(t, y, float64(got[r*last+j]), 50*fftTol[T](), fmt.Sprint(dims, r, j))
			}
		}
	}
}

// naiveInner is the inverse along an axis of length n with inner elements after it.
func naiveInner(x []complex128, n, inner int) []complex128 {
	y := make([]complex128, len(x))
	for o := range len(x) / (n * inner) {
		for q := range inner {
			for k := range n {
				for j := range n {
					y[(o*n+k)*inner+q] += x[(o*n+j)*inner+q] * cmplx.Rect(1, 2*math.Pi*float64(k*j%n)/float64(n))
				}
			}
		}
	}
	return y
}

func TestFFTDims(t *testing.T) {
	eachGemm(t, testFFTDims[float32])
	t.Run("float64", testFFTDims[float64])
}

func TestFFTShiftAndParseval(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{70, 67, 96} {
		const shift = 5
		x := randomFFT[float64](rng, 2*n)
		moved := make([]float64, 2*n)
		for j := range n {
			copy(moved[2*((j+shift)%n):][:2], x[2*j:])
		}
		a, b := make([]float64, 2*n), make([]float64, 2*n)
		FFT(a, x, 1, []int{n}, false, 1)
		FFT(b, moved, 1, []int{n}, false, 1)
		want := toComplex(a)
		energy, spectral := 0.0, 0.0
		for k := range want {
			want[k] *= cmplx.Rect(1, -2*math.Pi*float64(k*shift%n)/float64(n))
			energy += x[2*k]*x[2*k] + x[2*k+1]*x[2*k+1]
			spectral += a[2*k]*a[2*k] + a[2*k+1]*a[2*k+1]
		}
		requireSpectrum(t, want, b)
		require.InEpsilon(t, energy, spectral/float64(n), 1e-13)
	}
}

func TestFFTThreads(t *testing.T) {
	defer SetThreads(0)
	rng := rand.New(rand.NewPCG(9, 10))
	x := randomFFT[float32](rng, 5*70*70)
	var first []float32
	for _, threads := range []int{1, 2} {
		SetThreads(threads)
		y := make([]float32, 5*70*36*2)
		RFFT(y, x, 5, []int{70, 70}, 1)
		if first == nil {
			first = y
		}
		require.Equal(t, first, y)
	}
}

func TestFFTAllocates(t *testing.T) {
	x, y := make([]float32, 70*70), make([]float32, 70*36*2)
	f := func() { RFFT(y, x, 1, []int{70, 70}, 1); IRFFT(x, y, 1, []int{70, 70}, 1) }
	f()
	require.Zero(t, testing.AllocsPerRun(50, f))
}

func TestFFTPanics(t *testing.T) {
	require.PanicsWithValue(t, "kernel: RFFT: 4 complex from 9 real elements for 1 x [8]", func() {
		RFFT(make([]float32, 8), make([]float32, 9), 1, []int{8}, 1)
	})
}

func BenchmarkRFFT(b *testing.B) {
	rng := rand.New(rand.NewPCG(11, 12))
	for _, c := range []struct {
		batch int
		dims  []int
	}{{1024, []int{70, 70}}, {1, []int{1008, 352}}, {128, []int{70, 70}}, {1, []int{1 << 18}}} {
		b.Run(fmt.Sprint(c.batch, "x", c.dims), func(b *testing.B) {
			n := fftProduct(c.dims)
			last := c.dims[len(c.dims)-1]
			x, y := randomFFT[float32](rng, c.batch*n), make([]float32, 2*c.batch*n/last*(last/2+1))
			for b.Loop() {
				RFFT(y, x, c.batch, c.dims, 1)
			}
			b.ReportMetric(2.5*float64(c.batch*n)*math.Log2(float64(n))*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
