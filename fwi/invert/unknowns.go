package invert

import "slices"

// unknowns are the velocities that steps of Gauss-Newton change: a map of cells, each of which may stand for a block of cells.
type unknowns struct {
	n, nx   int
	label   []int     // which of n each cell has
	count   []float64 // of the cells of each
	start   []float64 // the map of cells to begin with
	u, from []float64 // means over blocks: now, and at the start
	weight  []float64
	edges   []float64 // weights of the total variation; nil: one
}

// newUnknowns returns those of a map u of rows of nx, for blocks of rows x columns cells.
func newUnknowns(u, weight []float64, nx, rows, columns int) *unknowns {
	wide := (nx + columns - 1) / columns
	c := &unknowns{n: wide * ((len(u)/nx + rows - 1) / rows), nx: wide, label: make([]int, len(u)), start: slices.Clone(u)}
	c.count = make([]float64, c.n)
	for i := range u {
		c.label[i] = i/nx/rows*wide + i%nx/columns
		c.count[c.label[i]]++
	}
	c.u, c.weight = c.means(u), c.means(weight)
	c.from = slices.Clone(c.u)
	return c
}

// cells returns the map of cells where u are the unknowns: blocks of the one to begin with move as a whole.
func (c *unknowns) cells(u []float64) []float64 {
	all := make([]float64, len(c.label))
	for i, l := range c.label {
		all[i] = c.start[i] + u[l] - c.from[l]
	}
	return all
}

// sums returns the sums of cells over blocks.
func (c *unknowns) sums(cells []float64) []float64 {
	all := make([]float64, c.n)
	for i, l := range c.label {
		all[l] += cells[i]
	}
	return all
}

// means returns the means of cells over blocks.
func (c *unknowns) means(cells []float64) []float64 {
	all := c.sums(cells)
	for i, n := range c.count {
		all[i] /= n
	}
	return all
}

// spare takes over the weights that cells have in the total variation.
func (c *unknowns) spare(cells []float64) {
	c.edges = nil
	if cells != nil {
		c.edges = c.means(cells)
	}
}

// stratified reports whether all rows of a map of rows of nx are constant.
func stratified(u []float64, nx int) bool {
	for i, v := range u {
		if v != u[i/nx*nx] {
			return false
		}
	}
	return true
}
