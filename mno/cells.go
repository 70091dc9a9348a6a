package mno

import "github.com/spamoe/spamoe/internal/kernel"

// gather brings the cells of a fine grid that share a coarse cell side by side:
//
//	dst[b, i, j, c, (a, e), :] = x[b, 2i+a, 2j+e, c, :],
//
// on a line without i and a. dst is coarse x cells p.
func gather[T kernel.Float](l *level, dst, x []T) {
	kernel.ParallelWith(l.lines(), l.grain(), gathering[T]{*l, dst, x})
}

type gathering[T kernel.Float] struct {
	level
	dst, x []T
}

// Chunk does the lines lo to hi of the fine grid.
func (l *gathering[T]) Chunk(lo, hi int) {
	for r := lo; r < hi; r++ {
		fine, coarse, cell := l.line(r)
		for j := range l.n2 {
			for e := range 2 {
				for c := range l.nc {
					copy(l.dst[(coarse+j*l.nc+c)*l.cells*l.p+(cell+e)*l.p:][:l.p], l.x[(fine+(2*j+e)*l.nc+c)*l.p:])
				}
			}
		}
	}
}

// scatter is the inverse, and the adjoint, of gather; it adds if acc.
func scatter[T kernel.Float](l *level, x, src []T, acc bool) {
	kernel.ParallelWith(l.lines(), l.grain(), scattering[T]{*l, x, src, acc})
}

type scattering[T kernel.Float] struct {
	level
	x, src []T
	acc    bool
}

// Chunk does the lines lo to hi of the fine grid.
func (l *scattering[T]) Chunk(lo, hi int) {
	for r := lo; r < hi; r++ {
		fine, coarse, cell := l.line(r)
		for j := range l.n2 {
			for e := range 2 {
				for c := range l.nc {
					d, s := l.x[(fine+(2*j+e)*l.nc+c)*l.p:][:l.p], l.src[(coarse+j*l.nc+c)*l.cells*l.p+(cell+e)*l.p:][:l.p]
					if !l.acc {
						copy(d, s)
						continue
					}
					for i, v := range s {
						d[i] += v
					}
				}
			}
		}
	}
}

// lines is how many lines the fine grid has along its last axis.
func (l *level) lines() int { return l.nb * l.n1 * l.cells / 2 }

// grain is how many of them are worth another core.
func (l *level) grain() int { return max(1, 1<<14/max(1, l.n2*l.nc*l.p)) }

// line returns the first points of line r and of its coarse line, counted with functions, and the number of its first cell.
func (l *level) line(r int) (fine, coarse, cell int) {
	halves := l.cells / 2 // lines per coarse line
	return r * 2 * l.n2 * l.nc, r / halves * l.n2 * l.nc, r % halves * 2
}
