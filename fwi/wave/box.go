package wave

// box is a range of cells of the padded grid, empty where hi <= lo.
type box struct{ loZ, hiZ, loX, hiX int }

// and returns what two boxes share.
func (b box) and(c box) box {
	return box{max(b.loZ, c.loZ), min(b.hiZ, c.hiZ), max(b.loX, c.loX), min(b.hiX, c.hiX)}
}

// all returns the whole grid.
func (g *grid) all() box { return box{0, g.height, 0, g.width} }

// around returns the smallest box with the cells at some offsets into a field.
func (g *grid) around(offsets ...int) box {
	b := box{g.height, 0, g.width, 0}
	for _, at := range offsets {
		row, col := g.cell(at)
		b = box{min(b.loZ, row), max(b.hiZ, row+1), min(b.loX, col), max(b.hiX, col+1)}
	}
	return b
}

// grown returns b wider by so many steps of the scheme.
func (g *grid) grown(b box, steps int) box {
	b.loZ, b.hiZ = grow(b.loZ, b.hiZ, g.height, steps*g.reach, g.ringZ)
	b.loX, b.hiX = grow(b.loX, b.hiX, g.width, steps*g.reach, g.ringX)
	return b
}

// grow widens a range by reach on both sides, and to the whole of a ring whose end it comes to.
func grow(lo, hi, size, reach int, ring bool) (int, int) {
	lo, hi = lo-reach, hi+reach
	if ring && (lo < 0 || hi > size) {
		return 0, size
	}
	return max(lo, 0), min(hi, size)
}
