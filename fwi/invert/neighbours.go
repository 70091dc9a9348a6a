package invert

// neighbours are the regions of a map that become fewer by joining, with the sides of cells that they share.
type neighbours struct {
	sides []map[int]float64 // that a region shares with each neighbour; nil: it was joined to another
	into  []int             // the region that a region was joined to; itself: none yet
}

// newNeighbours returns the n regions that label says of the cells of rows of nx.
func newNeighbours(label []int, n, nx int) neighbours {
	b := neighbours{make([]map[int]float64, n), make([]int, n)}
	for i := range n {
		b.sides[i], b.into[i] = make(map[int]float64, 4), i
	}
	touch := func(i, j int) {
		if i != j {
			b.sides[i][j]++
			b.sides[j][i]++
		}
	}
	for i, l := range label {
		if (i+1)%nx != 0 {
			touch(l, label[i+1])
		}
		if i+nx < len(label) {
			touch(l, label[i+nx])
		}
	}
	return b
}

// join makes region j a part of region i.
func (b *neighbours) join(i, j int) {
	b.into[j] = i
	for k, n := range b.sides[j] {
		delete(b.sides[k], j)
		if k != i {
			b.sides[i][k] += n
			b.sides[k][i] += n
		}
	}
	b.sides[j] = nil
}

// root returns the region that a region has become a part of.
func (b *neighbours) root(i int) int {
	for b.into[i] != i {
		i = b.into[i]
	}
	return i
}

// around calls f for the cells beside cell i.
func around(i, nx, cells int, f func(k int)) {
	if i%nx > 0 {
		f(i - 1)
	}
	if (i+1)%nx != 0 {
		f(i + 1)
	}
	if i >= nx {
		f(i - nx)
	}
	if i+nx < cells {
		f(i + nx)
	}
}
