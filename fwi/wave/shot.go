package wave

import "context"

// A field is height rows of stride, and one vector more. A row keeps halo cells on either side that repeat the opposite edge, at
// an offset that keeps its cells aligned, and a stride that lets vectors run past its end.
const (
	lead = 16 // elements before the first cell of a row
	halo = 2  // reach of the stencil
	lane = 16 // the stride is a multiple of this
)

// shot is one simulation and its memory.
type shot[T Float] struct {
	medium medium[T]
	now    []T // p[n]
	prev   []T // p[n-1], where p[n+1] is built
	source int // offset of the source
	inject T   // (v dt)^2 at the source
}

func newShot[T Float](s *Solver[T]) *shot[T] {
	return &shot[T]{
		medium: medium[T]{accel: make([]T, s.nz*s.stride), keep: make([]T, (s.cfg.Pad+1)*s.stride)},
		now:    make([]T, s.height*s.stride+lane),
		prev:   make([]T, s.height*s.stride+lane),
	}
}

// rest returns the constant that the quiet field holds in place of zero: far below every signal, and far enough above the
// denormal numbers that its own rounding errors are not denormal either.
func rest[T Float]() T {
	if r := T(1e-160); r != 0 {
		return r
	}
	return 1e-20
}

// start sets up a shot at src over the model vel.
func (sh *shot[T]) start(s *Solver[T], vel []T, src Point) {
	sh.medium.set(s, vel)
	sh.source = s.offset(src)
	v := float64(vel[src.Row*s.nx+src.Col]) * s.cfg.Dt
	sh.inject = T(v * v)
	quiet := rest[T]()
	for i := range sh.now {
		sh.now[i] = quiet
		sh.prev[i] = quiet
	}
}

// run simulates into dst (samples x receivers), and returns early once ctx is done.
func (sh *shot[T]) run(ctx context.Context, s *Solver[T], dst []T) {
	const between = 16 // steps from one look at ctx to the next
	quiet := rest[T]()
	nr := len(s.receivers)
	for n := range s.cfg.Steps {
		if n%between == 0 && ctx.Err() != nil {
			return
		}
		sh.step(s)
		sh.now, sh.prev = sh.prev, sh.now
		if n < len(s.wavelet) {
			sh.now[sh.source] += T(sh.inject * s.wavelet[n])
			row := sh.source / s.stride * s.stride
			wrap(sh.now[row:][:s.stride], s.width)
		}
		trace := dst[n*nr:][:nr]
		for i, at := range s.receivers {
			trace[i] = sh.now[at] - quiet
		}
	}
	clear(dst[s.cfg.Steps*nr:])
}

// step replaces prev by the next field, without the source.
func (sh *shot[T]) step(s *Solver[T]) {
	pad, width, stride := s.cfg.Pad, s.width, s.stride
	at := func(i int) int { // row i of the periodic grid, -2 <= i < height+2
		if i < 0 {
			i += s.height
		} else if i >= s.height {
			i -= s.height
		}
		return i*stride + lead
	}
	for i := range s.height {
		o := i*stride + lead
		z, out := i-pad, pad
		if z < 0 {
			z, out = 0, pad-1-i
		} else if z >= s.nz {
			z, out = s.nz-1, z-s.nz
		}
		s.row(
			sh.prev[o:][:width],
			sh.now[o-halo:][:width+2*halo],
			sh.now[at(i-1):][:width], sh.now[at(i-2):][:width],
			sh.now[at(i+1):][:width], sh.now[at(i+2):][:width],
			sh.medium.accel[z*stride+lead:][:width],
			sh.medium.keep[out*stride+lead:][:width],
		)
		wrap(sh.prev[i*stride:][:stride], width)
	}
}

// wrap fills the halo of a row of stride elements that holds width cells.
func wrap[T Float](row []T, width int) {
	copy(row[lead-halo:lead], row[lead+width-halo:])
	copy(row[lead+width:][:halo], row[lead:])
}
