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
	back   field[T]
	laps   [][]T      // L p[n] of each step of the segment
	boxes  []box      // where it is not zero
	rates  [][]T      // p[n] - p[n-1], where the damping is asked for
	saved  []field[T] // states at the start of segments
	sum    []T        // over time: q[n+1] L p[n]
	damp   []T        // over time: q[n+1] (p[n] - p[n-1])
	gather []T
	adj    []T
	scale  float64   // of the adjoint field
	rest   T         // what the adjoint field holds in place of zero
	arrive []T       // accel at the receivers
	source []float64 // q at the source, of each step
}

// adjointScale is the power of two that the largest adjoint source is brought to. Together with the constant that the adjoint
// field holds in place of zero it keeps every product of the two fields far above the denormal numbers.
func adjointScale[T Float]() int {
	if T(1e-160) != 0 {
		return 100
	}
	return 33
}

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
	r := &reversal[T]{
		shot: *newShot(s), plan: p, vmin: vmin, back: newField[T](&s.grid),
		sum: make([]T, s.grid.size()), gather: make([]T, samples*receivers), adj: make([]T, samples*receivers),
		arrive: make([]T, receivers), source: make([]float64, s.cfg.Steps),
	}
	for range p.saves {
		r.saved = append(r.saved, newField[T](&s.grid))
	}
	for range p.segment {
		r.laps = append(r.laps, make([]T, s.grid.size()))
		r.boxes = append(r.boxes, box{})
		if vmin {
			r.rates = append(r.rates, make([]T, s.grid.size()))
		}
	}
	if vmin {
		r.damp = make([]T, s.grid.size())
	}
	return r
}

func (s *Solver[T]) giveReversal(r *reversal[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idleReversals = append(s.idleReversals, r)
}

// run computes the part of one shot.
func (r *reversal[T]) run(ctx context.Context, s *Solver[T], vel []T, shot int, misfit Misfit[T]) part {
	r.start(s, vel, shot)
	segments := (s.cfg.Steps + r.plan.segment - 1) / r.plan.segment
	// Forwards, saving what the way back starts from.
	type save struct{ at, slot int }
	path := []save{{0, -1}}
	for lo := 0; segments-lo > 1 && len(path) <= r.plan.saves; {
		lo = split(lo, segments, r.plan.saves-len(path)+1)
		path = append(path, save{lo, len(path) - 1})
	}
	for i, p := range path {
		end := segments - 1
		if i+1 < len(path) {
			end = path[i+1].at
		}
		if p.slot >= 0 {
			r.saved[p.slot].copy(&s.grid, &r.field)
		}
		r.advance(ctx, s, p.at, end, true)
	}
	r.record(ctx, s, segments-1, true)
	clear(r.gather[s.cfg.Steps*len(r.receivers):])
	if ctx.Err() != nil {
		return part{}
	}
	clear(r.adj)
	p := part{misfit: misfit(shot, r.adj, r.gather)}
	if math.IsNaN(p.misfit) || math.IsInf(p.misfit, 0) {
		p.err = fmt.Errorf("wave: misfit of shot %d is %v, want a finite number", shot, p.misfit)
		return p
	}
	largest, at := finite(r.adj[:s.cfg.Steps*len(r.receivers)])
	if at >= 0 {
		p.err = fmt.Errorf("wave: misfit of shot %d: its derivative for sample %d, receiver %d is %v, want a finite number",
			shot, at/len(r.receivers), at%len(r.receivers), r.adj[at])
		return p
	}
	if largest == 0 {
		return p
	}
	// Backwards.
	r.startBack(s, largest)
	r.reflect(ctx, s, segments-1)
	end := segments - 1
	for i := len(path) - 1; i >= 0; i-- {
		r.reverse(ctx, s, path[i].at, end, path[i].slot, i)
		end = path[i].at
	}
	if ctx.Err() == nil {
		r.finish(s, shot, vel, &p)
	}
	return p
}

// reverse walks back over segments [lo, hi); the state at lo is saved in slot, or is the quiet one where slot is negative. Slots
// from free on are free.
func (r *reversal[T]) reverse(ctx context.Context, s *Solver[T], lo, hi, slot, free int) {
	restore := func() {
		if slot < 0 {
			r.field.fill(rest[T]())
		} else {
			r.field.copy(&s.grid, &r.saved[slot])
		}
	}
	for hi > lo && ctx.Err() == nil {
		restore()
		if hi-lo == 1 || free == len(r.saved) {
			r.advance(ctx, s, lo, hi-1, false)
			r.record(ctx, s, hi-1, false)
			r.reflect(ctx, s, hi-1)
			hi--
			continue
		}
		mid := split(lo, hi, len(r.saved)-free)
		r.advance(ctx, s, lo, mid, false)
		r.saved[free].copy(&s.grid, &r.field)
		r.reverse(ctx, s, mid, hi, free, free+1)
		hi = mid
	}
}

// advance runs segments [lo, hi) forwards.
func (r *reversal[T]) advance(ctx context.Context, s *Solver[T], lo, hi int, first bool) {
	for n := lo * r.plan.segment; n < hi*r.plan.segment; n++ {
		if n%between == 0 && ctx.Err() != nil {
			return
		}
		r.shot.next(s, n, nil)
		if first {
			r.receive(r.gather, n)
		}
	}
}

// record runs one segment forwards and keeps what the gradient needs of it.
func (r *reversal[T]) record(ctx context.Context, s *Solver[T], segment int, first bool) {
	lo := segment * r.plan.segment
	for n := lo; n < min(lo+r.plan.segment, s.cfg.Steps); n++ {
		if n%between == 0 && ctx.Err() != nil {
			return
		}
		if r.vmin {
			rate := r.rates[n-lo]
			kernel.Sub(rate, r.now, r.prev)
		}
		r.boxes[n-lo] = r.shot.next(s, n, r.laps[n-lo])
		if first {
			r.receive(r.gather, n)
		}
	}
}

// startBack sets up the adjoint field for adjoint sources of the given largest magnitude.
func (r *reversal[T]) startBack(s *Solver[T], largest float64) {
	for i, at := range r.receivers {
		r.arrive[i] = r.medium.accelAt(&s.grid, at)
	}
	most, _ := finite(r.arrive)
	_, exp := math.Frexp(largest * most)
	r.scale = math.Ldexp(1, adjointScale[T]()-exp)
	r.rest = T(float64(rest[T]()) * math.Ldexp(1, adjointScale[T]()))
	r.back.fill(r.rest)
	clear(r.sum)
	clear(r.damp)
}

// reflect runs the adjoint field back over a segment that was recorded.
func (r *reversal[T]) reflect(ctx context.Context, s *Solver[T], segment int) {
	lo := segment * r.plan.segment
	nr := len(r.receivers)
	for n := min(lo+r.plan.segment, s.cfg.Steps) - 1; n >= lo; n-- {
		if n%between == 0 && ctx.Err() != nil {
			return
		}
		r.back.step(s, &r.medium, nil)
		for i, at := range r.receivers {
			r.back.add(&s.grid, at, T(float64(r.adj[n*nr+i])*r.scale)*r.arrive[i])
		}
		r.source[n] = float64(r.back.now[r.at] - r.rest)
		accumulate(&s.grid, r.sum, r.back.now, r.laps[n-lo], r.back.active, r.boxes[n-lo])
		if r.vmin {
			accumulate(&s.grid, r.damp, r.back.now, r.rates[n-lo], r.back.active, r.boxes[n-lo])
		}
	}
}

// accumulate adds x y to sum where both x, within a, and y, within b, may differ from zero.
func accumulate[T Float](g *grid, sum, x, y []T, a, b box) {
	lo, hi := max(a.loX, b.loX), min(a.hiX, b.hiX)
	if lo >= hi {
		return
	}
	for i := max(a.loZ, b.loZ); i < min(a.hiZ, b.hiZ); i++ {
		at := g.row(i)
		kernel.MulAdd(sum[at+lo:at+hi], x[at+lo:at+hi], y[at+lo:at+hi])
	}
}

// finish turns the sums over time into the part of the shot.
func (r *reversal[T]) finish(s *Solver[T], shot int, vel []T, p *part) {
	g := &s.grid
	p.vel = make([]float64, g.nz*g.nx)
	p.wavelet = make([]float64, len(r.source))
	for i := range g.height {
		for j, x := range r.sum[g.row(i):][:g.width] {
			p.vel[g.model(i, j)] += float64(x) / r.scale
		}
	}
	// The source adds (v dt)^2 w where the Laplacian adds accel L p, so q stands to its lambda as accel does to (v dt)^2.
	src := s.cfg.Sources[shot]
	ratio := float64(r.inject) / float64(r.medium.accelAt(&s.grid, r.at))
	for n, q := range r.source {
		p.wavelet[n] = q * ratio / r.scale
		if n < len(s.wavelet) {
			p.vel[src.Row*g.nx+src.Col] += p.wavelet[n] * float64(s.wavelet[n])
		}
	}
	if !r.vmin {
		return
	}
	for i := range g.height {
		accel, keep := r.medium.at(g, i)
		for j, x := range r.damp[g.row(i):][:g.width] {
			if k := float64(r.medium.keep[keep+j]) - 1; k != 0 {
				p.vmin += float64(x) / float64(r.medium.accel[accel+j]) * k / r.scale
			}
		}
	}
}
