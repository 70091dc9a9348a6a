package autograd

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
)

// SumAxes returns the sum of x over some axes, accumulated in float64. With keep they stay, of size 1; otherwise they go.
func SumAxes(x *Value, keep bool, axes ...int) *Value {
	return sumAxes("SumAxes", x, keep, axes, false)
}

// MeanAxes returns the mean of x over some axes, accumulated in float64. With keep they stay, of size 1; otherwise they go.
func MeanAxes(x *Value, keep bool, axes ...int) *Value {
	return sumAxes("MeanAxes", x, keep, axes, true)
}

func sumAxes(name string, x *Value, keep bool, axes []int, mean bool) *Value {
	gone := make([]bool, x.Rank())
	for _, a := range axes {
		gone[axisIndex(name, x, a)] = true
	}
	shape := make([]int, 0, 8)
	scale := 1.0
	for i, n := range x.Shape {
		switch {
		case !gone[i]:
			shape = append(shape, n)
		case keep:
			shape = append(shape, 1)
		}
		if gone[i] && mean {
			scale /= float64(n)
		}
	}
	s := newSpread(x.Shape, gone)
	out := x.tape.Alloc(shape...)
	s.collect(out.Data, x.Data, scale, false)
	return Record(name, out, []*Value{x}, BackwardFunc(func(g *Grads, gy []float32) {
		gx, acc := g.Buffer(x)
		s.repeat(gx, gy, float32(scale), acc)
	}))
}

// Broadcast repeats x to a larger shape by numpy's rules: axes are matched from the last, and a size of 1, or an axis that x
// lacks, is repeated.
func Broadcast(x *Value, shape ...int) *Value {
	extra := len(shape) - x.Rank()
	repeated := make([]bool, len(shape))
	fits, same := extra >= 0, extra == 0
	for i := 0; fits && i < len(shape); i++ {
		repeated[i] = i < extra || x.Shape[i-extra] != shape[i]
		fits = !repeated[i] || i < extra || x.Shape[i-extra] == 1
		same = same && !repeated[i]
	}
	if !fits {
		panic(fmt.Sprintf("autograd: Broadcast: shape %v does not stretch to %v", x.Shape, shape))
	}
	if same {
		return x
	}
	s := newSpread(shape, repeated)
	out := x.tape.Alloc(shape...)
	s.repeat(out.Data, x.Data, 1, false)
	return Record("Broadcast", out, []*Value{x}, BackwardFunc(func(g *Grads, gy []float32) {
		gx, acc := g.Buffer(x)
		s.collect(gx, gy, 1, acc)
	}))
}

// spread relates a full array to one without some of its axes. Runs are along the last axis of the full array; neighbouring
// axes that are both kept, or both gone, count as one.
type spread struct {
	kept, gone []dim // with strides in the full array; the last axis is among them, at the end of its list
	rows       []dim // the axes before the last, with strides in the small array, 0 where gone
	last       int   // length of a run
	lastGone   bool
}

func newSpread(shape []int, gone []bool) spread {
	var dims []dim // merged, in order
	var is []bool
	for i, n := range shape {
		if n == 1 {
			continue
		}
		if k := len(dims) - 1; k >= 0 && is[k] == gone[i] {
			dims[k].n *= n
		} else {
			dims, is = append(dims, dim{n: n}), append(is, gone[i])
		}
	}
	if len(dims) == 0 {
		dims, is = []dim{{n: 1}}, []bool{false}
	}
	s := spread{last: dims[len(dims)-1].n, lastGone: is[len(is)-1]}
	full, small := 1, 1
	s.rows = make([]dim, len(dims)-1)
	for i := len(dims) - 1; i >= 0; i-- {
		d := dim{dims[i].n, full}
		full *= d.n
		row := dim{d.n, 0}
		if is[i] {
			s.gone = append([]dim{d}, s.gone...)
		} else {
			s.kept = append([]dim{d}, s.kept...)
			row.stride = small
			small *= d.n
		}
		if i < len(s.rows) {
			s.rows[i] = row
		}
	}
	return s
}

// repeat computes full = scale * small, repeated along the axes that are gone, or adds it.
func (s spread) repeat(full, small []float32, scale float32, acc bool) {
	n := s.last
	kernel.Parallel(walkSize(s.rows), grain(n), func(lo, hi int) {
		walk(s.rows, lo, hi, func(i, o int) {
			row := full[i*n:][:n]
			switch {
			case s.lastGone && acc:
				kernel.AddScalar(row, row, scale*small[o])
			case s.lastGone && n > grain(1):
				kernel.Fill(row, scale*small[o])
			case s.lastGone:
				v := scale * small[o]
				for i := range row {
					row[i] = v
				}
			case acc:
				kernel.Axpy(row, scale, small[o:o+n])
			default:
				kernel.Scale(row, small[o:o+n], scale)
			}
		})
	})
}

// collect computes small = scale * the sum of full over the axes that are gone, or adds it.
func (s spread) collect(small, full []float32, scale float64, acc bool) {
	if len(full) == 0 {
		if !acc {
			clear(small)
		}
		return
	}
	put := func(i int, sum float64) {
		if v := float32(sum * scale); acc {
			small[i] += v
		} else {
			small[i] = v
		}
	}
	if s.lastGone {
		outer := s.gone[:len(s.gone)-1]
		runs := walkSize(outer)
		kernel.Parallel(len(small), grain(runs*s.last), func(lo, hi int) {
			walk(s.kept, lo, hi, func(i, o int) {
				sum := 0.0
				walk(outer, 0, runs, func(_, q int) { sum += kernel.Sum(full[o+q:][:s.last]) })
				put(i, sum)
			})
		})
		return
	}
	outer := s.kept[:len(s.kept)-1]
	if len(s.gone) == 1 && s.gone[0].stride == s.last && !acc {
		// The rows to sum follow each other.
		walk(outer, 0, walkSize(outer), func(i, o int) {
			row := small[i*s.last:][:s.last]
			kernel.ColSum(row, full[o:][:s.gone[0].n*s.last], s.gone[0].n, s.last, false)
			kernel.Scale(row, row, float32(scale))
		})
		return
	}
	// Blocks of a run are summed together, so that memory is read in its order.
	const block = 512
	blocks := (s.last + block - 1) / block
	runs := walkSize(s.gone)
	kernel.Parallel(walkSize(outer)*blocks, grain(runs*min(block, s.last)), func(lo, hi int) {
		for b := lo; b < hi; b++ {
			j := b % blocks * block
			n := min(block, s.last-j)
			o := offsetAt(outer, b/blocks) + j
			var sum [block]float64
			walk(s.gone, 0, runs, func(_, q int) {
				for k, v := range full[o+q:][:n] {
					sum[k] += float64(v)
				}
			})
			for k := range n {
				put(b/blocks*s.last+j+k, sum[k])
			}
		}
	})
}
