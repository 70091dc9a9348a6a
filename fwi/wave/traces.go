package wave

import "slices"

// traces are the receivers of a shot.
type traces struct {
	at    []int // offsets into a field
	col   []int // of the padded grid
	order []int // their numbers, row by row of the padded grid
	first []int // of each row, and one more: where it begins in order
}

func newTraces(g *grid, points []Point) *traces {
	t := &traces{at: make([]int, len(points)), col: make([]int, len(points)), order: make([]int, len(points)), first: make([]int, g.height+1)}
	for i, p := range points {
		t.at[i], t.col[i], t.order[i] = g.offset(p), p.Col+g.left, i
		t.first[p.Row+g.up+1]++
	}
	slices.SortStableFunc(t.order, func(a, b int) int { return points[a].Row - points[b].Row })
	for i := range g.height {
		t.first[i+1] += t.first[i]
	}
	return t
}

// in returns the numbers of the receivers in rows [lo, hi) of the padded grid.
func (t *traces) in(lo, hi int) []int { return t.order[t.first[lo]:t.first[hi]] }
