package wave

// grid is the geometry of the padded model and how fields of it lie in memory: reach rows, the height rows of the grid, reach rows
// more, and a vector. The rows outside repeat rows of the opposite edge, and so do reach cells on either side of a row, which
// starts at an offset that keeps its cells aligned and has a stride that lets vectors run past its end. Where an edge of an axis is
// free, the cells outside are instead the mirror image with the opposite sign, about the line one cell outside the grid.
type grid struct {
	nz, nx        int
	height, width int // of the padded grid
	up, left      int // cells of the strips above and to the left of the model
	stride        int // from one row to the next
	reach         int // of the Laplacian
	ringZ, ringX  bool
}

const (
	lead = 16 // elements before the first cell of a row
	lane = 16 // the stride is a multiple of this
)

func newGrid(cfg Config, nz, nx int) grid {
	strip := func(free bool) int {
		if free {
			return 0
		}
		return cfg.Pad
	}
	g := grid{
		nz: nz, nx: nx, reach: stencils[cfg.Order].reach,
		up: strip(cfg.Free.Top), left: strip(cfg.Free.Left),
		ringZ: !cfg.Free.Top && !cfg.Free.Bottom, ringX: !cfg.Free.Left && !cfg.Free.Right,
	}
	g.height = nz + g.up + strip(cfg.Free.Bottom)
	g.width = nx + g.left + strip(cfg.Free.Right)
	g.stride = lead + (g.width+g.reach+lane-1)/lane*lane
	return g
}

// size returns the number of elements of a field.
func (g *grid) size() int { return (g.height+2*g.reach)*g.stride + lane }

// row returns the offset of the first cell of row i, -reach <= i < height + reach.
func (g *grid) row(i int) int { return (i+g.reach)*g.stride + lead }

// offset returns where a field holds a cell of the model.
func (g *grid) offset(p Point) int { return g.row(p.Row+g.up) + p.Col + g.left }

// cell returns the row and column of the padded grid that an offset belongs to.
func (g *grid) cell(at int) (row, col int) {
	return at/g.stride - g.reach, at%g.stride - lead
}

// model returns the cell of the model whose velocity row and column of the padded grid have.
func (g *grid) model(row, col int) int {
	return min(max(row-g.up, 0), g.nz-1)*g.nx + min(max(col-g.left, 0), g.nx-1)
}

// continueRows fills the rows outside the grid. quiet is what the field holds in place of zero.
func continueRows[T Float](g *grid, field []T, quiet T) {
	for d := range g.reach {
		above, below := field[g.row(-1-d)-lead:][:g.stride], field[g.row(g.height+d)-lead:][:g.stride]
		if g.ringZ {
			copy(above, field[g.row(g.height-1-d)-lead:][:g.stride])
			copy(below, field[g.row(d)-lead:][:g.stride])
			continue
		}
		mirror(above, field, g.row(d-1)-lead, d == 0, quiet)
		mirror(below, field, g.row(g.height-d)-lead, d == 0, quiet)
	}
}

// mirror fills a row with the image of the one that starts at from, or with zero on the mirror itself.
func mirror[T Float](dst, field []T, from int, itself bool, quiet T) {
	if itself {
		for i := range dst {
			dst[i] = quiet
		}
		return
	}
	for i, v := range field[from:][:len(dst)] {
		dst[i] = 2*quiet - v
	}
}

// continueCols fills the cells outside the grid of rows [lo, hi).
func continueCols[T Float](g *grid, field []T, lo, hi int, quiet T) {
	for i := lo; i < hi; i++ {
		row := field[g.row(i)-reachMax:][:reachMax+g.width+g.reach]
		cells, last := row[reachMax:], g.width-1
		for d := range g.reach {
			switch {
			case g.ringX:
				row[reachMax-1-d], cells[g.width+d] = cells[last-d], cells[d]
			case d == 0:
				row[reachMax-1], cells[g.width] = quiet, quiet
			default:
				row[reachMax-1-d], cells[g.width+d] = 2*quiet-cells[d-1], 2*quiet-cells[last-d+1]
			}
		}
	}
}
