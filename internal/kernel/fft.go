package kernel

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// Discrete Fourier transforms of any length over the last one to three axes of a batch,
//
//	X[k] = scale * sum over n of x[n] exp(-+2 pi i k n / N)        (minus forward, plus inverse)
//
// Complex data are interleaved: re, im. Lengths whose prime factors are at most 31 go through Stockham's self-sorting mixed-radix
// algorithm (van Loan, Computational Frameworks for the Fast Fourier Transform, 1992, section 1.7), all others through Bluestein's
// (IEEE Trans. Audio Electroacoust. 18, 451, 1970). Sixteen transforms run side by side, real and imaginary parts in separate
// planes, so that every inner loop is contiguous whatever the axis. Short float32 transforms are matrix products instead. Plans are made once per length and shared; scratch memory is
// pooled. All functions may be called from many goroutines at once.

// fftLanes is how many transforms run side by side: one cache line of float32.
const fftLanes = 16

// fftMaxRadix is the largest prime that the mixed-radix algorithm takes as a factor; its cost grows with the square of the prime.
const fftMaxRadix = 31

// FFT computes the complex transform over the axes dims of x, which is batch x dims[0] x .. x dims[d-1] x 2. dst has the same size
// and may be x.
func FFT[T Float](dst, x []T, batch int, dims []int, inverse bool, scale T) {
	n := batch * fftProduct(dims)
	if len(x) != 2*n || len(dst) != 2*n {
		panic(fmt.Sprintf("kernel: FFT: %d and %d elements for %d x %v complex numbers", len(dst), len(x), batch, slices.Clone(dims)))
	}
	inner := 1
	for i := len(dims) - 1; i >= 0; i-- {
		fftAxis(fftComplex, dst, x, n/(dims[i]*inner), dims[i], inner, inverse, scale)
		x, scale = dst, 1
		inner *= dims[i]
	}
}

// RFFT computes the transform of real x, batch x dims, into dst, batch x dims[0] x .. x (dims[d-1]/2+1) x 2: the half of the
// spectrum that determines the other one.
func RFFT[T Float](dst, x []T, batch int, dims []int, scale T) {
	last := dims[len(dims)-1]
	rows := batch * fftProduct(dims[:len(dims)-1])
	half := last/2 + 1
	if len(x) != rows*last || len(dst) != 2*rows*half {
		panic(fmt.Sprintf("kernel: RFFT: %d complex from %d real elements for %d x %v", len(dst)/2, len(x), batch, slices.Clone(dims)))
	}
	fftAxis(fftForwardReal, dst, x, rows, last, 1, false, scale)
	inner := half
	for i := len(dims) - 2; i >= 0; i-- {
		fftAxis(fftComplex, dst, dst, rows*half/(dims[i]*inner), dims[i], inner, false, 1)
		inner *= dims[i]
	}
}

// IRFFT computes the real inverse transform of the half spectrum x, batch x dims[0] x .. x (dims[d-1]/2+1) x 2, into dst, batch x
// dims: the complex inverse over all axes but the last, then over the last one
//
//	y[n] = scale * (Re X[0] + sum over 0 < k < N/2 of 2 Re(X[k] exp(2 pi i k n / N)) + (-1)^n Re X[N/2] (even N)),
//
// so that the imaginary parts of the first and, for even N, the last column are ignored at that point.
func IRFFT[T Float](dst, x []T, batch int, dims []int, scale T) {
	last := dims[len(dims)-1]
	rows := batch * fftProduct(dims[:len(dims)-1])
	half := last/2 + 1
	if len(dst) != rows*last || len(x) != 2*rows*half {
		panic(fmt.Sprintf("kernel: IRFFT: %d real from %d complex elements for %d x %v", len(dst), len(x)/2, batch, slices.Clone(dims)))
	}
	if len(dims) > 1 {
		w := getFFTWork[T](len(x))
		defer putFFTWork(w)
		inner := half
		for i := len(dims) - 2; i >= 0; i-- {
			fftAxis(fftComplex, w.buf[:len(x)], x, rows*half/(dims[i]*inner), dims[i], inner, true, 1)
			x = w.buf[:len(x)]
			inner *= dims[i]
		}
	}
	fftAxis(fftInverseReal, dst, x, rows, last, 1, true, scale)
}

func fftProduct(s []int) int {
	n := 1
	for _, v := range s {
		n *= v
	}
	return n
}

// fftPlan transforms one length.
type fftPlan[T Float] struct {
	n      int
	stages []fftStage[T]
	blue   *bluestein[T] // instead of stages
	half   []T           // exp(-2 pi i k / (2n)), k = 0..n: joins the halves of a real transform of length 2n
}

// fftStage is one pass of radix r over r*m points: twiddle holds exp(-2 pi i j p / (r m)) for p < m, 0 < j < r.
type fftStage[T Float] struct {
	radix, m int
	twiddle  []T
	roots    []T // exp(-2 pi i j / r), for radices without code of their own
}

// fftPlanCache holds the plans made so far. A typed map: looking up an interface key would allocate.
type fftPlanCache[T Float] struct {
	sync.RWMutex
	plans map[int]*fftPlan[T]
}

var (
	fftPlans32 fftPlanCache[float32]
	fftPlans64 fftPlanCache[float64]
)

func fftPlanOf[T Float](n int) *fftPlan[T] {
	c, ok := any(&fftPlans32).(*fftPlanCache[T])
	if !ok {
		c = any(&fftPlans64).(*fftPlanCache[T])
	}
	c.RLock()
	p := c.plans[n]
	c.RUnlock()
	if p != nil {
		return p
	}
	p = newFFTPlan[T](n)
	c.Lock()
	defer c.Unlock()
	if c.plans == nil {
		c.plans = map[int]*fftPlan[T]{}
	}
	if c.plans[n] == nil {
		c.plans[n] = p
	}
	return c.plans[n]
}

func newFFTPlan[T Float](n int) *fftPlan[T] {
	p := &fftPlan[T]{n: n, half: make([]T, 2*(n+1))}
	for k := range n + 1 {
		p.half[2*k], p.half[2*k+1] = RootOfUnity[T](k, 2*n)
	}
	factors, rest := factorise(n)
	if rest > 1 {
		p.blue = newBluestein[T](n)
		return p
	}
	m := n
	for _, r := range factors {
		m /= r
		s := fftStage[T]{radix: r, m: m, twiddle: make([]T, 0, 2*m*(r-1))}
		for q := range m {
			for j := 1; j < r; j++ {
				re, im := RootOfUnity[T](j*q, r*m)
				s.twiddle = append(s.twiddle, re, im)
			}
		}
		for j := range r {
			re, im := RootOfUnity[T](j, r)
			s.roots = append(s.roots, re, im)
		}
		p.stages = append(p.stages, s)
	}
	return p
}

// factorise splits n into radices, fours first, and what no radix divides.
func factorise(n int) (factors []int, rest int) {
	for r := 4; r <= fftMaxRadix && n > 1; {
		if n%r == 0 {
			factors = append(factors, r)
			n /= r
			continue
		}
		switch r {
		case 4:
			r = 2
		default:
			r++
		}
		if r == 4 {
			r = 5
		}
	}
	return factors, n
}

// RootOfUnity returns exp(-2 pi i k / n), exact to the last bit of T: the angle is folded into an eighth of the circle first.
func RootOfUnity[T Float](k, n int) (re, im T) {
	k = ((k % n) + n) % n
	e := 8 * k / n // the octant
	var c, s float64
	switch e {
	case 0:
		c, s = cosSin(k, n)
	case 1, 2: // around a quarter turn: k/n = 1/4 + t
		a, b := cosSin4(4*k-n, n)
		c, s = -b, a
	case 3, 4: // around a half turn
		a, b := cosSin4(4*k-2*n, n)
		c, s = -a, -b
	case 5, 6:
		a, b := cosSin4(4*k-3*n, n)
		c, s = b, -a
	default:
		a, b := cosSin4(4*k-4*n, n)
		c, s = a, b
	}
	return T(c), T(-s)
}

// cosSin returns the cosine and sine of 2 pi k / n.
func cosSin(k, n int) (c, s float64) { return cosSin4(4*k, n) }

// cosSin4 returns the cosine and sine of 2 pi (k/4) / n for an angle of at most an eighth of a turn either way.
func cosSin4(k, n int) (c, s float64) {
	a := math.Pi * float64(k) / (2 * float64(n))
	return math.Cos(a), math.Sin(a)
}

// run transforms lanes sequences, element j of lane l at re[j*lanes+l] and im[j*lanes+l]. wre and wim are scratch of the same
// length. It returns the planes that hold the result. Swapping re and im gives the inverse.
func (p *fftPlan[T]) run(re, im, wre, wim []T, lanes int) ([]T, []T) {
	if p.blue != nil {
		p.blue.run(re, im, lanes)
		return re, im
	}
	s := lanes
	for i := range p.stages {
		st := &p.stages[i]
		switch st.radix {
		case 2:
			radix2(st, re, im, wre, wim, s)
		case 3:
			radix3(st, re, im, wre, wim, s)
		case 4:
			radix4(st, re, im, wre, wim, s)
		case 5:
			radix5(st, re, im, wre, wim, s)
		case 7:
			radix7(st, re, im, wre, wim, s)
		default:
			radixOdd(st, re, im, wre, wim, s)
		}
		re, im, wre, wim = wre, wim, re, im
		s *= st.radix
	}
	return re, im
}
