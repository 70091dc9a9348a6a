package wave

// field is the state of a simulation: what the scheme needs to go on.
type field[T Float] struct {
	now  []T // p[n]
	prev []T // p[n-1], where p[n+1] is built
}

func (s *Solver[T]) newField() field[T] {
	return field[T]{now: make([]T, s.height*s.stride+lane), prev: make([]T, s.height*s.stride+lane)}
}

// fill makes the field a constant.
func (f *field[T]) fill(v T) {
	for i := range f.now {
		f.now[i] = v
		f.prev[i] = v
	}
}

func (f *field[T]) copy(from *field[T]) {
	copy(f.now, from.now)
	copy(f.prev, from.prev)
}

// add adds v to a cell.
func (f *field[T]) add(s *Solver[T], at int, v T) {
	f.now[at] += v
	row := at / s.stride * s.stride
	wrap(f.now[row:][:s.stride], s.width)
}

// step advances the field, without sources. Where lap is not nil it becomes the Laplacian of the field before, in the same layout.
func (f *field[T]) step(s *Solver[T], m *medium[T], lap []T) {
	width, stride := s.width, s.stride
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
		accel, keep := m.rows(s, i)
		prev, mid := f.prev[o:][:width], f.now[o-halo:][:width+2*halo]
		n1, n2 := f.now[at(i-1):][:width], f.now[at(i-2):][:width]
		s1, s2 := f.now[at(i+1):][:width], f.now[at(i+2):][:width]
		if lap == nil {
			s.row(prev, mid, n1, n2, s1, s2, accel, keep)
		} else {
			rowLap(lap[o:][:width], prev, mid, n1, n2, s1, s2, accel, keep)
		}
		wrap(f.prev[i*stride:][:stride], width)
	}
	f.now, f.prev = f.prev, f.now
}

// wrap fills the halo of a row of stride elements that holds width cells.
func wrap[T Float](row []T, width int) {
	copy(row[lead-halo:lead], row[lead+width-halo:])
	copy(row[lead+width:][:halo], row[lead:])
}
