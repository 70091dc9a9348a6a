package wave

// field is the state of a simulation: what the scheme needs to go on. Far from the sources it is quiet, exactly, for as long as the
// wave has not arrived, and what is quiet need not be computed: active encloses the rest. As the scheme carries a change no
// farther than reach cells per step, nothing is lost by that.
type field[T Float] struct {
	now    []T // p[n]
	prev   []T // p[n-1], where p[n+1] is built
	active box // where either may differ from quiet
	quiet  T   // what stands for zero
	work   strip[T]
}

// box is a range of cells of the padded grid, empty where hi <= lo.
type box struct{ loZ, hiZ, loX, hiX int }

func newField[T Float](g *grid) field[T] {
	return field[T]{now: make([]T, g.size()), prev: make([]T, g.size())}
}

// fill makes the field quiet.
func (f *field[T]) fill(quiet T) {
	f.quiet, f.active = quiet, box{}
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

// add adds v to a cell.
func (f *field[T]) add(g *grid, at int, v T) {
	f.now[at] += v
	row, col := g.cell(at)
	a := &f.active
	if a.hiZ <= a.loZ {
		*a = box{row, row + 1, col, col + 1}
	} else {
		*a = box{min(a.loZ, row), max(a.hiZ, row+1), min(a.loX, col), max(a.hiX, col+1)}
	}
	if col < g.reach || col >= g.width-g.reach {
		continueCols(g, f.now, row, row+1, f.quiet)
	}
}

// step advances the field, without sources. Where lap is not nil, the part that is returned becomes the Laplacian of the field before,
// in the same layout; outside it the Laplacian is zero.
func (f *field[T]) step(s *Solver[T], m *medium[T], lap []T) box {
	g := &s.grid
	a := f.active
	if a.hiZ <= a.loZ {
		f.now, f.prev = f.prev, f.now
		return box{}
	}
	a.loZ, a.hiZ = grow(a.loZ, a.hiZ, g.height, g.reach, g.ringZ)
	a.loX, a.hiX = grow(a.loX, a.hiX, g.width, g.reach, g.ringX)
	if a.loZ < g.reach || a.hiZ > g.height-g.reach {
		continueRows(g, f.now, f.quiet)
	}
	edge := a.loX < g.reach || a.hiX > g.width-g.reach
	first := a.loX / lane * lane
	b := &f.work
	*b = strip[T]{
		prev: f.prev, now: f.now, lap: lap, stride: g.stride, vectors: (a.hiX - first + lane - 1) / lane,
		accel: m.accel, keep: m.keep, ratio: &s.ratio, reach: g.reach,
	}
	// The strips above and below, and the model between them.
	for _, part := range [][2]int{{a.loZ, min(a.hiZ, g.up)}, {max(a.loZ, g.up), min(a.hiZ, g.up+g.nz)}, {max(a.loZ, g.up+g.nz), a.hiZ}} {
		lo, hi := part[0], part[1]
		if lo >= hi {
			continue
		}
		b.at, b.rows = g.row(lo)+first, hi-lo
		b.accelAt, b.keepAt = m.at(g, lo)
		accel, keep := m.at(g, min(lo+1, hi-1))
		b.accelStep, b.keepStep = accel-b.accelAt, keep-b.keepAt
		b.accelAt, b.keepAt = b.accelAt+first, b.keepAt+first
		s.stencil(b)
		if edge {
			continueCols(g, f.prev, lo, hi, f.quiet)
		}
	}
	f.now, f.prev = f.prev, f.now
	f.active = f.shrink(g, a, f.active)
	return a
}

// grow widens a range by reach on both sides, and to the whole of a ring whose end it comes to.
func grow(lo, hi, size, reach int, ring bool) (int, int) {
	lo, hi = lo-reach, hi+reach
	if ring && (lo < 0 || hi > size) {
		return 0, size
	}
	return max(lo, 0), min(hi, size)
}

// shrink takes quiet rows and columns off the sides of a box that was just computed, down to the one it grew from: there the field
// before may differ.
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
	for _, v := range f.now[g.row(row):][a.loX:a.hiX] {
		if v != f.quiet {
			return false
		}
	}
	return true
}

func (f *field[T]) quietCol(g *grid, col int, a box) bool {
	for i := a.loZ; i < a.hiZ; i++ {
		if f.now[g.row(i)+col] != f.quiet {
			return false
		}
	}
	return true
}
