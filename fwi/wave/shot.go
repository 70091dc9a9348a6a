package wave

import "context"

// between is the number of steps from one look at a context to the next.
const between = 16

// shot is one simulation and its memory.
type shot[T Float] struct {
	field[T]
	medium medium[T]
	s      *Solver[T]
	at     int // offset of the source
	row    int // of the grid, where it lies
	inject T   // (v dt)^2 there
	traces *traces
	gather []T   // samples x receivers, or nil where none is wanted
	reach  []box // by step, where a gather is wanted: what was computed; or nil
	stages [fused]stage[T]
}

func newShot[T Float](s *Solver[T]) *shot[T] {
	return &shot[T]{s: s, field: newField[T](&s.grid), medium: newMedium[T](&s.grid, s.cfg.Pad)}
}

// rest returns the constant that the quiet field holds in place of zero: far below every signal, and far enough above the
// denormal numbers that its own rounding errors are not denormal either.
func rest[T Float]() T {
	if r := T(1e-160); r != 0 {
		return r
	}
	return 1e-20
}

// set sets up a shot over the model vel.
func (sh *shot[T]) set(vel []T, number int) {
	s := sh.s
	src := s.cfg.Sources[number]
	sh.medium.set(s, vel)
	sh.at = s.grid.offset(src)
	sh.row, _ = s.grid.cell(sh.at)
	v := float64(vel[src.Row*s.grid.nx+src.Col]) * s.cfg.Dt
	sh.inject = T(v * v)
	sh.traces = s.traces[number]
	sh.start(rest[T](), s.grid.around(sh.at))
}

// run simulates into dst (samples x receivers), and returns early once ctx is done.
func (sh *shot[T]) run(ctx context.Context, dst []T) {
	clear(dst) // rows that the wave has not reached are not visited
	sh.gather = dst
	sh.forward(ctx, 0, sh.s.cfg.Steps, sh)
}

// forward makes steps [lo, hi) and returns early once ctx is done.
func (sh *shot[T]) forward(ctx context.Context, lo, hi int, v visitor[T]) {
	for n := lo; n < hi; n += fused {
		if (n-lo)%between == 0 && ctx.Err() != nil {
			return
		}
		stages := sh.stages[:min(fused, hi-n)]
		for i := range stages {
			stages[i] = stage[T]{step: n + i, limit: sh.s.grid.all()}
		}
		sh.advance(sh.s, &sh.medium, stages, v)
		if sh.gather != nil && sh.reach != nil {
			for i := range stages {
				sh.reach[n+i] = stages[i].box
			}
		}
	}
}

// visit adds the source to rows [lo, hi) of the field after a step, and records what the receivers there see.
func (sh *shot[T]) visit(field []T, k *stage[T], lo, hi int) {
	if lo <= sh.row && sh.row < hi && k.step < len(sh.s.wavelet) {
		field[sh.at] += T(sh.inject * sh.s.wavelet[k.step])
	}
	if sh.gather == nil {
		return
	}
	trace := sh.gather[k.step*len(sh.traces.at):]
	for _, i := range sh.traces.in(lo, hi) {
		trace[i] = field[sh.traces.at[i]] - sh.quiet
	}
}
