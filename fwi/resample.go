package fwi

import (
	"fmt"
	"math"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Resampler shortens an axis without aliasing: a low-pass and a resampling in one matrix. Row j of the m x n matrix is a Lanczos
// window of three lobes, stretched by n/m, around the centre of output cell j,
//
//	w[j][i] = L((i + 1/2) m/n - (j + 1/2)),  L(t) = sinc(t) sinc(t/3) for |t| < 3,
//
// and scaled to sum one, so that constants stay and frequencies above the new Nyquist frequency are suppressed.
type Resampler struct {
	n, m int
	w    []float32 // m x n
}

// NewResampler returns the resampler from n to m samples. It panics unless 1 <= m <= n: an axis is shortened only.
func NewResampler(n, m int) *Resampler {
	if m < 1 || m > n {
		panic(fmt.Sprintf("fwi: NewResampler: from %d to %d samples; want 1 to as many as there are", n, m))
	}
	r := &Resampler{n: n, m: m, w: make([]float32, m*n)}
	for j := range m {
		row := make([]float64, n)
		sum := 0.0
		for i := range n {
			row[i] = lanczos((float64(i)+0.5)*float64(m)/float64(n)-(float64(j)+0.5), 3)
			sum += row[i]
		}
		for i := range n {
			r.w[j*n+i] = float32(row[i] / sum)
		}
	}
	return r
}

// Apply resamples the middle axis: x is outer x n x inner, dst is outer x m x inner.
func (r *Resampler) Apply(dst, x []float32, outer, inner int) {
	kernel.GemmBatch(false, false, outer, r.m, inner, r.n, r.w, r.n, 0, x, inner, r.n*inner, dst, inner, r.m*inner, false)
}

func lanczos(t, lobes float64) float64 {
	if math.Abs(t) >= lobes {
		return 0
	}
	return sinc(t) * sinc(t/lobes)
}

func sinc(t float64) float64 {
	if t == 0 {
		return 1
	}
	return math.Sin(math.Pi*t) / (math.Pi * t)
}
