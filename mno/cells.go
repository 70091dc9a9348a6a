package mno

import "github.com/spamoe/spamoe/internal/kernel"

// gather brings the cells of a fine grid that share a coarse cell side by side:
//
//	dst[b, i, j, c, (a, e), :] = x[b, 2i+a, 2j+e, c, :],
//
// on a line without i and a. dst is coarse x cells p.
func gather[T kernel.Float](l *level, dst, x []T) {
	l.rows(func(fine, coarse, cell int) {
		for j := range l.n2 {
			for e := range 2 {
				for c := range l.nc {
					copy(dst[(coarse+j*l.nc+c)*l.cells*l.p+(cell+e)*l.p:][:l.p], x[(fine+(2*j+e)*l.nc+c)*l.p:])
				}
			}
		}
	})
}

// scatter is the inverse, and the adjoint, of gather; it adds if acc.
func scatter[T kernel.Float](l *level, x, src []T, acc bool) {
	l.rows(func(fine, coarse, cell int) {
		for j := range l.n2 {
			for e := range 2 {
				for c := range l.nc {
					d, s := x[(fine+(2*j+e)*l.nc+c)*l.p:][:l.p], src[(coarse+j*l.nc+c)*l.cells*l.p+(cell+e)*l.p:][:l.p]
					if !acc {
						copy(d, s)
						continue
					}
					for i, v := range s {
						d[i] += v
					}
				}
			}
		}
	})
}

// rows calls f for every line of the fine grid along its last axis, in parallel: fine and coarse are the first points of it and of its coarse
// line, counted with functions, cell the number of its first cell.
func (l *level) rows(f func(fine, coarse, cell int)) {
	halves := l.cells / 2 // lines per coarse line
	kernel.Parallel(l.nb*l.n1*halves, max(1, 1<<14/max(1, l.n2*l.nc*l.p)), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			f(r*2*l.n2*l.nc, r/halves*l.n2*l.nc, r%halves*2)
		}
	})
}
