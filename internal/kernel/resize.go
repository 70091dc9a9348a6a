package kernel

import (
	"fmt"
	"math"
	"sync"
)

// Interpolation is a way to find values between grid points.
type Interpolation int

const (
	Nearest Interpolation = iota // the point at floor(i in/out)
	Linear                       // the two neighbours; weights sum to one
	Cubic                        // the four neighbours, Keys' convolution kernel with A = -0.75; indices clamp at the border
)

// AxisMap is a sparse linear map along one axis, from In to Out points: y[i] = sum over t in [Start[i], Start[i+1]) of
// Weight[t] x[Index[t]]. Interpolation is one, and so is its adjoint. It is read only, and may be shared.
type AxisMap struct {
	In, Out int
	Start   []int32
	Index   []int32
	Weight  []float64
}

// NewAxisMap returns the interpolation from in to out points. With align, the outermost points of both grids coincide: the
// source coordinate of point i is i (in-1)/(out-1). Without, their cells' edges do: (i+1/2) in/out - 1/2, for Linear not below
// 0. Both are what torch.nn.functional.interpolate computes for a given output size; align means nothing to Nearest.
func NewAxisMap(mode Interpolation, in, out int, align bool) *AxisMap {
	if in < 1 || out < 1 || mode < Nearest || mode > Cubic {
		panic(fmt.Sprintf("kernel: NewAxisMap: mode %d from %d to %d points", mode, in, out))
	}
	m := &AxisMap{In: in, Out: out, Start: make([]int32, 1, out+1)}
	tap := func(j int, w float64) {
		if w == 0 {
			return
		}
		j = min(max(j, 0), in-1)
		for t := int(m.Start[len(m.Start)-1]); t < len(m.Index); t++ {
			if int(m.Index[t]) == j {
				m.Weight[t] += w
				return
			}
		}
		m.Index, m.Weight = append(m.Index, int32(j)), append(m.Weight, w)
	}
	for i := range out {
		if mode == Nearest {
			tap(i*in/out, 1)
		} else {
			s := (float64(i)+0.5)*float64(in)/float64(out) - 0.5
			if align {
				s = 0
				if out > 1 {
					s = float64(i) * float64(in-1) / float64(out-1)
				}
			}
			if mode == Linear {
				s = max(s, 0)
			}
			j := int(math.Floor(s))
			f := s - float64(j)
			if mode == Linear {
				tap(j, 1-f)
				tap(j+1, f)
			} else {
				tap(j-1, keys(1+f))
				tap(j, keys(f))
				tap(j+1, keys(1-f))
				tap(j+2, keys(2-f))
			}
		}
		m.Start = append(m.Start, int32(len(m.Index)))
	}
	return m
}

// keys is the cubic convolution kernel at distance d in [0, 2] (Keys 1981, equation 13, with A = -0.75).
func keys(d float64) float64 {
	const a = -0.75
	if d <= 1 {
		return ((a+2)*d-(a+3))*d*d + 1
	}
	return ((a*d-5*a)*d+8*a)*d - 4*a
}

// Adjoint returns the transposed map, from m.Out to m.In points.
func (m *AxisMap) Adjoint() *AxisMap {
	t := &AxisMap{In: m.Out, Out: m.In, Start: make([]int32, m.In+1), Index: make([]int32, len(m.Index)), Weight: make([]float64, len(m.Index))}
	for _, j := range m.Index {
		t.Start[j+1]++
	}
	for j := range m.In {
		t.Start[j+1] += t.Start[j]
	}
	next := append([]int32(nil), t.Start...)
	for i := range m.Out {
		for s := m.Start[i]; s < m.Start[i+1]; s++ {
			p := &next[m.Index[s]]
			t.Index[*p], t.Weight[*p] = int32(i), m.Weight[s]
			*p++
		}
	}
	return t
}

// ApplyAxis applies m along the middle axis: dst[o,i,k] = sum over taps t of i of Weight[t] x[o,Index[t],k], added to dst if
// acc. x is outer x m.In x inner, dst is outer x m.Out x inner; they must not overlap. A gradient is ApplyAxis of m.Adjoint().
func ApplyAxis[T Float](dst, x []T, m *AxisMap, outer, inner int, acc bool) {
	checkRows("ApplyAxis", outer*m.Out, inner, len(dst))
	checkRows("ApplyAxis", outer*m.In, inner, len(x))
	if inner == 1 {
		ParallelWith(outer, lastAxisRows, lastAxis[T]{dst, x, m, acc})
		return
	}
	ParallelWith(outer*m.Out, RowGrain(inner, 4), axisRows[T]{dst, x, m, inner, acc})
}

type lastAxis[T Float] struct {
	dst, x []T
	m      *AxisMap
	acc    bool
}

func (a *lastAxis[T]) Chunk(lo, hi int) {
	applyLastAxis(a.dst[lo*a.m.Out:hi*a.m.Out], a.x[lo*a.m.In:hi*a.m.In], a.m, a.acc)
}

type axisRows[T Float] struct {
	dst, x []T
	m      *AxisMap
	inner  int
	acc    bool
}

func (a *axisRows[T]) Chunk(lo, hi int) { applyAxis(a.dst, a.x, a.m, lo, hi, a.inner, a.acc) }

// applyAxis computes the rows [lo, hi) of dst as sums of scaled rows of x.
func applyAxis[T Float](dst, x []T, m *AxisMap, lo, hi, inner int, acc bool) {
	scale := pick[elemFunc[T]](scaleElem.f32, scaleElem.f64)
	both := pick[elemFunc[T]](addScaledElem.f32, addScaledElem.f64)
	for r := lo; r < hi; r++ {
		d := dst[r*inner : (r+1)*inner]
		i, base := r%m.Out, r/m.Out*m.In
		row := func(t int32) []T {
			p := (base + int(m.Index[t])) * inner
			return x[p : p+inner]
		}
		t, end := m.Start[i], m.Start[i+1]
		add := acc
		if t == end && !add {
			clear(d)
		}
		for ; t+1 < end; t += 2 {
			both(d, row(t), row(t+1), T(m.Weight[t]), T(m.Weight[t+1]), add)
			add = true
		}
		if t < end {
			scale(d, row(t), nil, T(m.Weight[t]), 0, add)
		}
	}
}

// lastAxisRows is how many rows applyLastAxis turns at a time.
const lastAxisRows = 64

var (
	lastAxis32 = sync.Pool{New: func() any { return new([]float32) }}
	lastAxis64 = sync.Pool{New: func() any { return new([]float64) }}
)

// applyLastAxis is ApplyAxis for an inner size of 1: up to lastAxisRows rows at a time are turned, so that vectors run across
// them, mapped as rows of the turned matrix, and turned back.
func applyLastAxis[T Float](dst, x []T, m *AxisMap, acc bool) {
	turn := pick[transposeFunc[T]](transpose32, transpose64)
	pool := &lastAxis64
	if _, ok := any(dst).([]float32); ok {
		pool = &lastAxis32
	}
	buf := pool.Get().(*[]T)
	defer pool.Put(buf)
	if n := lastAxisRows * (m.In + m.Out); cap(*buf) < n {
		*buf = make([]T, n)
	}
	for len(dst) > 0 {
		rows := min(lastAxisRows, len(dst)/m.Out)
		in, out := (*buf)[:rows*m.In], (*buf)[rows*m.In:rows*(m.In+m.Out)]
		turn(in, rows, x, m.In, rows, m.In)
		if acc {
			turn(out, rows, dst, m.Out, rows, m.Out)
		}
		applyAxis(out, in, m, 0, m.Out, rows, acc)
		turn(dst, m.Out, out, rows, m.Out, rows)
		dst, x = dst[rows*m.Out:], x[rows*m.In:]
	}
}
