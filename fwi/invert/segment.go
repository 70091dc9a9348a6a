package invert

import "container/heap"

// flatten replaces a map u of rows of nx cells by a piecewise constant one, which makes
//
//	sum over cells (u - mean of the cell's region)^2 + price * (number of sides of cells between two regions)
//
// small (Mumford and Shah, Comm. Pure Appl. Math. 42, 1989): beginning with a region for every cell, the two neighbours whose union costs
// least for each side that it removes are joined until none costs less than price (Koepfler, Lopez and Morel, SIAM J. Numer. Anal.
// 31, 1994).
func flatten(u []float64, nx int, price float64) {
	m := merger{sum: append([]float64(nil), u...), size: make([]float64, len(u)), into: make([]int, len(u)), age: make([]int, len(u)),
		sides: make([]map[int]float64, len(u))}
	for i := range u {
		m.size[i], m.into[i], m.sides[i] = 1, i, make(map[int]float64, 4)
	}
	touch := func(i, j int) { m.sides[i][j], m.sides[j][i] = 1, 1 }
	for i := range u {
		if (i+1)%nx != 0 {
			touch(i, i+1)
		}
		if i+nx < len(u) {
			touch(i, i+nx)
		}
	}
	for i := range u {
		for j := range m.sides[i] {
			if i < j {
				m.offer(i, j)
			}
		}
	}
	for len(m.queue) > 0 && m.queue[0].cost < price {
		c := heap.Pop(&m.queue).(union)
		if m.into[c.i] == c.i && m.into[c.j] == c.j && m.age[c.i]+m.age[c.j] == c.age {
			m.join(c.i, c.j)
		}
	}
	for i := range u {
		k := i
		for m.into[k] != k {
			k = m.into[k]
		}
		u[i] = m.sum[k] / m.size[k]
	}
}

// merger is a map on its way to fewer regions. A region has the number of one of its cells.
type merger struct {
	sum, size []float64
	into      []int             // the region that a region was joined to; itself: none yet
	age       []int             // how often a region has changed
	sides     []map[int]float64 // sides of cells that a region shares with each neighbour
	queue     unions
}

// offer puts the union of regions i and j into the queue.
func (m *merger) offer(i, j int) {
	d := m.sum[i]/m.size[i] - m.sum[j]/m.size[j]
	cost := d * d * m.size[i] * m.size[j] / (m.size[i] + m.size[j]) / m.sides[i][j]
	heap.Push(&m.queue, union{cost, min(i, j), max(i, j), m.age[i] + m.age[j]})
}

// join adds region j to region i.
func (m *merger) join(i, j int) {
	m.sum[i] += m.sum[j]
	m.size[i] += m.size[j]
	m.into[j] = i
	m.age[i] += m.age[j] + 1
	for k, n := range m.sides[j] {
		delete(m.sides[k], j)
		if k != i {
			m.sides[i][k] += n
			m.sides[k][i] += n
		}
	}
	m.sides[j] = nil
	for k := range m.sides[i] {
		m.offer(i, k)
	}
}

// union is two regions that may become one, with their ages together when the cost was computed.
type union struct {
	cost      float64
	i, j, age int
}

// unions is a heap, the cheapest first and of equals the one that comes first in the map.
type unions []union

func (q unions) Len() int { return len(q) }
func (q unions) Less(a, b int) bool {
	x, y := q[a], q[b]
	return x.cost < y.cost || x.cost == y.cost && (x.i < y.i || x.i == y.i && x.j < y.j)
}
func (q unions) Swap(a, b int) { q[a], q[b] = q[b], q[a] }
func (q *unions) Push(x any)   { *q = append(*q, x.(union)) }
func (q *unions) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// connected numbers the connected regions of equal values of a map of rows of nx cells, and counts them.
func connected(u []float64, nx int) (label []int, n int) {
	label = make([]int, len(u))
	for i := range label {
		label[i] = -1
	}
	var todo []int
	for first := range u {
		if label[first] >= 0 {
			continue
		}
		label[first] = n
		todo = append(todo[:0], first)
		for len(todo) > 0 {
			i := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			visit := func(j int) {
				if label[j] < 0 && u[j] == u[i] {
					label[j] = n
					todo = append(todo, j)
				}
			}
			if i%nx > 0 {
				visit(i - 1)
			}
			if (i+1)%nx != 0 {
				visit(i + 1)
			}
			if i >= nx {
				visit(i - nx)
			}
			if i+nx < len(u) {
				visit(i + nx)
			}
		}
		n++
	}
	return label, n
}
