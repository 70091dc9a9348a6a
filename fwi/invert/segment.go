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

// A map cut into regions replaces the one that it comes from where its misfit, once the regions have found their values, is at most acceptedLoss
// times that map's, both less what noise accounts for. A price that leads to more than tolerableLoss at first is divided by lowerPrice, and again;
// then the round is over. Rows are preferred unless their misfit at first is tolerableRows times that of regions, and layers of rows where theirs is promisingLoss at first.
const (
	acceptedLoss  = 6.25
	acceptedNoise = 0.05
	regionsFloor  = 5e-5 // a relative error of 1 %, taken for noise where there is less
	tolerableLoss = 100
	lowerPrice    = 3
	triedPrices   = 3
	tolerableRows = 4
	promisingLoss = 25
	// A fit of regions that has come to no less than hopefulLoss after hopefulIterations, or hopefulSteps of gaussNewton, ends there.
	hopefulLoss       = 4 * acceptedLoss
	hopefulIterations = 6
	hopefulSteps      = 2
)

// flatter returns the map of the state made of regions, nil where none promise anything, and keeps the misfit that the map itself has. The regions are
// rows where that fits the data about as well.
func (r *run) flatter(stage Stage, data simulations) ([]float64, error) {
	misfit := func(u []float64) (float64, error) { return data.misfit(r.ctx, r.bounds.velocities(u)) }
	var err error
	if r.before, err = misfit(r.state.u); err != nil {
		return nil, err
	}
	base := max(r.before, regionsFloor)
	layered := rowMeans(r.state.u, r.p.NX)
	ml, err := misfit(layered)
	if err != nil {
		return nil, err
	}
	if stage.Prior == Strata {
		if ml >= base*tolerableLoss {
			return nil, nil
		}
		return layered, nil
	}
	var u []float64
	var m float64
	price := stage.Price
	for range triedPrices {
		u = slices.Clone(r.state.u)
		flatten(u, r.p.NX, price)
		if m, err = misfit(u); err != nil {
			return nil, err
		}
		if m < base*tolerableLoss {
			break
		}
		price /= lowerPrice
	}
	if ml < min(m*tolerableRows, base*tolerableLoss) {
		few := slices.Clone(layered)
		flatten(few, r.p.NX, stage.Price)
		if m, err = misfit(few); err != nil {
			return nil, err
		}
		if m < base*promisingLoss {
			return few, nil
		}
		return layered, nil
	}
	if m >= base*tolerableLoss {
		return nil, nil
	}
	return u, nil
}

// accepts reports whether regions with a misfit replace the map that had r.before.
func (r *run) accepts(misfit, noise float64) bool {
	noise = max(noise, regionsFloor)
	return misfit-noise <= acceptedLoss*max(r.before-noise, acceptedNoise*noise)
}

// rowMeans returns u with the mean of every row in all its cells.
func rowMeans(u []float64, nx int) []float64 {
	means := make([]float64, len(u))
	for row := 0; row < len(u); row += nx {
		sum := 0.0
		for _, v := range u[row : row+nx] {
			sum += v
		}
		for i := range nx {
			means[row+i] = sum / float64(nx)
		}
	}
	return means
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
