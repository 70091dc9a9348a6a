package wave

import "context"

// between is the number of steps from one look at a context to the next.
const between = 16

// shot is one simulation and its memory.
type shot[T Float] struct {
	field[T]
	medium    medium[T]
	at        int   // offset of the source
	inject    T     // (v dt)^2 at the source
	receivers []int // offsets
}

func newShot[T Float](s *Solver[T]) *shot[T] {
	return &shot[T]{field: newField[T](&s.grid), medium: newMedium[T](&s.grid, s.cfg.Pad)}
}

// rest returns the constant that the quiet field holds in place of zero: far below every signal, and far enough above the
// denormal numbers that its own rounding errors are not denormal either.
func rest[T Float]() T {
	if r := T(1e-160); r != 0 {
		return r
	}
	return 1e-20
}

// start sets up a shot over the model vel.
func (sh *shot[T]) start(s *Solver[T], vel []T, number int) {
	src := s.cfg.Sources[number]
	sh.medium.set(s, vel)
	sh.at = s.grid.offset(src)
	v := float64(vel[src.Row*s.grid.nx+src.Col]) * s.cfg.Dt
	sh.inject = T(v * v)
	sh.receivers = s.receivers[number]
	sh.fill(rest[T]())
}

// run simulates into dst (samples x receivers), and returns early once ctx is done.
func (sh *shot[T]) run(ctx context.Context, s *Solver[T], dst []T) {
	for n := range s.cfg.Steps {
		if n%between == 0 && ctx.Err() != nil {
			return
		}
		sh.next(s, n, nil)
		sh.receive(dst, n)
	}
	clear(dst[s.cfg.Steps*len(sh.receivers):])
}

// next makes step n, source included. lap is as in step.
func (sh *shot[T]) next(s *Solver[T], n int, lap []T) box {
	computed := sh.step(s, &sh.medium, lap)
	if n < len(s.wavelet) {
		sh.add(&s.grid, sh.at, T(sh.inject*s.wavelet[n]))
	}
	return computed
}

// receive writes row n of a gather.
func (sh *shot[T]) receive(dst []T, n int) {
	quiet := rest[T]()
	trace := dst[n*len(sh.receivers):][:len(sh.receivers)]
	for i, at := range sh.receivers {
		trace[i] = sh.now[at] - quiet
	}
}
