package autograd

import "github.com/spamoe/spamoe/internal/kernel"

// axisSet is a set of axes of a tensor.
type axisSet uint64

func (s *axisSet) add(axis int)     { *s |= 1 << axis }
func (s axisSet) has(axis int) bool { return s&(1<<axis) != 0 }

// spread relates a full array to one without some of its axes. Runs are along the last axis of the full array; neighbouring
// axes that are both kept, or both gone, count as one.
type spread struct {
	kept, gone []dim // with strides in the full array; the last axis is among them, at the end of its list
	rows       []dim // the axes before the last, with strides in the small array, 0 where gone
	last       int   // length of a run
	lastGone   bool
}

// spread is that of arrays of the given shape and those without some of its axes.
func (t *Tape) spread(shape []int, gone axisSet) spread {
	dims := make([]dim, 0, 8) // merged, in order
	var is axisSet            // of dims
	for i, n := range shape {
		if n == 1 {
			continue
		}
		if k := len(dims) - 1; k >= 0 && is.has(k) == gone.has(i) {
			dims[k].n *= n
			continue
		}
		if gone.has(i) {
			is.add(len(dims))
		}
		dims = append(dims, dim{n: n})
	}
	if len(dims) == 0 {
		dims = append(dims, dim{n: 1})
	}
	n := len(dims) - 1
	s := spread{last: dims[n].n, lastGone: is.has(n), rows: t.dims.take(n)}
	full, small := 1, 1
	for i := n; i >= 0; i-- {
		d := &dims[i]
		d.stride = full
		full *= d.n
		row := dim{d.n, 0}
		if !is.has(i) {
			row.stride = small
			small *= d.n
		}
		if i < n {
			s.rows[i] = row
		}
	}
	lists := t.dims.take(len(dims))[:0]
	for i, d := range dims {
		if !is.has(i) {
			lists = append(lists, d)
		}
	}
	kept := len(lists)
	for i, d := range dims {
		if is.has(i) {
			lists = append(lists, d)
		}
	}
	s.kept, s.gone = lists[:kept:kept], lists[kept:]
	return s
}

// repeat computes full = scale * small, repeated along the axes that are gone, or adds it.
func (s spread) repeat(full, small []float32, scale float32, acc bool) {
	kernel.ParallelWith(walkSize(s.rows), kernel.RowGrain(s.last, 1), repetition{s, full, small, scale, acc})
}

type repetition struct {
	spread
	full, small []float32
	scale       float32
	acc         bool
}

func (s *repetition) Chunk(lo, hi int) {
	n := s.last
	walk(s.rows, lo, hi, func(i, o int) {
		row := s.full[i*n:][:n]
		switch {
		case s.lastGone && s.acc:
			kernel.AddScalar(row, row, s.scale*s.small[o])
		case s.lastGone && n > kernel.RowGrain(1, 1):
			kernel.Fill(row, s.scale*s.small[o])
		case s.lastGone:
			v := s.scale * s.small[o]
			for i := range row {
				row[i] = v
			}
		case s.acc:
			kernel.Axpy(row, s.scale, s.small[o:o+n])
		default:
			kernel.Scale(row, s.small[o:o+n], s.scale)
		}
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
	c := collection{s, small, full, scale, acc}
	if s.lastGone {
		kernel.ParallelWith(len(small), kernel.RowGrain(walkSize(s.gone), 1), runSums{c})
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
	blocks := (s.last + sumBlock - 1) / sumBlock
	kernel.ParallelWith(walkSize(outer)*blocks, kernel.RowGrain(walkSize(s.gone)*min(sumBlock, s.last), 1), blockSums{c, blocks})
}

// collection is one call's work.
type collection struct {
	spread
	small, full []float32
	scale       float64
	acc         bool
}

func (c *collection) put(i int, sum float64) {
	if v := float32(sum * c.scale); c.acc {
		c.small[i] += v
	} else {
		c.small[i] = v
	}
}

// runSums adds up runs that are gone.
type runSums struct{ collection }

func (s *runSums) Chunk(lo, hi int) {
	outer := s.gone[:len(s.gone)-1]
	runs := walkSize(outer)
	walk(s.kept, lo, hi, func(i, o int) {
		sum := 0.0
		walk(outer, 0, runs, func(_, q int) { sum += kernel.Sum(s.full[o+q:][:s.last]) })
		s.put(i, sum)
	})
}

// sumBlock is how much of a run is summed together, so that memory is read in its order.
const sumBlock = 512

// blockSums adds up runs that are kept, cut into blocks.
type blockSums struct {
	collection
	blocks int // of a run
}

func (s *blockSums) Chunk(lo, hi int) {
	outer, runs := s.kept[:len(s.kept)-1], walkSize(s.gone)
	for b := lo; b < hi; b++ {
		j := b % s.blocks * sumBlock
		n := min(sumBlock, s.last-j)
		o := offsetAt(outer, b/s.blocks) + j
		var sum [sumBlock]float64
		walk(s.gone, 0, runs, func(_, q int) {
			for k, v := range s.full[o+q:][:n] {
				sum[k] += float64(v)
			}
		})
		for k := range n {
			s.put(b/s.blocks*s.last+j+k, sum[k])
		}
	}
}
