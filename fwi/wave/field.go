package wave

// field is the state of a simulation: what the scheme needs to go on. Far from the sources it is quiet, exactly, for as long as the
// wave has not arrived, and what is quiet need not be computed: active encloses the rest. As the scheme carries a change no
// farther than reach cells per step, nothing is lost by that.
type field[T Float] struct {
	now    []T // p[n]
	prev   []T // p[n-1], where p[n+1] is built
	active box // where either may differ from quiet, or will be added to
	quiet  T   // what stands for zero
	work   strip[T]
}

func newField[T Float](g *grid) field[T] {
	return field[T]{now: make([]T, g.size()), prev: make([]T, g.size())}
}

// start makes the field quiet; active encloses the cells where sources will be.
func (f *field[T]) start(quiet T, active box) {
	f.quiet, f.active = quiet, active
	for i := range f.now {
		f.now[i] = quiet
		f.prev[i] = quiet
	}
}

// copy makes f equal to from, both with the same quiet value.
func (f *field[T]) copy(g *grid, from *field[T]) {
	lo, hi := from.active.loZ, from.active.hiZ
	for i := f.active.loZ; i < f.active.hiZ; i++ {
		if i < lo || i >= hi {
			for _, x := range [][]T{f.now, f.prev} {
				row := x[g.row(i)-lead:][:g.stride]
				for j := range row {
					row[j] = f.quiet
				}
			}
		}
	}
	if lo < hi {
		a, n := g.row(lo)-lead, (hi-lo)*g.stride
		copy(f.now[a:][:n], from.now[a:])
		copy(f.prev[a:][:n], from.prev[a:])
	}
	f.active = from.active
}

// stage is one of several steps that are made together.
type stage[T Float] struct {
	step  int // its number
	lap   []T // where it is not nil: becomes the Laplacian of the field before, in the same layout
	limit box // all that need be computed
	box   box // what was: beyond it the field is quiet and the Laplacian zero, as far as the limit goes
	loX   int // first column, a multiple of lane, of whole vectors that hold the columns of box
	wide  int // their number

	main, end int // rows [main, end) come while others are computed; [box.loZ, main) and [end, box.hiZ) last
}

// visitor sees rows of the field as a step makes them, while they are in the nearest cache. It may add sources to them.
type visitor[T Float] interface {
	visit(field []T, k *stage[T], lo, hi int)
}

// fused is how many steps are made in one pass over the field, and tile how many rows of each come in turn.
const (
	fused = 2
	tile  = 16
)

// advance makes the steps of stages in one pass. Step k follows step k-1 at a distance of reach rows: what it overwrites, p two steps
// before, is then no longer needed. Rows next to an edge depend on the opposite one, or on their image; they are made last, a step
// after the other.
func (f *field[T]) advance(s *Solver[T], m *medium[T], stages []stage[T], v visitor[T]) {
	g := &s.grid
	a := f.active
	first, last := g.height, 0
	for i := range stages {
		k := &stages[i]
		a = g.grown(a, 1)
		k.box = a.and(k.limit)
		k.loX = k.box.loX / lane * lane
		k.wide = (k.box.hiX - k.loX + lane - 1) / lane
		k.main, k.end = k.box.loZ, k.box.hiZ
		if k.main < g.reach {
			k.main = min(max(k.main, i*g.reach), k.end)
		}
		if k.end > g.height-g.reach {
			k.end = max(min(k.end, g.height-i*g.reach), k.main)
		}
		first, last = min(first, k.main+i*g.reach), max(last, k.end+i*g.reach)
	}
	if k := &stages[0]; k.box.loZ < g.reach || k.box.hiZ > g.height-g.reach {
		continueRows(g, f.now, f.quiet)
	}
	for t := first; t < last; t += tile {
		for i := range stages {
			k := &stages[i]
			f.rows(s, m, i, k, max(t-i*g.reach, k.main), min(t+tile-i*g.reach, k.end), v)
		}
	}
	for i := 1; i < len(stages); i++ {
		k := &stages[i]
		if k.main > k.box.loZ || k.end < k.box.hiZ {
			_, before := f.turn(i)
			continueRows(g, before, f.quiet)
			f.rows(s, m, i, k, k.end, k.box.hiZ, v)
			f.rows(s, m, i, k, k.box.loZ, k.main, v)
		}
	}
	if len(stages)%2 == 1 {
		f.now, f.prev = f.prev, f.now
	}
	f.active = f.shrink(g, a, f.active)
}

// turn returns the field that step i of a pass makes and the one it makes it from.
func (f *field[T]) turn(i int) (next, now []T) {
	if i%2 == 0 {
		return f.prev, f.now
	}
	return f.now, f.prev
}

// rows makes rows [lo, hi) of step i of a pass.
func (f *field[T]) rows(s *Solver[T], m *medium[T], i int, k *stage[T], lo, hi int, v visitor[T]) {
	if lo >= hi || k.wide <= 0 {
		return
	}
	g, b := &s.grid, &f.work
	b.prev, b.now = f.turn(i)
	b.lap, b.vectors, b.stride = k.lap, k.wide, g.stride
	b.accel, b.keep, b.ratio, b.reach = m.accel, m.keep, &s.ratio, g.reach
	// The strips above and below, and the model between them.
	for at := lo; at < hi; {
		end := hi
		for _, border := range [2]int{g.up, g.up + g.nz} {
			if at < border {
				end = min(end, border)
			}
		}
		b.at, b.rows = g.row(at)+k.loX, end-at
		accel, keep := m.at(g, at)
		nextAccel, nextKeep := m.at(g, min(at+1, end-1))
		b.accelAt, b.accelStep = accel+k.loX, nextAccel-accel
		b.keepAt, b.keepStep = keep+k.loX, nextKeep-keep
		s.stencil(b)
		at = end
	}
	v.visit(b.prev, k, lo, hi)
	if k.box.loX < g.reach || k.box.hiX > g.width-g.reach {
		continueCols(g, b.prev, lo, hi, f.quiet)
	}
}

// shrink takes quiet rows and columns off the sides of a box that was just computed, down to the one it grew from.
func (f *field[T]) shrink(g *grid, a, from box) box {
	for a.loZ < from.loZ && f.quietRow(g, a.loZ, a) {
		a.loZ++
	}
	for a.hiZ > from.hiZ && f.quietRow(g, a.hiZ-1, a) {
		a.hiZ--
	}
	for a.loX < from.loX && f.quietCol(g, a.loX, a) {
		a.loX++
	}
	for a.hiX > from.hiX && f.quietCol(g, a.hiX-1, a) {
		a.hiX--
	}
	return a
}

func (f *field[T]) quietRow(g *grid, row int, a box) bool {
	now, prev := f.now[g.row(row)+a.loX:][:a.hiX-a.loX], f.prev[g.row(row)+a.loX:][:a.hiX-a.loX]
	for i, v := range now {
		if v != f.quiet || prev[i] != f.quiet {
			return false
		}
	}
	return true
}

func (f *field[T]) quietCol(g *grid, col int, a box) bool {
	for i := a.loZ; i < a.hiZ; i++ {
		if at := g.row(i) + col; f.now[at] != f.quiet || f.prev[at] != f.quiet {
			return false
		}
	}
	return true
}
