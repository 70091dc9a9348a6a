package invert

import (
	"container/heap"
	"slices"
)

// flatten replaces a map u of rows of nx cells by a piecewise constant one, which makes
//
//	sum over cells (u - mean of the cell's region)^2 + price * (number of sides of cells between two regions)
//
// small (Mumford and Shah, Comm. Pure Appl. Math. 42, 1989): beginning with a region for every cell, the two neighbours whose union costs
// least for each side that it removes are joined until none costs less than price (Koepfler, Lopez and Morel, SIAM J. Numer. Anal.
// 31, 1994).
func flatten(u []float64, nx int, price float64) {
	m := merger{neighbours: newNeighbours(each(len(u)), len(u), nx), sum: slices.Clone(u), size: make([]float64, len(u)), age: make([]int, len(u))}
	for i := range m.size {
		m.size[i] = 1
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
			m.add(c.i, c.j)
		}
	}
	for i := range u {
		k := m.root(i)
		u[i] = m.sum[k] / m.size[k]
	}
}

// merger is a map on its way to fewer regions. A region has the number of one of its cells.
type merger struct {
	neighbours
	sum, size []float64
	age       []int // how often a region has changed
	queue     unions
}

// offer puts the union of regions i and j into the queue.
func (m *merger) offer(i, j int) {
	d := m.sum[i]/m.size[i] - m.sum[j]/m.size[j]
	cost := d * d * m.size[i] * m.size[j] / (m.size[i] + m.size[j]) / m.sides[i][j]
	heap.Push(&m.queue, union{cost, min(i, j), max(i, j), m.age[i] + m.age[j]})
}

// add adds region j to region i.
func (m *merger) add(i, j int) {
	m.sum[i] += m.sum[j]
	m.size[i] += m.size[j]
	m.age[i] += m.age[j] + 1
	m.join(i, j)
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
	var stack []int
	for first := range u {
		if label[first] >= 0 {
			continue
		}
		label[first] = n
		stack = append(stack[:0], first)
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			around(i, nx, len(u), func(j int) {
				if label[j] < 0 && u[j] == u[i] {
					label[j] = n
					stack = append(stack, j)
				}
			})
		}
		n++
	}
	return label, n
}
