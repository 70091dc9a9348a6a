package wave

import "math"

// reflector is the adjoint field of one shot and its products with the wave, summed over time.
type reflector[T Float] struct {
	field[T]
	r      *reversal[T] // set while in use
	source []T          // samples x receivers: the derivative of the misfit
	accel  []T          // at the receivers
	scale  float64      // that all is multiplied by
	sum    []T          // over time: q[n+1] L p[n]
	damp   []T          // over time: q[n+1] (p[n] - p[n-1])
	seen   []T          // q at the source of the wave, by step
}

func newReflector[T Float](s *Solver[T], vmin bool) reflector[T] {
	_, samples, receivers := s.Shape()
	b := reflector[T]{
		field: newField[T](&s.grid), source: make([]T, samples*receivers), accel: make([]T, receivers),
		sum: make([]T, s.grid.size()), seen: make([]T, s.cfg.Steps),
	}
	if vmin {
		b.damp = make([]T, s.grid.size())
	}
	return b
}

// adjointScale is the power of two that the largest adjoint source is brought to. Together with the constant that the adjoint
// field holds in place of zero it keeps every product of the two fields far above the denormal numbers.
func adjointScale[T Float]() int {
	if T(1e-160) != 0 {
		return 100
	}
	return 33
}

// set prepares for adjoint sources of the given largest magnitude.
func (b *reflector[T]) set(r *reversal[T], largest float64) {
	b.r = r
	g := &r.s.grid
	for i, at := range r.traces.at {
		b.accel[i] = r.medium.accelAt(g, at)
	}
	most, _ := finite(b.accel)
	_, exp := math.Frexp(largest * most)
	b.scale = math.Ldexp(1, adjointScale[T]()-exp)
	b.start(T(float64(rest[T]())*math.Ldexp(1, adjointScale[T]())), g.around(r.traces.at...))
	clear(b.sum)
	clear(b.damp)
	clear(b.seen)
}

// visit adds the adjoint sources to rows [lo, hi) of the adjoint field, notes what it is at the source, and sums its products with
// the recorded wave.
func (b *reflector[T]) visit(field []T, k *stage[T], lo, hi int) {
	r := b.r
	row := b.source[k.step*len(r.traces.at):]
	for _, i := range r.traces.in(lo, hi) {
		if col := r.traces.col[i]; col < k.box.loX || col >= k.box.hiX {
			continue
		}
		field[r.traces.at[i]] += T(T(float64(row[i])*b.scale) * b.accel[i])
	}
	if lo <= r.row && r.row < hi {
		b.seen[k.step] = field[r.at] - b.quiet
	}
	rec := &r.record[k.step-r.lo]
	b.accumulate(b.sum, field, k, rec.lap, rec.lapIn, lo, hi)
	if r.vmin {
		b.accumulate(b.damp, field, k, rec.rate, rec.rateIn, lo, hi)
	}
}

// accumulate adds (field - quiet) wave to sum over what is in rows [lo, hi) and was written of both.
func (b *reflector[T]) accumulate(sum, field []T, k *stage[T], wave []T, in extent, lo, hi int) {
	g := &b.r.s.grid
	first, last := max(k.loX, in.loX), min(k.loX+k.wide*lane, in.loX+in.wide*lane)
	if first >= last {
		return
	}
	for i := max(lo, in.lo); i < min(hi, in.hi); i++ {
		at := g.row(i) + first
		b.r.s.correlate(sum[at:][:last-first], field[at:][:last-first], wave[at:][:last-first], b.quiet)
	}
}
