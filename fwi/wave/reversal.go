package wave

import (
	"context"
	"fmt"
	"math"

	"github.com/spamoe/spamoe/internal/kernel"
)

// reversal computes the gradient of one shot. The adjoint field lambda obeys the forward scheme run backwards in time, transposed.
// With q = accel lambda, where accel is the factor of the Laplacian, it is the forward scheme itself, because the Laplacian is
// symmetric and the damping acts cell by cell:
//
//	q[n+1] = q[n+2] + keep (q[n+2] - q[n+3]) + accel L q[n+2] + accel dJ/dp[n+1]  at the receivers,
//
// from q = 0 after the last step down to n = 0. The derivative with respect to accel is the sum over time of lambda[n+1] L p[n],
// that with respect to keep of lambda[n+1] (p[n] - p[n-1]), and that with respect to the injected source of lambda[n+1].
type reversal[T Float] struct {
	shot[T]
	plan   plan
	vmin   bool
	back   reflector[T]
	record []record[T] // of each step of a segment
	lo     int         // the first of them
	saved  []field[T]  // states at the start of segments
	trace  []T         // samples x receivers
}

// record is what the gradient needs to know of one step.
type record[T Float] struct {
	lap, rate     []T // L p[n], and p[n] - p[n-1] where the damping is asked for
	lapIn, rateIn extent
}

// extent is where a recorded field was written, in whole vectors; it is zero elsewhere, as far as the gradient looks.
type extent struct{ lo, hi, loX, wide int }

func (k *stage[T]) extent() extent { return extent{k.box.loZ, k.box.hiZ, k.loX, k.wide} }

func (s *Solver[T]) takeReversal(p plan, vmin bool) *reversal[T] {
	s.mu.Lock()
	for i, r := range s.idleReversals {
		if r.plan == p && r.vmin == vmin {
			s.idleReversals = append(s.idleReversals[:i], s.idleReversals[i+1:]...)
			s.mu.Unlock()
			return r
		}
	}
	s.idleReversals = nil // of another plan: their memory is needed
	s.mu.Unlock()
	_, samples, receivers := s.Shape()
	r := &reversal[T]{shot: *newShot(s), plan: p, vmin: vmin, trace: make([]T, samples*receivers), record: make([]record[T], p.segment)}
	r.reach = make([]box, s.cfg.Steps)
	r.back = newReflector(s, vmin)
	for range p.saves {
		r.saved = append(r.saved, newField[T](&s.grid))
	}
	for i := range r.record {
		r.record[i].lap = make([]T, s.grid.size())
		if vmin {
			r.record[i].rate = make([]T, s.grid.size())
		}
	}
	return r
}

func (s *Solver[T]) giveReversal(r *reversal[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idleReversals = append(s.idleReversals, r)
}

// run computes the part of one shot.
func (r *reversal[T]) run(ctx context.Context, vel []T, number int, misfit Misfit[T]) part {
	s := r.s
	r.set(vel, number)
	segments := (s.cfg.Steps + r.plan.segment - 1) / r.plan.segment
	// Forwards, saving what the way back starts from.
	type save struct{ at, slot int }
	path := []save{{0, -1}}
	for lo := 0; segments-lo > 1 && len(path) <= r.plan.saves; {
		lo = split(lo, segments, r.plan.saves-len(path)+1)
		path = append(path, save{lo, len(path) - 1})
	}
	clear(r.trace)
	r.gather = r.trace
	for i, p := range path {
		end := segments - 1
		if i+1 < len(path) {
			end = path[i+1].at
		}
		if p.slot >= 0 {
			r.saved[p.slot].copy(&s.grid, &r.field)
		}
		r.segments(ctx, p.at, end)
	}
	r.keep(ctx, segments-1, s.grid.all())
	receivers := len(r.traces.at)
	steps := s.cfg.Steps * receivers
	r.gather = nil
	if ctx.Err() != nil {
		return part{}
	}
	clear(r.back.source)
	p := part{misfit: misfit(number, r.back.source, r.trace)}
	if math.IsNaN(p.misfit) || math.IsInf(p.misfit, 0) {
		p.err = fmt.Errorf("wave: misfit of shot %d is %v, want a finite number", number, p.misfit)
		return p
	}
	largest, at := finite(r.back.source[:steps])
	if at >= 0 {
		p.err = fmt.Errorf("wave: misfit of shot %d: its derivative for sample %d, receiver %d is %v, want a finite number",
			number, at/receivers, at%receivers, r.back.source[at])
		return p
	}
	if largest == 0 {
		return p
	}
	// Backwards.
	r.back.set(r, largest)
	r.reflect(ctx, segments-1)
	end := segments - 1
	for i := len(path) - 1; i >= 0; i-- {
		r.reverse(ctx, path[i].at, end, path[i].slot, i)
		end = path[i].at
	}
	if ctx.Err() == nil {
		r.finish(number, vel, &p)
	}
	return p
}

// reverse walks back over segments [lo, hi); the state at lo is saved in slot, or is the quiet one where slot is negative. Slots
// from free on are free.
func (r *reversal[T]) reverse(ctx context.Context, lo, hi, slot, free int) {
	g := &r.s.grid
	for hi > lo && ctx.Err() == nil {
		if slot < 0 {
			r.start(r.quiet, g.around(r.at))
		} else {
			r.field.copy(g, &r.saved[slot])
		}
		if hi-lo == 1 || free == len(r.saved) {
			r.segments(ctx, lo, hi-1)
			r.keep(ctx, hi-1, r.back.active)
			r.reflect(ctx, hi-1)
			hi--
			continue
		}
		mid := split(lo, hi, len(r.saved)-free)
		r.segments(ctx, lo, mid)
		r.saved[free].copy(g, &r.field)
		r.reverse(ctx, mid, hi, free, free+1)
		hi = mid
	}
}

// segments runs segments [lo, hi) forwards.
func (r *reversal[T]) segments(ctx context.Context, lo, hi int) {
	r.forward(ctx, lo*r.plan.segment, hi*r.plan.segment, &r.shot)
}

// keep runs one segment forwards and records it, as far as the adjoint field, which now reaches over the box far, will see of it.
func (r *reversal[T]) keep(ctx context.Context, segment int, far box) {
	g := &r.s.grid
	r.lo = segment * r.plan.segment
	hi := min(r.lo+r.plan.segment, r.s.cfg.Steps)
	if r.vmin {
		first := &r.record[0]
		a := r.active
		loX := a.loX / lane * lane
		first.rateIn = extent{a.loZ, a.hiZ, loX, (a.hiX - loX + lane - 1) / lane}
		r.rate(first, first.rateIn, r.now, r.prev)
	}
	for n := r.lo; n < hi; n += fused {
		if (n-r.lo)%between == 0 && ctx.Err() != nil {
			return
		}
		stages := r.stages[:min(fused, hi-n)]
		for i := range stages {
			stages[i] = stage[T]{step: n + i, lap: r.record[n+i-r.lo].lap, limit: g.grown(far, hi-n-i)}
		}
		r.advance(r.s, &r.medium, stages, r)
		for i := range stages {
			at := n + i - r.lo
			r.record[at].lapIn = stages[i].extent()
			if r.gather != nil {
				r.reach[n+i] = stages[i].box
			}
			if at+1 < len(r.record) {
				r.record[at+1].rateIn = stages[i].extent()
			}
		}
	}
}

// visit is the shot's, and notes how fast the field changes.
func (r *reversal[T]) visit(field []T, k *stage[T], lo, hi int) {
	r.shot.visit(field, k, lo, hi)
	if at := k.step + 1 - r.lo; r.vmin && at < len(r.record) {
		before := r.now
		if &before[0] == &field[0] {
			before = r.prev
		}
		r.rate(&r.record[at], extent{lo, hi, k.loX, k.wide}, field, before)
	}
}

// rate records the difference of two fields in a part of the grid.
func (r *reversal[T]) rate(rec *record[T], in extent, now, prev []T) {
	for i := in.lo; i < in.hi; i++ {
		o, n := r.s.grid.row(i)+in.loX, in.wide*lane
		kernel.Sub(rec.rate[o:o+n], now[o:o+n], prev[o:o+n])
	}
}

// margin is how many steps' reach the adjoint field is computed beyond the wave.
const margin = 4

// reflect runs the adjoint field back over the segment that was recorded. Where the wave has not arrived at a step, the adjoint field
// of that step has no part in the gradient, nor has what it becomes: going back in time it follows the front of the wave, which
// retreats as fast as anything moves. Leaving it out changes the gradient by about as much, relatively, as rest stands below one.
func (r *reversal[T]) reflect(ctx context.Context, segment int) {
	g := &r.s.grid
	for n := min(r.lo+r.plan.segment, r.s.cfg.Steps) - 1; n >= r.lo; n -= fused {
		if (n-r.lo)%between == 0 && ctx.Err() != nil {
			return
		}
		stages := r.stages[:min(fused, n-r.lo+1)]
		for i := range stages {
			stages[i] = stage[T]{step: n - i, limit: g.grown(r.reach[n-i], margin)}
		}
		r.back.advance(r.s, &r.medium, stages, &r.back)
	}
}

// finish turns the sums over time into the part of the shot.
func (r *reversal[T]) finish(number int, vel []T, p *part) {
	s, g, b := r.s, &r.s.grid, &r.back
	p.vel = make([]float64, g.nz*g.nx)
	p.wavelet = make([]float64, s.cfg.Steps)
	for i := range g.height {
		for j, x := range b.sum[g.row(i):][:g.width] {
			p.vel[g.model(i, j)] += float64(x) / b.scale
		}
	}
	// The source adds (v dt)^2 w where the Laplacian adds accel L p, so q stands to its lambda as accel does to (v dt)^2.
	src := s.cfg.Sources[number]
	ratio := float64(r.inject) / float64(r.medium.accelAt(g, r.at))
	for n, q := range b.seen {
		p.wavelet[n] = float64(q) * ratio / b.scale
		if n < len(s.wavelet) {
			p.vel[src.Row*g.nx+src.Col] += p.wavelet[n] * float64(s.wavelet[n])
		}
	}
	if !r.vmin {
		return
	}
	for i := range g.height {
		accel, keep := r.medium.at(g, i)
		for j, x := range b.damp[g.row(i):][:g.width] {
			if k := float64(r.medium.keep[keep+j]) - 1; k != 0 {
				p.vmin += float64(x) / float64(r.medium.accel[accel+j]) * k / b.scale
			}
		}
	}
}
