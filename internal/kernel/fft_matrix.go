package kernel

import "sync"

// Short transforms of float32 are products with the matrix of the transform, where products have an engine: eight operations a point
// times the length, but at the speed of products, which is about a hundred times that of the passes of a mixed radix.
//
// Along the last axis the rows of data are rows of the left operand, real and imaginary parts of the half spectrum columns of the
// other side. Along an axis before it a complex matrix W = C + iS acts on columns, X being rows of re and im side by side,
//
//	W X = [C S] [X; iX],     iX: (re, im) -> (-im, re).

const (
	fftMatrixMost  = 128 // length
	fftMatrixLeast = 16  // complex numbers side by side, along an axis that is not the last
	fftMatrixRows  = 56  // rows of one product along the last axis
	fftMatrixWide  = 512 // floats side by side of one product along another axis
)

// fftMatrix says which transform a matrix is of.
type fftMatrix struct {
	kind    fftKind
	n       int
	inverse bool
}

var fftMatrices struct {
	sync.RWMutex
	of map[fftMatrix][]float32
}

// elements returns the matrix, made once and kept.
func (m fftMatrix) elements() []float32 {
	c := &fftMatrices
	c.RLock()
	a := c.of[m]
	c.RUnlock()
	if a != nil {
		return a
	}
	a = m.make()
	c.Lock()
	defer c.Unlock()
	if c.of == nil {
		c.of = map[fftMatrix][]float32{}
	}
	if c.of[m] == nil {
		c.of[m] = a
	}
	return c.of[m]
}

func (m fftMatrix) make() []float32 {
	n, half := m.n, m.n/2+1
	switch m.kind {
	case fftForwardReal: // n x (half, re or im)
		a := make([]float32, n*2*half)
		for j := range n {
			for k := range half {
				a[2*(j*half+k)], a[2*(j*half+k)+1] = RootOfUnity[float32](j*k, n)
			}
		}
		return a
	case fftInverseReal: // (half, re or im) x n: inner columns stand for two
		a := make([]float32, 2*half*n)
		for k := range half {
			for j := range n {
				re, im := RootOfUnity[float32](j*k, n)
				if k == 0 || 2*k == n {
					a[2*k*n+j] = re
				} else {
					a[2*k*n+j], a[(2*k+1)*n+j] = 2*re, 2*im
				}
			}
		}
		return a
	}
	a := make([]float32, n*2*n) // n x (C, S)
	for k := range n {
		for j := range n {
			re, im := RootOfUnity[float32](j*k, n)
			if m.inverse {
				im = -im
			}
			a[2*k*n+j], a[2*k*n+n+j] = re, im
		}
	}
	return a
}

// fftMatrixJob is one pass along an axis, as fftJob is.
type fftMatrixJob struct {
	fftMatrix
	dst, x []float32
	a      []float32
	outer  int
	inner  int
	scale  float32
	body   func(lo, hi int)
}

var (
	fftMatrixJobs    sync.Pool
	fftMatrixScratch Scratch[float32]
)

// fftByMatrix does a pass if it is one that goes by matrix. Whether it does depends on nothing but lengths, so that a sequence is
// transformed alike in any batch.
func fftByMatrix[T Float](kind fftKind, dst, x []T, outer, n, inner int, inverse bool, scale T) bool {
	y, ok := any(dst).([]float32)
	if !ok || gemmEngine == nil || n > fftMatrixMost || kind == fftComplex && inner < fftMatrixLeast {
		return false
	}
	j, _ := fftMatrixJobs.Get().(*fftMatrixJob)
	if j == nil {
		j = &fftMatrixJob{}
		j.body = j.tasks
	}
	j.fftMatrix = fftMatrix{kind, n, inverse}
	j.dst, j.x, j.a, j.outer, j.inner, j.scale = y, any(x).([]float32), j.elements(), outer, inner, float32(scale)
	tasks, flops := (outer+fftMatrixRows-1)/fftMatrixRows, 2*n*n*fftMatrixRows
	if kind == fftComplex {
		tasks, flops = outer*((2*inner+fftMatrixWide-1)/fftMatrixWide), 4*n*n*min(2*inner, fftMatrixWide)
	}
	Parallel(tasks, 1+1<<20/flops, j.body)
	j.dst, j.x, j.a = nil, nil, nil
	fftMatrixJobs.Put(j)
	return true
}

func (j *fftMatrixJob) tasks(lo, hi int) {
	for t := lo; t < hi; t++ {
		if j.kind == fftComplex {
			j.columns(t)
		} else {
			j.rows(t * fftMatrixRows)
		}
	}
}

// rows transforms rows from first on along the last axis.
func (j *fftMatrixJob) rows(first int) {
	in, out := j.n, 2*(j.n/2+1)
	if j.kind == fftInverseReal {
		in, out = out, in
	}
	rows := min(fftMatrixRows, j.outer-first)
	y := j.dst[first*out:][:rows*out]
	GemmSerial(false, false, rows, out, in, j.x[first*in:], in, j.a, out, y, out, false, nil)
	if j.scale != 1 {
		scaleElem.f32(y, y, nil, j.scale, 0, false)
	}
}

// columns transforms block number t of columns along an axis that is not the last.
func (j *fftMatrixJob) columns(t int) {
	width := 2 * j.inner
	blocks := (width + fftMatrixWide - 1) / fftMatrixWide
	first := t % blocks * fftMatrixWide
	cols := min(fftMatrixWide, width-first)
	start := t/blocks*j.n*width + first
	both := fftMatrixScratch.Get(2 * j.n * cols)
	for r := range j.n {
		x, to, turned := j.x[start+r*width:][:cols], both[r*cols:][:cols], both[(j.n+r)*cols:][:cols]
		for q := 0; q+1 < len(x) && q+1 < len(to) && q+1 < len(turned); q += 2 {
			re, im := j.scale*x[q], j.scale*x[q+1]
			to[q], to[q+1] = re, im
			turned[q], turned[q+1] = -im, re
		}
	}
	GemmSerial(false, false, j.n, cols, 2*j.n, j.a, 2*j.n, both, cols, j.dst[start:], width, false, nil)
	fftMatrixScratch.Put(both)
}
